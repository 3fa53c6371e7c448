package live

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
	"golang.org/x/sys/unix"
	"plasm/lib/wasi"
)

// The tests here are not parallel to others: a race needs a core for each side.

// rounds is how often a race is run at least. Looking at a path and then using
// it, the mistake that these tests are for, is caught within a small part of them.
const rounds = 2000

// swapping calls do while two entries of root change places all the while. In
// the end either may be in either place.
func swapping(t *testing.T, root, a, b string, do func() wasi.Errno) {
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
	met := map[wasi.Errno]int{}
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

// TestSwap uses a folder that is being exchanged for a link out of the
// tree. Nothing outside may be seen or changed.
func TestSwap(t *testing.T) {
	for _, link := range []string{"outdir", "absdir"} {
		root := tree(t)
		outside := outsideOf(root)
		for _, name := range []string{"in", "victim"} { // what the guest looks for is there too
			must(t, os.WriteFile(filepath.Join(outside, name), []byte("outside"), 0o600))
		}
		before := snapshot(t, outside)
		d := openDir(t, root, false)
		swapping(t, root, "dir", link, func() wasi.Errno { return useSwapped(t, d) })
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
func useSwapped(t *testing.T, d *mounted) wasi.Errno {
	t.Helper()
	for _, flag := range []flags{both, read | nofollow} {
		if f, errno := d.OpenFile("dir/in", flag); errno == 0 {
			if got := readAll(t, f); got != "in" {
				t.Errorf("read %q", got)
			}
			wantErrno(t, "close", f.Close(), 0)
		}
	}
	_ = tryOpen(d, "dir/new", create|both|nofollow)
	_ = tryOpen(d, "dir/new2", create|both)
	_ = d.Mkdir("dir/made")
	_ = d.Symlink("x", "dir/soft")
	_ = d.Link("file", "dir/hard")
	_ = d.Link("dir/secret", "stolen")
	_ = d.Rename("dir/secret", "stolen")
	_ = d.Rename("dir/new", "dir/newer")
	_ = d.Utimens("dir/victim", at(1, 1))
	for _, name := range []string{"dir/victim", "dir/newer", "dir/new2", "dir/soft", "dir/hard"} {
		_ = d.Unlink(name)
	}
	_ = d.Rmdir("dir/made")
	st, errno := d.Stat("dir/in")
	if errno == 0 && st.Size != uint64(len("in")) {
		t.Errorf("stat: got %+v", st)
	}
	return errno
}

// TestSwapFile is the same with the last element of a path.
func TestSwapFile(t *testing.T) {
	for _, link := range []string{"out", "absout"} {
		d, root := openTree(t, false)
		before := snapshot(t, outsideOf(root))
		swapping(t, root, "file", link, func() wasi.Errno {
			_ = d.Utimens("file", at(1, 1))
			var last wasi.Errno
			for _, flag := range []flags{read, both | nofollow, both | create} {
				f, errno := d.OpenFile("file", flag)
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

// TestSwapFIFO opens a file that is being exchanged for a FIFO to which
// nobody listens: opening must not wait for that.
func TestSwapFIFO(t *testing.T) {
	d, root := openTree(t, false)
	must(t, unix.Mkfifo(filepath.Join(root, "fifo"), 0o600))
	swapping(t, root, "file", "fifo", func() wasi.Errno {
		errno := tryOpen(d, "file", both|nofollow)
		if errno != 0 {
			wantErrno(t, "open", errno, wasi.EPERM)
		}
		_ = tryOpen(d, "file", read)
		_ = tryOpen(d, "file", write)
		return errno
	})
}
