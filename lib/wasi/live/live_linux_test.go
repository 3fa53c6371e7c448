package live

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
	"plasm/lib/wasi"

	"plasm/lib/job"
)

// TestProc holds that no guest reads or writes the memory of a process.
func TestProc(t *testing.T) {
	t.Parallel()
	_, err := Open("/proc", true)
	if je, ok := errors.AsType[*job.Error](err); !ok || je.Message != "not a folder that a guest may have: /proc" {
		t.Errorf("got %v", err)
	}
	_, err = Open("/proc/self/", true)
	if _, ok := errors.AsType[*job.Error](err); !ok {
		t.Errorf("got %v", err)
	}
	pid := strconv.Itoa(os.Getpid())
	d := openDir(t, "/", true)
	for _, name := range []string{
		"proc/" + pid + "/mem", "proc/self/mem", "proc/self/environ", "proc/self/root", "proc/self/root/etc/passwd",
		"proc/self/cwd", "proc/self/exe", "proc/self/fd/0", "proc/thread-self/mem", "proc", "proc/self",
	} {
		for _, flag := range []flags{read, nofollow | directory} {
			if errno := tryOpen(d, name, flag); errno == 0 {
				t.Errorf("opened %s", name)
			}
		}
	}
	wantErrno(t, "mem", tryOpen(d, "proc/"+pid+"/mem", read), wasi.EPERM)
	wantErrno(t, "root", tryOpen(d, "proc/"+pid+"/root/etc/passwd", read), wasi.EPERM)
	wantErrno(t, "where root leads", second(d.Readlink("proc/"+pid+"/root")), wasi.EPERM)
	wantErrno(t, "elsewhere", tryOpen(d, "dev", read), 0)
}

// TestUnseen holds that a FIFO isn't even opened to be refused: whoever
// waits at its other end would take that for the one it waits for.
func TestUnseen(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	fifo := filepath.Join(root, "fifo")
	must(t, unix.Mkfifo(fifo, 0o600))
	watch, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	must(t, err)
	defer func() { _ = unix.Close(watch) }()
	_, err = unix.InotifyAddWatch(watch, fifo, unix.IN_OPEN)
	must(t, err)
	for _, flag := range []flags{read, both, both | create, nofollow} {
		wantErrno(t, "open", tryOpen(d, "fifo", flag), wasi.EPERM)
	}
	if n, err := unix.Read(watch, make([]byte, 1024)); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("it was opened: %d bytes of events, %v", n, err)
	}
}

// exchange makes two entries change places, at once.
func exchange(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}
