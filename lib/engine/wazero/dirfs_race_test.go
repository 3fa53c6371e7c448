package wazero

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

// The tests here are not parallel to others: a race needs a core for each side.

// rounds is how often a race is run at least. Looking at a path and then using
// it, the mistake that these tests are for, is caught within a small part of them.
const rounds = 2000

// swapping calls do while two entries of root change places all the while. In
// the end either may be in either place.
func swapping(t *testing.T, root, a, b string, do func() sys.Errno) {
	t.Helper()
	a, b = filepath.Join(root, a), filepath.Join(root, b)
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; !stop.Load(); i++ {
			if err := exchange(a, b); err != nil {
				t.Error(err)
				return
			}
			for range i % 256 { // pauses of every length, or renaming would keep all else waiting
				goruntime.Gosched()
			}
		}
	})
	defer wg.Wait()
	defer stop.Store(true)
	met := map[sys.Errno]int{}
	for i := 0; i < rounds || (i < 100*rounds && (met[0] == 0 || len(met) < 2)); i++ {
		met[do()]++
		if t.Failed() {
			return
		}
	}
	if met[0] == 0 || len(met) < 2 {
		t.Errorf("met only one of both: %v", met)
	}
}

// TestDirFSSwap uses a folder that is being exchanged for a link out of the
// tree. Nothing outside may be seen or changed.
func TestDirFSSwap(t *testing.T) {
	for _, link := range []string{"outdir", "absdir"} {
		root := tree(t)
		outside := outsideOf(root)
		for _, name := range []string{"in", "victim"} { // what the guest looks for is there too
			must(t, os.WriteFile(filepath.Join(outside, name), []byte("outside"), 0o600))
		}
		before := snapshot(t, outside)
		d := openDir(t, root, false)
		swapping(t, root, "dir", link, func() sys.Errno { return useSwapped(t, d) })
		if _, err := os.Lstat(filepath.Join(root, "stolen")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("something came in: %v", err)
		}
		if diff := cmp.Diff(before, snapshot(t, outside)); diff != "" {
			t.Errorf("what is outside changed:\n%s", diff)
		}
	}
}

// useSwapped does everything in the folder "dir", and returns whether it could
// look into it.
func useSwapped(t *testing.T, d *dirFS) sys.Errno {
	t.Helper()
	for _, flag := range []sys.Oflag{sys.O_RDWR, sys.O_RDONLY | sys.O_NOFOLLOW} {
		if f, errno := d.OpenFile("dir/in", flag, 0); errno == 0 {
			if got := readAll(t, f); got != "in" {
				t.Errorf("read %q", got)
			}
			wantErrno(t, "close", f.Close(), 0)
		}
	}
	_ = open(d, "dir/new", sys.O_CREAT|sys.O_RDWR|sys.O_NOFOLLOW)
	_ = open(d, "dir/new2", sys.O_CREAT|sys.O_RDWR)
	_ = d.Mkdir("dir/made", 0o700)
	_ = d.Symlink("x", "dir/soft")
	_ = d.Link("file", "dir/hard")
	_ = d.Link("dir/secret", "stolen")
	_ = d.Rename("dir/secret", "stolen")
	_ = d.Rename("dir/new", "dir/newer")
	_ = d.Utimens("dir/victim", 1, 1)
	_ = d.Chmod("dir/victim", 0o777)
	for _, name := range []string{"dir/victim", "dir/newer", "dir/new2", "dir/soft", "dir/hard"} {
		_ = d.Unlink(name)
	}
	_ = d.Rmdir("dir/made")
	st, errno := d.Stat("dir/in")
	if errno == 0 && st.Size != int64(len("in")) {
		t.Errorf("stat: got %+v", st)
	}
	return errno
}

// TestDirFSSwapFile is the same with the last element of a path.
func TestDirFSSwapFile(t *testing.T) {
	for _, link := range []string{"out", "absout"} {
		d, root := openTree(t, false)
		before := snapshot(t, outsideOf(root))
		swapping(t, root, "file", link, func() sys.Errno {
			_ = d.Utimens("file", 1, 1)
			_ = d.Chmod("file", 0o600)
			var last sys.Errno
			for _, flag := range []sys.Oflag{sys.O_RDONLY, sys.O_RDWR | sys.O_NOFOLLOW, sys.O_RDWR | sys.O_CREAT} {
				f, errno := d.OpenFile("file", flag, 0)
				if last = errno; errno != 0 {
					continue
				}
				if got := readAll(t, f); got != "inside" {
					t.Errorf("read %q", got)
				}
				wantErrno(t, "close", f.Close(), 0)
			}
			return last
		})
		if diff := cmp.Diff(before, snapshot(t, outsideOf(root))); diff != "" {
			t.Errorf("what is outside changed:\n%s", diff)
		}
	}
}

// TestDirFSSwapFIFO opens a file that is being exchanged for a FIFO to which
// nobody listens: opening must not wait for that.
func TestDirFSSwapFIFO(t *testing.T) {
	d, root := openTree(t, false)
	must(t, unix.Mkfifo(filepath.Join(root, "fifo"), 0o600))
	swapping(t, root, "file", "fifo", func() sys.Errno {
		errno := open(d, "file", sys.O_RDWR|sys.O_NOFOLLOW)
		if errno != 0 {
			wantErrno(t, "open", errno, sys.EPERM)
		}
		_ = open(d, "file", sys.O_RDONLY)
		_ = open(d, "file", sys.O_WRONLY)
		return errno
	})
}
