package hostile

import (
	"fmt"
	"slices"
	"strings"

	"plasm/lib/job"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// Descriptors of the folders that a case with Folder has.
const (
	rw = 3
	ro = 4
)

// Flags of path_open (witx: oflags, lookupflags) and of fstflags.
const (
	create   = 1
	dirOnly  = 2
	truncate = 8
	follow   = 1
	rights   = int64(0x1fffffff)
)

// climbers try to reach what is outside of their folders. The tests lay out
// around them:
//
//	rw/file, rw/sub/file   theirs
//	rw/out                 a link to ../outside, rw/abs one to where that is
//	rw/root                a link to /proc/self/root
//	rw/fifo                a FIFO, at which an open would wait
//	ro/file                theirs to read
//	outside/secret         not theirs
func climbers() []Case {
	all := climbersToo()
	for i, names := range [][]string{
		{
			"../outside/secret", "sub/../../outside/secret", "sub/../../rw/../outside/secret", "..", "../", "sub/../..",
			"./../outside",
		},
		{"/etc/passwd", "/", "/rw/../outside/secret", "//etc/passwd", "/proc/self/environ", "/dev/null"},
		{"out/secret", "out/", "out/../outside/secret", "abs/secret", "root/etc/passwd", "root/", "out/new"},
		{"file/", "file/x"},
		{"a\x00b", "\x00", "file\x00", "../outside\x00/secret"},
		{strings.Repeat("a", 256), strings.Repeat("b/", 2048) + "x", strings.Repeat("../", 2000) + "etc/passwd"},
		{"\xff\xfe", "\xc0\xae\xc0\xae/outside/secret", "sub\xed\xa0\x80/x", "\xf5\xf5"},
	} {
		c := Case{Name: fmt.Sprintf("paths-%d", i), Folder: true, Want: exits(0)}
		c.Module = func() []byte { return trying(everyWay(names)) }
		all = append(all, c)
	}
	return all
}

// climbersToo try other ways than a list of paths.
func climbersToo() []Case {
	return []Case{
		{Name: "read-only", Folder: true, Want: exits(0), Module: func() []byte { return trying(changes()) }},
		{
			Name: "fifo", Folder: true, Want: exits(0),
			Module: func() []byte { return trying(everyWay([]string{"fifo"})[:5]) },
		},
		{Name: "not-folders", Folder: true, Want: exits(0), Module: func() []byte { return trying(notFolders()) }},
		{Name: "name-of-64k", Folder: true, Memory: 1, Want: exits(0), Module: longName},
		{Name: "own-links", Folder: true, Want: exits(0), Module: ownLinks},
		{Name: "folder-in-folder", Folder: true, Timeout: soon, Want: ends(job.Timeout), Module: deepFolders},
		{Name: "many-files", Folder: true, Timeout: soon, Want: ends(job.Timeout), Module: manyFiles},
	}
}

// everyWay is every call that follows a path, with each of the names. Where there
// is another name, of a rename or link, that one is good.
func everyWay(names []string) []attempt {
	all := make([]attempt, 0, 16*len(names))
	for _, name := range names {
		all = append(all,
			attempt{"path_open", []any{rw, follow, name, 0, rights, rights, 0, result}},
			attempt{"path_open", []any{rw, 0, name, 0, int64(2), int64(0), 0, result}},
			attempt{"path_open", []any{rw, follow, name, create, int64(1 << 6), int64(0), 0, result}},
			attempt{"path_open", []any{rw, follow, name, truncate, int64(1 << 6), int64(0), 0, result}},
			attempt{"path_open", []any{rw, follow, name, dirOnly, int64(0), int64(0), 0, result}},
			attempt{"path_filestat_get", []any{rw, follow, name, buffer}},
			attempt{"path_filestat_set_times", []any{rw, follow, name, int64(1), int64(1), 5}},
			attempt{"path_readlink", []any{rw, name, buffer, 4096, result}},
			attempt{"path_create_directory", []any{rw, name}},
			attempt{"path_remove_directory", []any{rw, name}},
			attempt{"path_unlink_file", []any{rw, name}},
			attempt{"path_rename", []any{rw, name, rw, "stolen"}},
			attempt{"path_rename", []any{rw, "file", rw, name}},
			attempt{"path_link", []any{rw, 0, name, rw, "stolen"}},
			attempt{"path_link", []any{rw, 0, "file", rw, name}},
			attempt{"path_symlink", []any{"file", rw, name}},
		)
	}
	return all
}

// changes try to change a folder that is to be read.
func changes() []attempt {
	return []attempt{
		{"path_open", []any{ro, follow, "file", 0, int64(1 << 6), int64(0), 0, result}},
		{"path_open", []any{ro, follow, "file", truncate, rights, rights, 0, result}},
		{"path_open", []any{ro, follow, "new", create, rights, rights, 0, result}},
		{"path_filestat_set_times", []any{ro, follow, "file", int64(1), int64(1), 5}},
		{"path_create_directory", []any{ro, "new"}},
		{"path_remove_directory", []any{ro, "sub"}},
		{"path_unlink_file", []any{ro, "file"}},
		{"path_rename", []any{ro, "file", ro, "stolen"}},
		{"path_rename", []any{ro, "file", rw, "stolen"}},
		{"path_rename", []any{rw, "file", ro, "stolen"}},
		{"path_link", []any{ro, 0, "file", ro, "stolen"}},
		{"path_link", []any{ro, 0, "file", rw, "stolen"}},
		{"path_link", []any{rw, 0, "file", ro, "stolen"}},
		{"path_symlink", []any{"file", ro, "stolen"}},
		{"path_symlink", []any{"/etc/passwd", rw, "stolen"}},
	}
}

// notFolders use descriptors for what they are not.
func notFolders() []attempt {
	var all []attempt
	for _, fd := range []int{-1, 0, 1, 2, 5, 63, 64, 1 << 20, 1<<31 - 1, -1 << 31} {
		all = append(all,
			attempt{"path_open", []any{fd, follow, "file", 0, rights, rights, 0, result}},
			attempt{"path_unlink_file", []any{fd, "file"}},
			attempt{"fd_readdir", []any{fd, buffer, 4096, int64(0), result}},
			attempt{"fd_filestat_set_size", []any{fd, int64(1 << 62)}},
			attempt{"fd_allocate", []any{fd, int64(0), int64(1 << 62)}},
		)
	}
	return append(all, attempt{"fd_renumber", []any{rw, -1}}, attempt{"fd_renumber", []any{-1, rw}},
		attempt{"fd_renumber", []any{rw, 5}})
}

// longName opens and makes what has a name of 64 KiB, and less by some.
func longName() []byte {
	c := newCommand("path_open", "path_create_directory", "path_symlink", "proc_exit")
	code := guest.Seq(
		guest.Op(wasm.OpDrop, guest.MemoryGrow(guest.Int(1))),
		guest.MemoryFill(guest.Int(memory), guest.Int('a'), guest.Int(memory)),
	)
	for i, n := range []int{memory, memory - 1, 4097, 4096, 4095, 257} {
		for j, call := range []guest.Code{
			c.call("path_open", rw, follow, memory, n, create, rights, rights, 0, result),
			c.call("path_create_directory", rw, memory, n),
			c.call("path_symlink", memory, n, rw, memory, n),
		} {
			code = append(code, guest.If(guest.Op(wasm.OpI32Eqz, call), c.call("proc_exit", 10*i+j+1))...)
		}
	}
	return c.main(code)
}

// ownLinks makes links that lead out, and follows them.
func ownLinks() []byte {
	c := newCommand("path_symlink", "path_open", "path_rename", "proc_exit")
	var code guest.Code
	for i, target := range []string{
		"../outside", "../../outside", strings.Repeat("../", 40) + "etc",
		"sub/../../outside",
	} {
		link := fmt.Sprintf("link%d", i)
		from, fromLen := c.text(target)
		to, toLen := c.text(link)
		code = append(code, c.do("path_symlink", from, fromLen, rw, to, toLen)...)
		for _, name := range []string{link + "/secret", link + "/passwd", link + "/", link} {
			at, n := c.text(name)
			open := c.call("path_open", rw, follow, at, n, 0, int64(2), int64(0), 0, result)
			code = append(code, guest.If(guest.Op(wasm.OpI32Eqz, open), c.call("proc_exit", i+1))...)
		}
	}
	return c.main(code)
}

// deepFolders makes a folder in a folder in a folder, and a long time of it.
func deepFolders() []byte {
	c := newCommand("path_create_directory", "path_open", "path_rename")
	name, n := c.text("d")
	return c.main(
		guest.Store(wasm.OpI32Store, 0, guest.Int(result), guest.Int(rw)),
		forever(
			guest.Set(0, guest.Load(wasm.OpI32Load, 0, guest.Int(result))),
			c.do("path_create_directory", guest.Get(0), name, n),
			c.do("path_open", guest.Get(0), 0, name, n, dirOnly, rights, rights, 0, result),
		),
	)
}

// manyFiles makes files and opens them all, and renames them.
func manyFiles() []byte {
	c := newCommand("path_open", "path_rename", "fd_readdir")
	var code guest.Code
	for i := range 64 {
		name, n := c.text(fmt.Sprintf("f%02d", i))
		other, m := c.text(fmt.Sprintf("g%02d", i))
		code = slices.Concat(code,
			c.do("path_open", rw, 0, name, n, create, rights, rights, 0, result),
			c.do("path_rename", rw, name, n, rw, other, m))
	}
	return c.main(forever(code, c.do("fd_readdir", rw, buffer, 40<<10, int64(0), result)))
}
