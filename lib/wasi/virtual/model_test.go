package virtual_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/tree"
	"plasm/lib/wasi"
	"plasm/lib/wasi/virtual"
	"plasm/test/filesystem"
)

const mib = 1 << 20

// system returns folders with a scratch file of their own.
func system(tb testing.TB, disk int64, folders ...virtual.Folder) (*virtual.System, *os.File) {
	tb.Helper()
	return systemWith(tb, virtual.Config{Disk: disk, Folders: folders})
}

// systemWith fills in what c doesn't have.
func systemWith(tb testing.TB, c virtual.Config) (*virtual.System, *os.File) {
	tb.Helper()
	scratch, err := os.Create(filepath.Join(tb.TempDir(), "scratch"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = scratch.Close() })
	if c.Scratch == nil {
		c.Scratch = scratch
	}
	if c.Now == nil {
		clock := wasi.NewClock(false)
		c.Now = clock.Realtime
	}
	if c.Failed == nil {
		c.Failed = func(err error) { tb.Errorf("the host failed: %v", err) }
	}
	s, err := virtual.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return s, scratch
}

// empty is a folder that begins empty.
func empty(guest string) virtual.Folder { return virtual.Folder{Guest: guest, Tree: &tree.Tree{}} }

// output reads what is in the folders that could be written, as a supervisor does.
func output(tb testing.TB, s *virtual.System, scratch *os.File, pack *tree.Pack, disk int64) []*tree.Output {
	tb.Helper()
	var lists bytes.Buffer
	if err := s.WriteLists(&lists); err != nil {
		tb.Fatal(err)
	}
	info, err := scratch.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	if info.Size() > disk {
		tb.Errorf("the scratch file has %d bytes, more than %d", info.Size(), disk)
	}
	bounds := &tree.Bounds{Scratch: info.Size(), Disk: disk}
	if pack != nil {
		bounds.Contents = pack.Contents()
	}
	var all []*tree.Output
	r := bytes.NewReader(lists.Bytes())
	for r.Len() > 0 {
		// ReadList reads ahead; here each list is by itself.
		l, n := readList(tb, lists.Bytes()[lists.Len()-r.Len():], bounds)
		if _, err := r.Seek(int64(n), io.SeekCurrent); err != nil {
			tb.Fatal(err)
		}
		o, err := l.Digest(tb.Context(), scratch, pack)
		if err != nil {
			tb.Fatal(err)
		}
		if err := o.Tree.Validate(); err != nil {
			tb.Error(err)
		}
		all = append(all, o)
	}
	return all
}

// readList reads the list that data begins with, and returns its length.
func readList(tb testing.TB, data []byte, bounds *tree.Bounds) (*tree.List, int) {
	tb.Helper()
	l, err := tree.ReadList(bytes.NewReader(data), bounds)
	if err != nil {
		tb.Fatal(err)
	}
	var again bytes.Buffer
	w := tree.NewListWriter(&again, len(l.Entries))
	for i := range l.Entries {
		w.Add(&l.Entries[i])
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return l, again.Len()
}

// seen is an output in the form of filesystem.Model.
func seen(tb testing.TB, o *tree.Output) map[string]string {
	tb.Helper()
	all := map[string]string{}
	for _, e := range o.Tree.Entries {
		switch e.Type {
		case tree.Dir:
			all[e.Path] = "/"
		case tree.Link:
			all[e.Path] = "-> " + e.Target
		case tree.File:
			r, err := o.Contents(e.Digest)
			if err != nil {
				tb.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err != nil {
				tb.Fatal(err)
			}
			all[e.Path] = string(data)
		}
	}
	return all
}

// TestModel: what the supervisor gets is what the model has.
func TestModel(t *testing.T) {
	t.Parallel()
	const disk = 64 * mib
	for seed := range uint64(30) {
		s, scratch := system(t, disk, empty("/out"))
		want := filesystem.Model(t, s.Preopens()[0].Dir, seed, 2000)
		o := output(t, s, scratch, nil, disk)
		if diff := cmp.Diff(want, seen(t, o[0])); diff != "" {
			t.Fatalf("seed %d: the list (-want +got):\n%s", seed, diff)
		}
	}
}
