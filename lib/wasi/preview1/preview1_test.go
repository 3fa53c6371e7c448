package preview1

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/wasi"
)

// at is where the tests put what they hand over, and result where results go.
const (
	at     = 256
	result = 4096
)

// put writes s to memory, and returns its address and length.
func put(mem []byte, where int, s string) (address, length uint64) {
	copy(mem[where:], s)
	return uint64(where), uint64(len(s))
}

// buffers writes a list of buffers, and returns its address and length.
func buffers(mem []byte, where int, list ...[2]uint32) (address, length uint64) {
	for i, b := range list {
		binary.LittleEndian.PutUint32(mem[where+8*i:], b[0])
		binary.LittleEndian.PutUint32(mem[where+8*i+4:], b[1])
	}
	return uint64(where), uint64(len(list))
}

func want(t *testing.T, what string, got, want wasi.Errno) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// openPath calls path_open in the first folder, and returns the number.
func openPath(t *testing.T, g *Guest, dir uint64, path string, oflags int, base, inheriting rights,
	flags int,
) (uint64, wasi.Errno) {
	t.Helper()
	mem := page()
	address, n := put(mem, at, path)
	errno := call(t, g, "path_open", mem, dir, 0, address, n, uint64(oflags), uint64(base), uint64(inheriting),
		uint64(flags), result)
	return uint64(binary.LittleEndian.Uint32(mem[result:])), errno
}

func TestSortedByName(t *testing.T) {
	t.Parallel()
	if !slices.IsSortedFunc(Functions(), func(a, b *Function) int { return strings.Compare(a.Name, b.Name) }) ||
		len(functions) != 46 {
		t.Errorf("%d functions, sorted or not", len(functions))
	}
	if Find("fd_fly") != nil {
		t.Error("there is a function fd_fly")
	}
}

// TestBytes pins every byte that calls write into memory, on every architecture.
func TestBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []uint64
		want string // from result on; what is behind it stays
	}{
		{"args_sizes_get", []uint64{result, result + 4}, "02000000 0b000000"},
		{"args_get", []uint64{result, result + 8}, "08100000 0f100000 6d6f64756c65 00 6f6e65 00"},
		{"environ_sizes_get", []uint64{result, result + 4}, "01000000 04000000"},
		{"environ_get", []uint64{result, result + 4}, "04100000 413d6200"},
		{"clock_res_get", []uint64{0, result}, "e803000000000000"},
		{"clock_time_get", []uint64{0, 0, result}, "00004352cf4c230d"},
		{"clock_time_get", []uint64{1, 0, result}, "0000000000000000"},
		{"random_get", []uint64{result, 8}, "cc2cca03b10743f3"},
		{"fd_fdstat_get", []uint64{0, result}, "00 00 0000 00000000 0a00200800000000 0000000000000000"},
		{"fd_fdstat_get", []uint64{1, result}, "00 00 0000 00000000 4800200800000000 0000000000000000"},
		{"fd_fdstat_get", []uint64{3, result}, "03 00 0000 00000000 19febf0700000000 ffffff0f00000000"},
		{"fd_filestat_get", []uint64{0, result}, strings.Repeat("00", 64)},
		{"fd_prestat_get", []uint64{4, result}, "00000000 03000000"},
		{"fd_prestat_dir_name", []uint64{4, result, 99}, "2f726f"},
		{"fd_tell", []uint64{5, result}, "0000000000000000"},
		{"fd_seek", []uint64{5, 3, 1, result}, "0300000000000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g, mem := program(t), page()
			want(t, c.name, call(t, g, c.name, mem, c.args...), 0)
			all := page()
			raw, err := hex.DecodeString(strings.ReplaceAll(c.want, " ", ""))
			must(t, err)
			copy(all[result:], raw)
			if diff := cmp.Diff(hex.Dump(all[result-16:result+128]), hex.Dump(mem[result-16:result+128])); diff != "" {
				t.Error(diff)
			}
			if !slices.Equal(all, mem) {
				t.Error("something else was written")
			}
		})
	}
}

// TestReaddir pins the bytes of a listing, from every cookie and into every buffer.
func TestReaddir(t *testing.T) {
	t.Parallel()
	g := program(t)
	_, errno := openPath(t, g, 3, "name", openCreate, rightFdWrite, 0, 0)
	want(t, "create", errno, 0)
	entries, errno := g.descriptors.Get(3).List(true)
	want(t, "list", errno, 0)
	st, errno := g.descriptors.Get(3).Stat()
	want(t, "stat", errno, 0)
	all := append([]wasi.Entry{{Name: ".", Type: 3, Inode: st.Inode}, {Name: "..", Type: 3}}, entries...)
	var names []string
	for cookie := range uint64(len(all) + 2) {
		var full []byte
		for i, e := range all[min(cookie, uint64(len(all))):] {
			full = binary.LittleEndian.AppendUint64(full, cookie+uint64(i)+1)
			full = binary.LittleEndian.AppendUint64(full, e.Inode)
			full = binary.LittleEndian.AppendUint32(full, uint32(len(e.Name)))
			full = append(append(full, byte(e.Type), 0, 0, 0), e.Name...)
			if cookie == 0 {
				names = append(names, e.Name)
			}
		}
		for _, size := range []int{0, 1, 23, 24, 25, 60, len(full), len(full) + 1} {
			mem := page()
			want(t, "readdir", call(t, g, "fd_readdir", mem, 3, result, uint64(size), cookie, at), 0)
			n := min(size, len(full))
			if got := binary.LittleEndian.Uint32(mem[at:]); got != uint32(n) {
				t.Errorf("cookie %d, %d bytes: used %d of %d", cookie, size, got, len(full))
			}
			if diff := cmp.Diff(hex.Dump(full[:n]), hex.Dump(mem[result:result+n])); diff != "" ||
				mem[result+n] != 0xff {
				t.Errorf("cookie %d, %d bytes: %s", cookie, size, diff)
			}
		}
	}
	if diff := cmp.Diff([]string{".", "..", "dir", "file", "link", "name"}, names); diff != "" {
		t.Error(diff)
	}
	want(t, "a file", call(t, g, "fd_readdir", page(), 5, result, 64, 0, at), wasi.ENOTDIR)
	want(t, "a cookie of nothing", call(t, g, "fd_readdir", page(), 3, result, 64, math.MaxUint64, at), 0)
}

func TestRights(t *testing.T) {
	t.Parallel()
	g := program(t)
	fd, errno := openPath(t, g, 3, "file", 0, rightFdRead|rightFdWrite|rightFdSeek|rightPathOpen, fileRights, 0)
	want(t, "open", errno, 0)
	if d := g.descriptors.Get(uint32(fd)); d.base != rightFdRead|rightFdWrite|rightFdSeek || d.inheriting != 0 {
		t.Errorf("a file has rights %b, %b", d.base, d.inheriting)
	}
	mem := page()
	iovs, n := buffers(mem, at, [2]uint32{result, 4})
	want(t, "read", call(t, g, "fd_read", mem, fd, iovs, n, 0), 0)
	want(t, "not asked for", call(t, g, "fd_filestat_get", mem, fd, result), 0)
	want(t, "give up", call(t, g, "fd_fdstat_set_rights", mem, fd, uint64(rightFdSeek), 0), 0)
	want(t, "read", call(t, g, "fd_read", mem, fd, iovs, n, 0), wasi.EBADF)
	want(t, "write", call(t, g, "fd_write", mem, fd, iovs, n, 0), wasi.EBADF)
	want(t, "take back", call(t, g, "fd_fdstat_set_rights", mem, fd, uint64(rightFdSeek|rightFdRead), 0),
		wasi.ENOTCAPABLE)
	want(t, "give up the rest", call(t, g, "fd_fdstat_set_rights", mem, fd, 0, 0), 0)
	want(t, "seek", call(t, g, "fd_seek", mem, fd, 0, 0, result), wasi.ENOTCAPABLE)

	none, errno := openPath(t, g, 3, "file", 0, 0, 0, 0)
	want(t, "open for nothing", errno, 0)
	want(t, "read", call(t, g, "fd_read", mem, none, iovs, n, 0), wasi.EBADF)
	want(t, "cut", call(t, g, "fd_filestat_set_size", mem, none, 0), wasi.EINVAL)
	want(t, "allocate", call(t, g, "fd_allocate", mem, none, 0, 9), wasi.EBADF)

	dir, errno := openPath(t, g, 3, "dir", openDirectory, dirRights, dirRights|fileRights, 0)
	want(t, "open a folder", errno, 0)
	want(t, "give up reading below", call(t, g, "fd_fdstat_set_rights", mem, dir, uint64(dirRights),
		uint64((dirRights|fileRights)&^rightFdRead)), 0)
	below, errno := openPath(t, g, dir, "new", openCreate, rightFdRead|rightFdWrite, 0, 0)
	want(t, "create below", errno, 0)
	want(t, "read below", call(t, g, "fd_read", mem, below, iovs, n, 0), wasi.EBADF)
	want(t, "write below", call(t, g, "fd_write", mem, below, iovs, n, 0), 0)
	want(t, "give up cutting", call(t, g, "fd_fdstat_set_rights", mem, dir, uint64(dirRights&^rightPathFilestatSetSize),
		0), 0)
	_, errno = openPath(t, g, dir, "new", openTruncate, rightFdWrite, 0, 0)
	want(t, "cut", errno, wasi.EPERM)
	want(t, "give up creating", call(t, g, "fd_fdstat_set_rights", mem, dir, 0, 0), 0)
	_, errno = openPath(t, g, dir, "newer", openCreate, rightFdWrite, 0, 0)
	want(t, "open", errno, wasi.ENOTCAPABLE)
}

// TestRenumber moves streams, files and folders that a program has begun with.
func TestRenumber(t *testing.T) {
	t.Parallel()
	g, mem := program(t), page()
	move := func(what string, from, to uint64, errno wasi.Errno) {
		t.Helper()
		want(t, what, call(t, g, "fd_renumber", mem, from, to), errno)
	}
	move("to what is not open", 0, 99, wasi.EBADF)
	move("what is not open", 99, 0, wasi.EBADF)
	move("to itself", 5, 5, 0)
	move("over a folder", 4, 3, 0)
	want(t, "the folder", call(t, g, "fd_prestat_get", mem, 3, result), 0)
	want(t, "its old number", call(t, g, "fd_fdstat_get", mem, 4, result), wasi.EBADF)
	move("stdin over a file", 0, 5, 0)
	want(t, "stdin", call(t, g, "fd_fdstat_get", mem, 0, result), wasi.EBADF)
	want(t, "seek it", call(t, g, "fd_seek", mem, 5, 0, 0, result), wasi.ESPIPE)
	for _, number := range []uint64{0, 4, 7} { // the lowest that is free
		if fd, errno := openPath(t, g, 3, "file", 0, rightFdRead, 0, 0); fd != number || errno != 0 {
			t.Errorf("opened %d, %v, want %d", fd, errno, number)
		}
	}
	want(t, "close a stream", call(t, g, "fd_close", mem, 1), 0)
	want(t, "close it again", call(t, g, "fd_close", mem, 1), wasi.EBADF)
}

func TestFlags(t *testing.T) {
	t.Parallel()
	g, mem := program(t), page()
	fd, errno := openPath(t, g, 3, "file", 0, rightFdRead|rightFdWrite, 0, flagAppend|flagSync)
	want(t, "open", errno, 0)
	want(t, "fdstat", call(t, g, "fd_fdstat_get", mem, fd, result), 0)
	if got := binary.LittleEndian.Uint16(mem[result+2:]); got != flagAppend|flagSync {
		t.Errorf("the flags are %b", got)
	}
	put(mem, 1000, "+1")
	iovs, n := buffers(mem, at, [2]uint32{1000, 1}, [2]uint32{0, 0}, [2]uint32{1001, 1})
	want(t, "append", call(t, g, "fd_write", mem, fd, iovs, n, result), 0)
	want(t, "write at 0", call(t, g, "fd_pwrite", mem, fd, iovs, n, 0, result), 0)
	want(t, "tell", call(t, g, "fd_tell", mem, fd, result), 0)
	if got := binary.LittleEndian.Uint64(mem[result:]); got != 9 {
		t.Errorf("the offset is %d", got)
	}
	want(t, "clear", call(t, g, "fd_fdstat_set_flags", mem, fd, 0), 0)
	want(t, "seek", call(t, g, "fd_seek", mem, fd, 1, 0, result), 0)
	want(t, "write", call(t, g, "fd_write", mem, fd, iovs, n, result), 0)
	want(t, "unknown", call(t, g, "fd_fdstat_set_flags", mem, fd, 32), wasi.EINVAL)
	iovs, n = buffers(mem, at, [2]uint32{2000, 3}, [2]uint32{2003, 60})
	want(t, "read", call(t, g, "fd_pread", mem, fd, iovs, n, 0, result), 0)
	if got := string(mem[2000 : 2000+binary.LittleEndian.Uint32(mem[result:])]); got != "++1tent+1" {
		t.Errorf("the file is %q", got)
	}
}

// TestPieces reads input into several buffers: what has come, and not what has not.
func TestPieces(t *testing.T) {
	t.Parallel()
	r, w := inputPipe(t)
	g, mem := guestWith(t, wasi.Config{Stdin: r}), page()
	_, err := w.WriteString("abcd")
	must(t, err)
	iovs, n := buffers(mem, at, [2]uint32{1000, 0}, [2]uint32{1000, 4}, [2]uint32{1004, 100})
	want(t, "read", call(t, g, "fd_read", mem, 0, iovs, n, result), 0)
	if got := binary.LittleEndian.Uint32(mem[result:]); got != 4 || string(mem[1000:1004]) != "abcd" {
		t.Errorf("read %d: %q", got, mem[1000:1004])
	}
	want(t, "nonblock", call(t, g, "fd_fdstat_set_flags", mem, 0, flagNonblock), 0)
	want(t, "read", call(t, g, "fd_read", mem, 0, iovs, n, result), wasi.EAGAIN)
}

// TestWrong holds errors of arguments that no function takes.
func TestWrong(t *testing.T) {
	t.Parallel()
	const far = pageSize - 3
	for _, c := range []struct {
		name string
		args []uint64
		want wasi.Errno
	}{
		{"args_get", []uint64{far, at}, wasi.EFAULT},
		{"args_sizes_get", []uint64{at, far}, wasi.EFAULT},
		{"clock_time_get", []uint64{2, 0, at}, wasi.EINVAL},
		{"clock_time_get", []uint64{0, 0, far}, wasi.EFAULT},
		{"clock_res_get", []uint64{9, at}, wasi.EINVAL},
		{"fd_advise", []uint64{5, 0, 0, 6}, wasi.EINVAL},
		{"fd_advise", []uint64{0, 0, 0, 0}, wasi.ESPIPE},
		{"fd_advise", []uint64{3, 0, 0, 0}, wasi.EBADF},
		{"fd_allocate", []uint64{5, 0, 0}, wasi.EINVAL},
		{"fd_allocate", []uint64{5, math.MaxInt64, 1}, wasi.EFBIG},
		{"fd_allocate", []uint64{3, 0, 0}, wasi.EBADF},
		{"fd_allocate", []uint64{1, 0, 1}, wasi.ESPIPE},
		{"fd_close", []uint64{99}, wasi.EBADF},
		{"fd_datasync", []uint64{1}, wasi.EINVAL},
		{"fd_filestat_set_size", []uint64{5, math.MaxUint64}, wasi.EINVAL},
		{"fd_filestat_set_size", []uint64{3, 0}, wasi.EBADF},
		{"fd_filestat_set_times", []uint64{5, 0, 0, 3}, wasi.EINVAL},
		{"fd_filestat_set_times", []uint64{5, 0, 0, 12}, wasi.EINVAL},
		{"fd_filestat_set_times", []uint64{5, 0, 0, 16}, wasi.EINVAL},
		{"fd_filestat_set_times", []uint64{5, math.MaxUint64, 0, 1}, wasi.EINVAL},
		{"fd_filestat_set_times", []uint64{0, 0, 0, 1}, wasi.EBADF},
		{"fd_pread", []uint64{0, at, 0, 0, at}, wasi.ESPIPE},
		{"fd_pread", []uint64{5, at, 1, math.MaxUint64, at}, wasi.EFAULT},
		{"fd_prestat_get", []uint64{5, at}, wasi.EBADF},
		{"fd_prestat_dir_name", []uint64{3, at, 2}, wasi.ENAMETOOLONG},
		{"fd_prestat_dir_name", []uint64{3, far + 1, 3}, wasi.EFAULT},
		{"fd_read", []uint64{3, at, 0, at}, wasi.EISDIR},
		{"fd_read", []uint64{1, at, 0, at}, wasi.EBADF},
		{"fd_read", []uint64{5, 8, math.MaxUint32, at}, wasi.EFAULT},
		{"fd_read", []uint64{5, far, 0, far}, wasi.EFAULT},
		{"fd_write", []uint64{0, at, 0, at}, wasi.EBADF},
		{"fd_seek", []uint64{5, math.MaxUint64, 0, at}, wasi.EINVAL},
		{"fd_seek", []uint64{5, 0, 3, at}, wasi.EINVAL},
		{"fd_seek", []uint64{3, 0, 0, at}, wasi.EBADF},
		{"fd_seek", []uint64{0, 0, 0, at}, wasi.ESPIPE},
		{"fd_seek", []uint64{5, 0, 0, far}, wasi.EFAULT},
		{"fd_tell", []uint64{3, at}, wasi.EBADF},
		{"path_open", []uint64{3, 0, at, 1, 16, 0, 0, 0, at}, wasi.EINVAL},
		{"path_open", []uint64{3, 2, at, 1, 0, 0, 0, 0, at}, wasi.EINVAL},
		{"path_open", []uint64{3, 0, at, 1, 0, 0, 0, 32, at}, wasi.EINVAL},
		{"path_open", []uint64{3, 0, at, 0, 0, 0, 0, 0, at}, wasi.ENOENT},
		{"path_open", []uint64{5, 0, at, 1, 0, 0, 0, 0, at}, wasi.ENOTDIR},
		{"path_open", []uint64{3, 0, at, 9999, 0, 0, 0, 0, at}, wasi.ENAMETOOLONG},
		{"path_link", []uint64{3, 1, at, 1, 3, at, 1}, wasi.EINVAL},
		{"proc_raise", []uint64{9}, wasi.ENOTSUP},
		{"random_get", []uint64{1, pageSize}, wasi.EFAULT},
		{"sock_accept", []uint64{0, 0, at}, wasi.ENOTSOCK},
		{"sock_recv", []uint64{99, 0, 0, 0, at, at}, wasi.EBADF},
		{"sock_send", []uint64{1, 0, 0, 0, at}, wasi.ENOTSOCK},
		{"sock_shutdown", []uint64{1, 0}, wasi.ENOTSOCK},
		{"sock_shutdown", []uint64{99, 0}, wasi.EBADF},
	} {
		want(t, c.name, call(t, program(t), c.name, page(), c.args...), c.want)
	}
}

// TestTransferIsBounded reads more than 32 bits can count, into one buffer many times.
func TestTransferIsBounded(t *testing.T) {
	t.Parallel()
	g, mem := program(t), make([]byte, 1<<20)
	list := slices.Repeat([][2]uint32{{0, 1 << 20}}, 5000)
	g.descriptors.Get(1).base |= rightFdWrite
	iovs, n := buffers(mem, 1<<19, list...)
	want(t, "write", call(t, g, "fd_write", mem, 1, iovs, n, 1<<18), 0)
	if got := binary.LittleEndian.Uint32(mem[1<<18:]); got != math.MaxUint32 {
		t.Errorf("wrote %d", got)
	}
}
