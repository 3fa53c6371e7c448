//go:build linux

package wasi_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"plasm/test/guest"
)

// page is the size of the memory of a program that makes calls.
const page = 1 << 16

// TestSameMemory makes calls of preview 1 on each engine, and compares the whole memory
// of the program, and the errno, after each.
func TestSameMemory(t *testing.T) {
	t.Parallel()
	t.Run("without-folder", func(t *testing.T) {
		t.Parallel()
		sameMemory(t, guest.EveryCall(), false)
	})
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		sameMemory(t, folderCalls(), true)
	})
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed-", seed), func(t *testing.T) {
			t.Parallel()
			sameMemory(t, randomCalls(seed), true)
		})
	}
}

func sameMemory(t *testing.T, calls *guest.Calls, withFolder bool) {
	t.Helper()
	module := filepath.Join(t.TempDir(), "calls.wasm")
	must(t, os.WriteFile(module, calls.Module(), 0o600))
	stdin := filepath.Join(t.TempDir(), "stdin")
	must(t, os.WriteFile(stdin, []byte("some input\nfor a program"), 0o600))
	var first string
	for _, engine := range engines {
		needEngine(t, engine)
		j := job{
			module: module, args: []string{"one", "", "two"},
			flags: []string{"--env", "A=1", "--env", "B=", "--output-limit", "1000000000", "--stdin", stdin},
		}
		if withFolder {
			dir := fixture(t, map[string]string{"a": "text of a", "dir/b": "b", "dir/sub/": ""})
			must(t, os.Symlink("dir/b", filepath.Join(dir, "link")))
			j.flags = append(j.flags, "--dir", dir+"::/")
		}
		r := j.run(t, engine)
		if r.code != 0 || len(r.stdout) != page*(1+len(calls.List)) {
			t.Errorf("%s: exit code %d, stderr %.500q, %d bytes", engine, r.code, r.stderr, len(r.stdout))
		}
		if first == "" {
			first = r.stdout
			continue
		}
		compare(t, calls, first, r.stdout)
	}
}

// compare holds the memories after each call against one another, but for what a folder
// of the host brings with it: devices, inodes and times.
func compare(t *testing.T, calls *guest.Calls, a, b string) {
	t.Helper()
	ofHost := make([]bool, page)
	for i := range min(len(a), len(b)) / page {
		one, other := a[i*page:][:page], b[i*page:][:page]
		what := "before the first call"
		if i > 0 {
			call := calls.List[i-1]
			what = fmt.Sprintf("after call %d, %s%v,", i, call.Name, call.Args)
			markHost(ofHost, call, one)
		}
		for at := range page {
			if one[at] != other[at] && !ofHost[at] {
				t.Fatalf("%s errno %d and %d, at address %#x: %x and %x", what, errno(one), errno(other), at,
					one[at:min(at+32, page)], other[at:min(at+32, page)])
			}
		}
	}
}

func errno(memory string) uint32 { return word(memory, guest.CallsErrno) }

func word(memory string, at int64) uint32 { return binary.LittleEndian.Uint32([]byte(memory[at:][:4])) }

// markHost marks what the call, which has left the memory given, has written that is of
// the host. Programs here use those places for nothing else.
func markHost(ofHost []bool, call guest.WASICall, memory string) {
	mark := func(at, n int64) {
		for i := range n {
			ofHost[at+i] = true
		}
	}
	if errno(memory) != 0 {
		return
	}
	switch call.Name {
	case "fd_filestat_get", "path_filestat_get":
		at := call.Args[len(call.Args)-1]
		mark(at, 16)    // device, inode
		mark(at+40, 24) // times of access, modification, change
	case "fd_readdir":
		at := call.Args[1]
		end := at + int64(word(memory, call.Args[4]))
		for at+16 <= end { // cookie, inode, name's length, type, name
			mark(at+8, 8)
			if at+24 > end {
				break
			}
			at += 24 + int64(word(memory, at+16))
		}
		if at < end {
			mark(min(at+8, end), min(8, max(0, end-at-8)))
		}
	}
}

// Numbers of preview 1 for the calls below.
const (
	root      = 3 // the folder's descriptor
	follow    = 1 // lookupflags
	creat     = 1 // oflags
	directory = 2
	truncate  = 8
	all       = 1<<29 - 1 // rights
)

// folderCalls does what there is to do in a folder, and to its files.
func folderCalls() *guest.Calls {
	c := &guest.Calls{}
	stat := func(path string, flags int) { c.Add("path_filestat_get", root, flags, path, c.Room(64)) }
	text := []byte("some text")
	from, into := c.Words(c.Bytes(text...), 4, c.Bytes(text...), 9), c.Words(c.Room(8), 5, c.Room(8), 8)
	c.Add("fd_prestat_get", root, c.Room(8))
	c.Add("fd_prestat_dir_name", root, c.Room(8), 1)
	c.Add("fd_fdstat_get", root, c.Room(24))
	c.Add("fd_filestat_get", root, c.Room(64))
	c.Add("path_open", root, 0, "new", creat, all, all, 0, c.Room(4)) // 4
	c.Add("fd_fdstat_get", 4, c.Room(24))
	c.Add("fd_write", 4, from, 2, c.Room(4))
	c.Add("fd_tell", 4, c.Room(8))
	c.Add("fd_seek", 4, -3, 1, c.Room(8))
	c.Add("fd_read", 4, into, 2, c.Room(4))
	c.Add("fd_pread", 4, into, 2, 2, c.Room(4))
	c.Add("fd_pwrite", 4, from, 2, 20, c.Room(4))
	c.Add("fd_filestat_get", 4, c.Room(64))
	c.Add("fd_filestat_set_size", 4, 5)
	c.Add("fd_filestat_set_times", 4, 1, 2, 5)
	c.Add("fd_advise", 4, 0, 0, 1)
	c.Add("fd_allocate", 4, 0, 100)
	c.Add("fd_sync", 4)
	c.Add("fd_datasync", 4)
	c.Add("fd_fdstat_set_flags", 4, 1)
	c.Add("fd_fdstat_get", 4, c.Room(24))
	c.Add("path_create_directory", root, "made")
	c.Add("path_symlink", "../new", root, "made/link")
	c.Add("path_readlink", root, "made/link", c.Room(16), 16, c.Room(4))
	c.Add("path_readlink", root, "made/link", c.Room(16), 3, c.Room(4))
	c.Add("path_link", root, 0, "new", root, "made/hard")
	stat("made/link", 0)
	stat("made/link", follow)
	stat("made/hard", 0)
	stat("made", 0)
	stat("none", 0)
	c.Add("path_filestat_set_times", root, follow, "made/link", 5, 6, 5)
	c.Add("path_open", root, 0, "made", directory, all, all, 0, c.Room(4)) // 5
	for _, size := range []int{0, 10, 24, 25, 60, 100, 1000} {
		for cookie := range 6 {
			c.Add("fd_readdir", 5, c.Room(size), size, cookie, c.Room(4))
		}
	}
	c.Add("fd_fdstat_set_rights", 5, 1<<14, 0)
	c.Add("path_open", 5, 0, "hard", 0, 0, 0, 0, c.Room(4))
	c.Add("fd_fdstat_get", 5, c.Room(24))
	c.Add("path_rename", root, "made/hard", root, "made/other")
	c.Add("fd_renumber", 4, 5)
	c.Add("fd_fdstat_get", 5, c.Room(24))
	c.Add("fd_fdstat_get", 4, c.Room(24))
	for _, path := range []string{
		"..", "made/../..", "/a", "", "made/", "new/", "made/\x00", "made/link/", "\xff", "dir/sub/../b",
	} {
		c.Add("path_open", root, follow, path, 0, 2, 0, 0, c.Room(4))
		stat(path, 0)
		c.Add("path_unlink_file", root, path)
		c.Add("path_remove_directory", root, path)
	}
	c.Add("path_open", root, 0, "new", truncate, 0, 0, 0, c.Room(4))
	c.Add("fd_close", 5)
	c.Add("fd_close", 5)
	return c
}

// randomCalls are calls with arguments that make sense one by one, most of them.
func randomCalls(seed uint64) *guest.Calls {
	const length = 120
	c := &guest.Calls{}
	random := rand.New(rand.NewPCG(seed, 1))
	pick := func(from ...int64) int64 { return from[random.IntN(len(from))] }
	var rooms, vectors []int64
	for range 8 {
		rooms = append(rooms, c.Room(128))
	}
	for range 6 {
		var words []int64
		for range 4 {
			words = append(words, pick(rooms...), pick(0, 1, 7, 64, 128))
		}
		vectors = append(vectors, c.Words(words...))
	}
	vectors = append(vectors, c.Words(-1, 4, 0, -1, page-4, 8, 64, 1<<31))
	polls := c.Words( // a clock, input, a file's output
		1, 0, 0, 0, 1, 0, 50, 0, 0, 0, 0, 0,
		2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		3, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0,
	)
	paths := []string{
		"a", "b", "c", "dir", "dir/b", "dir/sub", "dir/sub/../b", "link", "link/", "new/a", "new",
		".", "..", "/a", "", "a/", "x\x00",
	}
	address := func() int64 {
		if random.IntN(30) == 0 {
			return pick(-1, page-1, page-8, 1<<31)
		}
		return pick(rooms...)
	}
	fd := func() int64 { return pick(0, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 6, 7, 8, -1) }
	size := func() int64 { return pick(0, 1, 3, 24, 64, 128, 128) }
	number := func() int64 { return pick(0, 1, 2, 3, 5, 100, 1000, -1, 1<<40, -1<<63, int64(random.Uint64()>>1)) }
	rights := func() int64 { return pick(0, 2, 1<<6, 2|1<<6, all, all, -1) }
	for len(c.List) < length {
		path := func() string { return paths[random.IntN(len(paths))] }
		switch name := guest.Preview1()[random.IntN(len(guest.Preview1()))]; name {
		case "proc_exit", "proc_raise": // they end it
		case "args_get", "environ_get", "args_sizes_get", "environ_sizes_get":
			c.Add(name, pick(rooms...), pick(rooms...))
		case "clock_res_get":
			c.Add(name, pick(0, 1, 2, 3, 9), address())
		case "clock_time_get":
			c.Add(name, pick(0, 1, 2, 3, 9), number(), address())
		case "fd_advise":
			c.Add(name, fd(), number(), number(), pick(0, 1, 2, 3, 4, 5, 6))
		case "fd_allocate":
			c.Add(name, fd(), pick(0, 1, 1000, -1), pick(0, 1, 1000, -1))
		case "fd_close", "fd_datasync", "fd_sync":
			c.Add(name, fd())
		case "fd_fdstat_get", "fd_prestat_get", "fd_tell":
			c.Add(name, fd(), address())
		case "fd_fdstat_set_flags":
			c.Add(name, fd(), pick(0, 1, 4, 16, 31, 255))
		case "fd_fdstat_set_rights":
			c.Add(name, pick(5, 6, 7), rights(), rights())
		case "fd_filestat_get":
			c.Add(name, fd(), c.Room(64))
		case "fd_filestat_set_size":
			c.Add(name, fd(), number())
		case "fd_filestat_set_times":
			c.Add(name, fd(), pick(1, 1e18), pick(2, 1e18), random.IntN(17))
		case "fd_pread", "fd_pwrite":
			c.Add(name, fd(), pick(vectors...), pick(0, 1, 2, 4), number(), address())
		case "fd_prestat_dir_name":
			c.Add(name, fd(), address(), size())
		case "fd_read", "fd_write":
			c.Add(name, fd(), pick(vectors...), pick(0, 1, 2, 4, -1, 1<<29), address())
		case "fd_readdir":
			c.Add(name, fd(), c.Room(128), size(), pick(0, 1, 2, 3, 4, -1), c.Room(4))
		case "fd_renumber":
			c.Add(name, pick(4, 5, 6, 7), fd())
		case "fd_seek":
			c.Add(name, fd(), number(), pick(0, 1, 2, 3), address())
		case "path_create_directory", "path_remove_directory", "path_unlink_file":
			c.Add(name, fd(), path())
		case "path_filestat_get":
			c.Add(name, fd(), pick(0, 1, 2), path(), c.Room(64))
		case "path_filestat_set_times":
			c.Add(name, fd(), pick(0, 1), path(), pick(1, 1e18), pick(2, 1e18), random.IntN(17))
		case "path_link":
			c.Add(name, fd(), pick(0, 0, 1), path(), fd(), path())
		case "path_open":
			for range 3 { // more of them: the others need something open
				oflags, fdflags := pick(0, 0, 1, 1, 2, 5, 8, 9, 3, 31), pick(0, 0, 1, 4, 31)
				c.Add(name, pick(3, fd()), pick(0, 1), path(), oflags, rights(), rights(), fdflags, address())
			}
		case "path_readlink":
			c.Add(name, fd(), path(), address(), size(), address())
		case "path_rename":
			c.Add(name, fd(), path(), fd(), path())
		case "path_symlink":
			c.Add(name, path(), fd(), path())
		case "poll_oneoff":
			c.Add(name, polls, pick(rooms...), pick(0, 1, 2, 3, -1), address())
		case "random_get":
			c.Add(name, address(), size())
		case "sched_yield":
			c.Add(name)
		case "sock_accept":
			c.Add(name, fd(), pick(0, 4), address())
		case "sock_recv":
			c.Add(name, fd(), pick(vectors...), pick(0, 1), pick(0, 1, 9), address(), address())
		case "sock_send":
			c.Add(name, fd(), pick(vectors...), pick(0, 1), 0, address())
		case "sock_shutdown":
			c.Add(name, fd(), pick(0, 1, 3, 9))
		default:
			panic(name)
		}
	}
	return c
}
