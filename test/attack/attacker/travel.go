//go:build linux

package main

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
	"plasm/lib/sandbox"
	"plasm/lib/tree"
	"plasm/test/attack"
)

// descriptorAttacks take the number of a descriptor.
func descriptorAttacks() map[string]func(string) string {
	on := func(try func(fd int) error) func(string) string {
		return func(number string) string {
			fd, err := strconv.Atoi(number)
			if err == nil {
				err = try(fd)
			}
			return outcome(err)
		}
	}
	byte1 := []byte{'x'}
	return map[string]func(string) string{
		"pread":  on(func(fd int) error { _, err := unix.Pread(fd, byte1, 0); return err }),
		"pwrite": on(func(fd int) error { _, err := unix.Pwrite(fd, byte1, 0); return err }),
		"pwrite beyond": on(func(fd int) error {
			_, err := unix.Pwrite(fd, byte1, attack.Disk+1<<20)
			return err
		}),
		"preadv":    on(func(fd int) error { _, err := unix.Preadv(fd, [][]byte{byte1}, 0); return err }),
		"truncate":  on(func(fd int) error { return unix.Ftruncate(fd, 1<<40) }),
		"duplicate": on(func(fd int) error { _, err := unix.Dup(fd); return err }),
		"map descriptor": on(func(fd int) error {
			_, err := unix.Mmap(fd, 0, 1, unix.PROT_READ, unix.MAP_SHARED)
			return err
		}),
	}
}

// travel gives the job two folders that travel: one to read, one to write.
func travel(m *job.Manifest) (f *sandbox.Folders, done func(), err error) {
	pack, err := os.CreateTemp("", "pack-*")
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(pack.Name()), pack.Close()) }()
	if _, err = tree.NewPacker(pack).Finish(&tree.Tree{}); err != nil {
		return nil, nil, err
	}
	m.Dirs = []job.Dir{{Guest: "/in", ReadOnly: true, Tree: tree.Empty}, {Guest: "/out", Tree: tree.Empty}}
	m.DiskMB = attack.Disk >> 20
	read, err := os.Open(pack.Name())
	if err != nil {
		return nil, nil, err
	}
	if f, err = sandbox.NewFolders(read, nil); err != nil {
		return nil, nil, errors.Join(err, read.Close())
	}
	return f, func() { f.Close(); _ = read.Close() }, nil
}
