package tree_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// written returns the bytes of a list.
func written(tb testing.TB, l *tree.List) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := tree.NewListWriter(&b, len(l.Entries))
	for i := range l.Entries {
		w.Add(&l.Entries[i])
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// listed returns an entry of a file that is described at number i.
func listed(i int, path string, size int64, runs ...tree.Run) tree.ListEntry {
	return tree.ListEntry{Entry: tree.Entry{Path: path, Type: tree.File, Size: size}, Same: i, Runs: runs}
}

// bounds are those of the lists here.
func bounds() *tree.Bounds {
	return &tree.Bounds{Contents: 1000, Scratch: 10 * tree.BlockSize, Disk: 20 * tree.BlockSize}
}

// sampleList has one of every kind.
func sampleList() *tree.List {
	base := listed(2, "based", 2*tree.BlockSize+1, tree.Run{At: 1, From: 4, Count: 2})
	base.BaseOffset, base.BaseLength, base.Executable = 32, 900, true
	other := base
	other.Path, other.Runs, other.BaseOffset, other.BaseLength = "other", nil, 0, 0
	return &tree.List{Entries: []tree.ListEntry{
		{Entry: tree.Entry{Path: "a", Type: tree.Dir}, Same: 0},
		listed(1, "a/b", 5, tree.Run{At: 0, From: 0, Count: 1}),
		base,
		{Entry: tree.Entry{Path: "l", Type: tree.Link, Target: "a/b"}, Same: 3},
		other,
		listed(5, "z", 0),
	}}
}

func TestList(t *testing.T) {
	t.Parallel()
	lists := map[string]*tree.List{"one of every kind": sampleList(), "nothing": {Entries: []tree.ListEntry{}}}
	for name, l := range lists {
		got, err := tree.ReadList(bytes.NewReader(written(t, l)), bounds())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		same := cmp.FilterValues(func(a, b []tree.Run) bool { return len(a)+len(b) == 0 }, cmp.Ignore())
		if diff := cmp.Diff(l, got, same); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestListRefused(t *testing.T) {
	t.Parallel()
	file := func(size int64, runs ...tree.Run) []tree.ListEntry {
		return []tree.ListEntry{listed(0, "f", size, runs...)}
	}
	based := func(offset, length int64) []tree.ListEntry {
		e := listed(0, "f", tree.BlockSize)
		e.BaseOffset, e.BaseLength = offset, length
		return []tree.ListEntry{e}
	}
	dir := func(path string) tree.ListEntry { return tree.ListEntry{Entry: tree.Entry{Path: path, Type: tree.Dir}} }
	same := func(i, of int) tree.ListEntry {
		return tree.ListEntry{Entry: tree.Entry{Path: fmt.Sprint("s", i), Type: tree.File}, Same: of}
	}
	const block = tree.BlockSize
	tests := []struct {
		name    string
		entries []tree.ListEntry
		message string
	}{
		{"a path that leads out", []tree.ListEntry{dir("..")}, "not a path"},
		{"an absolute path", []tree.ListEntry{dir("/a")}, "not a path"},
		{"one path twice", []tree.ListEntry{dir("a"), dir("a")}, "twice"},
		{"unsorted", []tree.ListEntry{dir("b"), dir("a")}, "order"},
		{"no parent", []tree.ListEntry{dir("a/b")}, "parent"},
		{
			"a link that leads out",
			[]tree.ListEntry{{Entry: tree.Entry{Path: "l", Type: tree.Link, Target: "../x"}}},
			"leads out",
		},
		{"a file larger than the disk", file(20*block + 1), "where there are 81920"},
		{
			"files larger than the disk",
			[]tree.ListEntry{listed(0, "a", 10*block+1), listed(1, "b", 10*block)},
			"more than 81920",
		},
		{
			"names of one file larger than the disk",
			[]tree.ListEntry{listed(0, "a", 10*block), same(1, 0), same(2, 0)},
			"more than 81920",
		},
		{"a run of nothing", file(block, tree.Run{}), "a run"},
		{"a run behind the file", file(block, tree.Run{At: 1, Count: 1}), "a run"},
		{"a run that ends behind the file", file(block, tree.Run{Count: 2}), "a run"},
		{
			"descending runs", file(2*block, tree.Run{At: 1, From: 1, Count: 1}, tree.Run{At: 0, From: 0, Count: 1}),
			"a run",
		},
		{"runs over each other", file(3*block, tree.Run{Count: 2}, tree.Run{At: 1, From: 5, Count: 1}), "a run"},
		{"a run that wraps", file(2*block, tree.Run{At: 1, From: 0xffffffff, Count: 1}), "blocks up to"},
		{"a run behind the scratch file", file(2*block, tree.Run{From: 9, Count: 2}), "blocks up to 11"},
		{
			"a block in two runs", file(3*block, tree.Run{Count: 2}, tree.Run{At: 2, From: 1, Count: 1}),
			"block 1 of the scratch file twice",
		},
		{
			"a block in two files",
			[]tree.ListEntry{
				listed(0, "a", block, tree.Run{From: 3, Count: 1}), listed(1, "b", block, tree.Run{From: 3, Count: 1}),
			},
			"block 3 of the scratch file twice",
		},
		{"a content behind the pack", based(1001, 0), "a pack of 1001"},
		{"a content that ends behind the pack", based(999, 2), "a content of 2"},
		{"a content longer than its file", []tree.ListEntry{func() tree.ListEntry {
			e := listed(0, "f", 3)
			e.BaseLength = 4
			return e
		}()}, "a content of 4"},
		{"another name of nothing", []tree.ListEntry{same(0, 7)}, "another name of entry 7"},
		{"another name of a folder", []tree.ListEntry{dir("a"), same(1, 0)}, "another name of entry 0"},
		{
			"another name of another name",
			[]tree.ListEntry{listed(0, "a", 1), same(1, 0), same(2, 1)},
			"another name of entry 1",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := tree.ReadList(bytes.NewReader(written(t, &tree.List{Entries: test.entries})), bounds())
			if !errors.Is(err, tree.ErrList) || got != nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("%v, %v, want %s", got, err, test.message)
			}
		})
	}
	data := written(t, sampleList())
	for n := range data {
		if _, err := tree.ReadList(bytes.NewReader(data[:n]), bounds()); !errors.Is(err, tree.ErrList) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	for name, data := range map[string][]byte{
		"too many entries": binary.LittleEndian.AppendUint32(nil, tree.MaxEntries+1),
		"an unknown kind":  {1, 0, 0, 0, 9, 1, 0, 'a'},
		"a long path":      {1, 0, 0, 0, 1, 1, 0x10, 'a'},
	} {
		if _, err := tree.ReadList(bytes.NewReader(data), bounds()); !errors.Is(err, tree.ErrList) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestListsShareBounds: what two folders of a job have together counts.
func TestListsShareBounds(t *testing.T) {
	t.Parallel()
	one := &tree.List{Entries: []tree.ListEntry{listed(0, "f", tree.BlockSize, tree.Run{From: 3, Count: 1})}}
	b := bounds()
	if _, err := tree.ReadList(bytes.NewReader(written(t, one)), b); err != nil {
		t.Fatal(err)
	}
	if _, err := tree.ReadList(bytes.NewReader(written(t, one)), b); !errors.Is(err, tree.ErrList) {
		t.Errorf("a block in two folders: %v", err)
	}
}

// TestReadListAllocates reads as much as can be in a list.
func TestReadListAllocates(t *testing.T) { // not parallel: it counts what is allocated
	l := &tree.List{}
	path := "d"
	for len(path) < 500 {
		l.Entries = append(l.Entries, tree.ListEntry{Entry: tree.Entry{Path: path, Type: tree.Dir}})
		path += "/" + strings.Repeat("d", 200)
	}
	dir := l.Entries[len(l.Entries)-1].Path
	for i := len(l.Entries); i < tree.MaxEntries; i++ {
		e := listed(i, fmt.Sprintf("%s/%s%06d", dir, strings.Repeat("f", 100), i), 6*tree.BlockSize)
		for k := range uint32(5) {
			e.Runs = append(e.Runs, tree.Run{At: k, From: uint32(i)*5 + k, Count: 1})
		}
		l.Entries = append(l.Entries, e)
	}
	data := written(t, l)
	const disk = 1 << 40
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := tree.ReadList(bytes.NewReader(data), &tree.Bounds{Scratch: disk, Disk: disk})
	runtime.ReadMemStats(&after)
	if err != nil || len(got.Entries) != tree.MaxEntries {
		t.Fatalf("%d bytes: %v", len(data), err)
	}
	if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 128 {
		t.Errorf("a list of %d MiB takes %d MiB", len(data)>>20, n)
	} else {
		t.Logf("a list of %d MiB takes %d MiB", len(data)>>20, n)
	}
}

// TestOutput digests what a list says, and reads it.
func TestOutput(t *testing.T) {
	t.Parallel()
	packFile, _, size := packed(t, folder(t, map[string]string{"base": strings.Repeat("b", 6000)}))
	pack, err := tree.OpenPack(packFile, size)
	if err != nil {
		t.Fatal(err)
	}
	offset, length, _ := pack.Find(job.Sum([]byte(strings.Repeat("b", 6000))))
	scratch := bytes.NewReader([]byte(strings.Repeat("0", 4096) + strings.Repeat("1", 4096) + strings.Repeat("2",
		4096)))
	based := func(i int, path string, size, length int64, runs ...tree.Run) tree.ListEntry {
		e := listed(i, path, size, runs...)
		e.BaseOffset, e.BaseLength = offset, length
		return e
	}
	again := listed(0, "again", 6000)
	l := &tree.List{Entries: []tree.ListEntry{
		based(0, "a", 6000, length),
		again, // another name of it
		based(2, "cut", 10, 10),
		based(3, "grown", 7000, length),
		listed(4, "hole", 10000, tree.Run{At: 1, From: 2, Count: 1}),
		based(5, "mixed", 8192, length, tree.Run{At: 1, From: 0, Count: 1}),
		listed(6, "runs", 8000, tree.Run{At: 0, From: 1, Count: 1}, tree.Run{At: 1, From: 0, Count: 1}),
	}}
	want := map[string]string{
		"a": strings.Repeat("b", 6000), "again": strings.Repeat("b", 6000), "cut": strings.Repeat("b", 10),
		"grown": strings.Repeat("b", 6000) + strings.Repeat("\x00", 1000),
		"hole":  strings.Repeat("\x00", 4096) + strings.Repeat("2", 4096) + strings.Repeat("\x00", 10000-8192),
		"mixed": strings.Repeat("b", 4096) + strings.Repeat("0", 4096),
		"runs":  strings.Repeat("1", 4096) + strings.Repeat("0", 8000-4096),
	}
	o, err := l.Digest(t.Context(), scratch, pack)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Tree.Validate(); err != nil {
		t.Error(err)
	}
	for _, e := range o.Tree.Entries {
		if e.Digest != job.Sum([]byte(want[e.Path])) || e.Size != int64(len(want[e.Path])) {
			t.Errorf("%s: %s of %d bytes", e.Path, e.Digest, e.Size)
		}
		r, err := o.Contents(e.Digest)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil || string(data) != want[e.Path] {
			t.Errorf("%s: %d bytes, %v", e.Path, len(data), err)
		}
	}
	if _, err := o.Contents(job.Sum([]byte("x"))); err == nil {
		t.Error("a content that no file has")
	}
	if _, err := l.Digest(t.Context(), bytes.NewReader(nil), pack); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a scratch file that is too short: %v", err)
	}
}

// FuzzReadList: what is read is in its bounds, is a tree once it has digests, and is written
// again as it came.
func FuzzReadList(f *testing.F) {
	f.Add(written(f, sampleList()))
	f.Add(written(f, &tree.List{}))
	f.Add([]byte{1, 0, 0, 0, 5, 1, 0, 'a', 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		b := bounds()
		l, err := tree.ReadList(bytes.NewReader(data), b)
		if err != nil {
			if !errors.Is(err, tree.ErrList) {
				t.Error(err)
			}
			return
		}
		if again := written(t, l); !bytes.HasPrefix(data, again) {
			t.Errorf("%x is written as %x", data, again)
		}
		scratch, contents := make([]byte, b.Scratch), tree.Discard
		o, err := l.Digest(t.Context(), bytes.NewReader(scratch), nil)
		if err != nil { // it wants the pack
			return
		}
		if err := o.Tree.Validate(); err != nil {
			t.Error(err)
		}
		for _, e := range o.Tree.Entries {
			if e.Type != tree.File {
				continue
			}
			r, err := o.Contents(e.Digest)
			if err != nil {
				t.Fatal(err)
			}
			if d, n, err := contents.Put(r); err != nil || d != e.Digest || n != e.Size {
				t.Errorf("%s is %s of %d bytes, %v", e.Path, d, n, err)
			}
		}
	})
}
