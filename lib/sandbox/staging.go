package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The folder of the staging folders, and how their names begin.
const (
	stagingDir  = "staging"
	stagingName = "plasm-"
)

// stage makes a staging folder and locks it. unlock removes it.
func (c *cache) stage() (dir string, unlock func(), err error) {
	all, err := lock(filepath.Join(c.dir, stagingDir), unix.LOCK_EX) // so that no sweep comes between the two steps
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = all.Close() }()
	if dir, err = os.MkdirTemp(all.Name(), stagingName+"*"); err != nil {
		return "", nil, err
	}
	held, err := lock(dir, unix.LOCK_EX)
	if err != nil {
		return "", nil, err
	}
	return dir, func() {
		_ = os.RemoveAll(dir)
		_ = held.Close()
	}, nil
}

// lock opens a folder and locks it as long as the result is open.
func lock(dir string, how int) (*os.File, error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, &fs.PathError{Op: "lock", Path: dir, Err: err}
	}
	return f, nil
}

// sweep removes the staging folders of supervisors that are gone.
func (c *cache) sweep() error {
	all, err := lock(filepath.Join(c.dir, stagingDir), unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer func() { _ = all.Close() }()
	names, err := all.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		dir := filepath.Join(all.Name(), name)
		if !strings.HasPrefix(name, stagingName) {
			continue // not ours
		}
		held, err := lock(dir, unix.LOCK_EX|unix.LOCK_NB)
		if err != nil {
			continue // in use
		}
		_ = os.RemoveAll(dir)
		_ = held.Close()
	}
	return nil
}
