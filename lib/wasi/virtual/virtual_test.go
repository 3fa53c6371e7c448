package virtual_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
	"plasm/lib/tree"
	"plasm/lib/wasi"
	"plasm/lib/wasi/virtual"
)

const block = tree.BlockSize

// want fails the test when errno is another.
func want(tb testing.TB, errno, wanted wasi.Errno) {
	tb.Helper()
	if errno != wanted {
		tb.Errorf("%v, want %v", errno, wanted)
	}
}

// open opens a file of a folder, by a path.
func open(tb testing.TB, d wasi.Dir, path string, o wasi.OpenOptions) wasi.File {
	tb.Helper()
	n, errno := wasi.Open(d, path, true, o)
	f, ok := n.(wasi.File)
	if errno != wasi.Success || !ok {
		tb.Fatalf("%s: %v", path, errno)
	}
	return f
}

var readWrite = wasi.OpenOptions{Read: true, Write: true, Create: true}

func content(tb testing.TB, d wasi.Dir, path string) string {
	tb.Helper()
	f := open(tb, d, path, wasi.OpenOptions{Read: true})
	st, _ := f.Stat()
	p := make([]byte, st.Size)
	n, errno := f.ReadAt(p, 0)
	want(tb, errno, wasi.Success)
	want(tb, f.Close(), wasi.Success)
	return string(p[:n])
}

// write writes a whole file.
func write(tb testing.TB, d wasi.Dir, path, data string) {
	tb.Helper()
	f := open(tb, d, path, readWrite)
	n, errno := f.WriteAt([]byte(data), 0)
	want(tb, errno, wasi.Success)
	if n != len(data) {
		tb.Errorf("%d bytes of %d", n, len(data))
	}
	want(tb, f.Close(), wasi.Success)
}

// packed is a tree with contents.
type packed struct {
	tree *tree.Tree
	pack *tree.Pack
	file *memory
}

// memory is a file in memory.
type memory struct{ data []byte }

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if need := int(off) + len(p); need > len(m.data) {
		m.data = append(m.data, make([]byte, need-len(m.data))...)
	}
	return copy(m.data[off:], p), nil
}

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m.data).ReadAt(p, off)
}

// pack packs files, by path; a path that ends with a slash is a folder, "-> " makes a link.
// Paths are in their order.
func pack(tb testing.TB, files [][2]string) packed {
	tb.Helper()
	m := &memory{}
	p := tree.NewPacker(m)
	t := &tree.Tree{}
	for _, f := range files {
		e := tree.Entry{Path: strings.TrimSuffix(f[0], "/"), Type: tree.Dir}
		target, link := strings.CutPrefix(f[1], "-> ")
		switch {
		case link:
			e.Type, e.Target = tree.Link, target
		case e.Path == f[0]:
			var err error
			e.Type, e.Executable = tree.File, strings.HasPrefix(f[1], "#!")
			if e.Digest, e.Size, err = p.Put(strings.NewReader(f[1])); err != nil {
				tb.Fatal(err)
			}
		}
		t.Entries = append(t.Entries, e)
	}
	size, err := p.Finish(t)
	if err != nil {
		tb.Fatal(err)
	}
	opened, err := tree.OpenPack(m, size)
	if err != nil {
		tb.Fatal(err)
	}
	return packed{t, opened, m}
}

func (p packed) config(disk int64, folders ...virtual.Folder) virtual.Config {
	return virtual.Config{Disk: disk, Folders: folders, Pack: p.file, Find: func(e *tree.Entry) (int64, bool) {
		offset, _, ok := p.pack.Find(e.Digest)
		return offset, ok
	}}
}

func sample(tb testing.TB) packed {
	tb.Helper()
	return pack(tb, [][2]string{
		{"a/", ""},
		{"a/big", strings.Repeat("0123456789", 1000)},
		{"a/l", "-> ../run"},
		{"empty", ""},
		{"run", "#!run"},
	})
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s, _ := systemWith(t, p.config(0, virtual.Folder{Guest: "/in", ReadOnly: true, Tree: p.tree}))
	d := s.Preopens()[0].Dir
	if got := content(t, d, "a/l"); got != "#!run" {
		t.Errorf("through a link: %q", got)
	}
	if got := content(t, d, "a/big"); got != strings.Repeat("0123456789", 1000) {
		t.Errorf("%d bytes", len(got))
	}
	if got := content(t, d, "empty"); got != "" {
		t.Errorf("%q", got)
	}
	for name, errno := range map[string]wasi.Errno{
		"mkdir": wasi.MkdirPath(d, "x"), "unlink": wasi.UnlinkPath(d, "run"), "rmdir": wasi.RmdirPath(d, "a"),
		"rename": wasi.RenamePath(d, "run", d, "x"), "link": wasi.LinkPath(d, "run", d, "x"),
		"symlink": wasi.SymlinkPath("run", d, "x"),
		"times":   wasi.SetTimesPath(d, "run", true, wasi.Times{Mtime: wasi.SetTime{Set: true}}),
		"create":  func() wasi.Errno { _, errno := d.Open("x", readWrite); return errno }(),
		"write":   func() wasi.Errno { _, errno := d.Open("run", wasi.OpenOptions{Write: true}); return errno }(),
	} {
		if errno != wasi.EROFS {
			t.Errorf("%s: %v", name, errno)
		}
	}
	if n := len(lists(t, s)); n != 0 {
		t.Errorf("%d bytes of lists", n)
	}
}

func lists(t *testing.T, s *virtual.System) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.WriteLists(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestCopyOnWrite changes what came in every way, and leaves the pack alone.
func TestCopyOnWrite(t *testing.T) {
	t.Parallel()
	const disk = 4 * mib
	was := strings.Repeat("0123456789", 1000)
	tests := []struct {
		name   string
		change func(f wasi.File) wasi.Errno
		want   string
	}{
		{"nothing", func(wasi.File) wasi.Errno { return wasi.Success }, was},
		{"a byte", put("x", 5000), was[:5000] + "x" + was[5001:]},
		{"over a border", put("xyz", 4095), was[:4095] + "xyz" + was[4098:]},
		{"a block", put(strings.Repeat("x", block), block), was[:block] + strings.Repeat("x", block) + was[2*block:]},
		{"more", func(f wasi.File) wasi.Errno {
			n, _, errno := f.Append([]byte("more"))
			return wrote(n, errno)
		}, was + "more"},
		{"behind its end", put("x", 20000), was + zeros(10000) + "x"},
		{"less", cut(100), was[:100]},
		{"less and more", cut(5000, 9000), was[:5000] + zeros(4000)},
		{"a byte, less and more", func(f wasi.File) wasi.Errno {
			return max(put("x", 4200)(f), cut(4300, 9000)(f))
		}, was[:4200] + "x" + was[4201:4300] + zeros(4700)},
		{"nothing left", cut(0), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			before := bytes.Clone(p.file.data)
			s, scratch := systemWith(t, p.config(disk, virtual.Folder{Guest: "/out", Tree: p.tree}))
			d := s.Preopens()[0].Dir
			f := open(t, d, "a/big", wasi.OpenOptions{Read: true, Write: true})
			want(t, test.change(f), wasi.Success)
			want(t, f.Close(), wasi.Success)
			if got := content(t, d, "a/big"); got != test.want {
				t.Errorf("the program reads %d bytes, want %d, or others", len(got), len(test.want))
			}
			got := seen(t, output(t, s, scratch, p.pack, disk)[0])
			all := map[string]string{"a": "/", "a/big": test.want, "a/l": "-> ../run", "empty": "", "run": "#!run"}
			if diff := cmp.Diff(all, got); diff != "" {
				t.Errorf("the list (-want +got):\n%.2000s", diff)
			}
			if !bytes.Equal(before, p.file.data) {
				t.Error("the pack has changed")
			}
			if err := s.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

func wrote(_ int, errno wasi.Errno) wasi.Errno { return errno }

func zeros(n int) string { return strings.Repeat("\x00", n) }

// put writes at an offset.
func put(data string, off int64) func(wasi.File) wasi.Errno {
	return func(f wasi.File) wasi.Errno { return wrote(f.WriteAt([]byte(data), off)) }
}

// cut sets one size after the other.
func cut(sizes ...int64) func(wasi.File) wasi.Errno {
	return func(f wasi.File) (errno wasi.Errno) {
		for _, size := range sizes {
			errno = max(errno, f.SetSize(size))
		}
		return errno
	}
}

// TestUnchangedIsKnown: what a program doesn't change needs no reading: an empty scratch file
// is enough, and the tree is the one that came.
func TestUnchangedIsKnown(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s, scratch := systemWith(t, p.config(mib, virtual.Folder{Guest: "/out", Tree: p.tree}))
	d := s.Preopens()[0].Dir
	want(t, wasi.RenamePath(d, "a", d, "b"), wasi.Success)
	want(t, wasi.RenamePath(d, "b", d, "a"), wasi.Success)
	if o := output(t, s, scratch, p.pack, mib)[0]; o.Tree.Digest() != p.tree.Digest() {
		t.Error("another tree")
	}
}

func TestDisk(t *testing.T) {
	t.Parallel()
	const disk = mib // 256 blocks
	s, scratch := system(t, disk, empty("/out"), empty("/more"))
	d, more := s.Preopens()[0].Dir, s.Preopens()[1].Dir
	write(t, d, "half", strings.Repeat("x", disk/2))
	write(t, more, "quarter", strings.Repeat("x", disk/4-1)) // its last block counts whole
	f := open(t, d, "f", readWrite)
	n, errno := f.WriteAt(make([]byte, disk), 0)
	want(t, errno, wasi.ENOSPC)
	if n != disk/4 {
		t.Errorf("%d bytes were written where there was room for %d", n, disk/4)
	}
	if n, errno := f.WriteAt([]byte("x"), disk/4); n != 0 || errno != wasi.ENOSPC {
		t.Errorf("%d, %v", n, errno)
	}
	want(t, f.SetSize(disk/4+1), wasi.ENOSPC)
	want(t, f.SetSize(1<<60), wasi.ENOSPC)
	if n, errno := f.WriteAt([]byte("x"), 1<<60); n != 0 || errno != wasi.ENOSPC {
		t.Errorf("far away: %d, %v", n, errno)
	}
	want(t, wasi.LinkPath(d, "half", d, "half2"), wasi.ENOSPC) // each name counts
	want(t, wasi.LinkPath(d, "f", more, "f2"), wasi.EXDEV)
	if n, errno := f.WriteAt([]byte("y"), 0); n != 1 || errno != wasi.Success {
		t.Errorf("over what is there: %d, %v", n, errno)
	}
	// Files without a name count while they are open.
	half := open(t, d, "half", wasi.OpenOptions{Read: true, Write: true})
	want(t, wasi.UnlinkPath(d, "half"), wasi.Success)
	want(t, f.SetSize(disk/4+1), wasi.ENOSPC)
	want(t, half.Close(), wasi.Success)
	want(t, f.SetSize(disk/4*3), wasi.Success) // holes count, too
	want(t, wrote(f.WriteAt([]byte("x"), disk/4*3)), wasi.ENOSPC)
	want(t, f.SetSize(1), wasi.Success)
	want(t, wasi.LinkPath(d, "f", d, "g"), wasi.Success)
	want(t, f.SetSize(disk/2), wasi.ENOSPC) // twice
	want(t, f.SetSize(disk/4), wasi.Success)
	if err := s.Check(f); err != nil {
		t.Error(err)
	}
	want(t, f.Close(), wasi.Success)
	output(t, s, scratch, nil, disk)
}

func TestDiskIsTooSmall(t *testing.T) {
	t.Parallel()
	p := sample(t)
	c := p.config(0, virtual.Folder{Guest: "/out", Tree: p.tree})
	c.Scratch = &memory{}
	if _, err := virtual.New(c); err == nil || !strings.Contains(err.Error(), "16384 bytes, more than the disk of 0") {
		t.Errorf("%v", err)
	}
	c.Folders[0].ReadOnly = true
	if _, err := virtual.New(c); err != nil {
		t.Errorf("read-only: %v", err)
	}
	c = p.config(mib, virtual.Folder{Guest: "/out", Tree: p.tree})
	if _, err := virtual.New(c); err == nil {
		t.Error("a folder to write, and nowhere to write to")
	}
}

// TestSmallDisk does random things where there is never enough room, and counts.
func TestSmallDisk(t *testing.T) {
	t.Parallel()
	const disk = mib / 4
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := sample(t)
		s, scratch := systemWith(t, p.config(disk, virtual.Folder{Guest: "/out", Tree: p.tree}))
		d := s.Preopens()[0].Dir
		var files []wasi.Node
		for step := range 3000 {
			name := string(rune('a' + r.IntN(6)))
			switch r.IntN(8) {
			case 0, 1:
				if n, errno := wasi.Open(d, name, false, readWrite); errno == wasi.Success {
					files = append(files, n)
				}
			case 2:
				_ = wasi.UnlinkPath(d, name)
			case 3:
				_ = wasi.LinkPath(d, name, d, string(rune('a'+r.IntN(6))))
			case 4:
				_ = wasi.RenamePath(d, name, d, string(rune('a'+r.IntN(6))))
			case 5:
				if len(files) > 4 || len(files) > 0 && r.IntN(4) == 0 {
					want(t, files[0].Close(), wasi.Success)
					files = files[1:]
				}
			default:
				if len(files) > 0 {
					change(r, files[r.IntN(len(files))])
				}
			}
			if err := s.Check(files...); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
		}
		for _, f := range files {
			want(t, f.Close(), wasi.Success)
		}
		if err := s.Check(); err != nil {
			t.Fatalf("seed %d, at the end: %v", seed, err)
		}
		output(t, s, scratch, p.pack, disk)
	}
}

func change(r *rand.Rand, n wasi.Node) {
	f, ok := n.(wasi.File)
	if !ok {
		return
	}
	switch r.IntN(3) {
	case 0:
		_ = f.SetSize(r.Int64N(100_000))
	case 1:
		_, _, _ = f.Append(make([]byte, r.IntN(20_000)))
	default:
		_, _ = f.WriteAt(make([]byte, r.IntN(20_000)), r.Int64N(100_000))
	}
}

// TestFilesInTurns: files that are written by turns stay in few pieces.
func TestFilesInTurns(t *testing.T) {
	t.Parallel()
	s, scratch := system(t, 64*mib, empty("/out"))
	d := s.Preopens()[0].Dir
	files := make([]wasi.File, 4)
	for i := range files {
		files[i] = open(t, d, fmt.Sprint(i), readWrite)
	}
	for range 1024 {
		for _, f := range files {
			_, _, errno := f.Append(make([]byte, block))
			want(t, errno, wasi.Success)
		}
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	l, _ := readList(t, lists(t, s), &tree.Bounds{Scratch: size(t, scratch), Disk: 64 * mib})
	for _, e := range l.Entries {
		if len(e.Runs) > 1024/64 {
			t.Errorf("%s is in %d pieces", e.Path, len(e.Runs))
		}
	}
}

func size(t *testing.T, f *os.File) int64 {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestTooManyRuns(t *testing.T) {
	t.Parallel()
	s, _ := system(t, 64*mib, empty("/out"))
	f := open(t, s.Preopens()[0].Dir, "f", readWrite)
	s.SetRuns(tree.MaxRuns - 1)
	want(t, wrote(f.WriteAt([]byte("x"), 10*block)), wasi.Success)
	want(t, wrote(f.WriteAt([]byte("x"), 0)), wasi.ENOSPC)
	want(t, wrote(f.WriteAt([]byte("x"), 10*block+1)), wasi.Success)
	if st, _ := f.Stat(); st.Size != 10*block+2 {
		t.Errorf("%d bytes", st.Size)
	}
	n, errno := f.WriteAt(make([]byte, 3*block), 9*block)
	if n != 0 || errno != wasi.ENOSPC {
		t.Errorf("%d, %v", n, errno)
	}
	s.SetRuns(1 - tree.MaxRuns)
	if err := s.Check(f); err != nil {
		t.Error(err)
	}
}

func TestWhatATreeCannotHold(t *testing.T) {
	t.Parallel()
	s, _ := system(t, mib, empty("/out"))
	d := s.Preopens()[0].Dir
	want(t, d.Mkdir("\xff"), wasi.EILSEQ)
	want(t, wasi.SymlinkPath("\xff", d, "l"), wasi.EILSEQ)
	want(t, wasi.SymlinkPath("../x", d, "l"), wasi.EPERM)
	want(t, wasi.SymlinkPath("a/../x", d, "l"), wasi.EPERM)
	want(t, d.Mkdir("a"), wasi.Success)
	want(t, d.Mkdir("b"), wasi.Success)
	want(t, wasi.SymlinkPath("../x", d, "a/l"), wasi.Success)
	want(t, wasi.SymlinkPath("../../x", d, "a/m"), wasi.EPERM)
	want(t, wasi.RenamePath(d, "a/l", d, "l"), wasi.EPERM) // it would lead out
	want(t, wasi.LinkPath(d, "a/l", d, "l"), wasi.EPERM)
	want(t, wasi.MkdirPath(d, "a/sub"), wasi.Success)
	want(t, wasi.SymlinkPath("../../x", d, "a/sub/l"), wasi.Success)
	want(t, wasi.RenamePath(d, "a/sub", d, "sub"), wasi.EPERM) // what is in it would
	want(t, wasi.RenamePath(d, "a/sub", d, "b/sub"), wasi.Success)
	if _, errno := d.Open("\xff", readWrite); errno != wasi.EILSEQ {
		t.Errorf("%v", errno)
	}
	// As deep as a path goes, and one more.
	part := strings.Repeat("d", 250)
	at, depth := d, 0
	for ; (depth+1)*251-1 <= tree.MaxPath; depth++ {
		at = folder(t, at, part)
	}
	want(t, at.Mkdir(part), wasi.ENAMETOOLONG)
	want(t, at.Mkdir(strings.Repeat("x", tree.MaxPath-depth*251)), wasi.Success) // not a byte more
	f := folder(t, d, "f")
	want(t, d.Rename(part, f, part), wasi.ENAMETOOLONG) // what is in it would be too far down
	want(t, d.Rename(part, f, strings.Repeat("e", 249)), wasi.ENAMETOOLONG)
	want(t, d.Rename(part, f, strings.Repeat("e", 248)), wasi.Success)
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

// folder makes a folder, and opens it.
func folder(tb testing.TB, d wasi.Dir, name string) wasi.Dir {
	tb.Helper()
	want(tb, d.Mkdir(name), wasi.Success)
	n, errno := d.Open(name, wasi.OpenOptions{Directory: true})
	sub, ok := n.(wasi.Dir)
	if errno != wasi.Success || !ok {
		tb.Fatal(errno)
	}
	return sub
}

func TestTooManyEntries(t *testing.T) {
	t.Parallel()
	s, scratch := system(t, mib, empty("/out"))
	d := s.Preopens()[0].Dir
	for i := range tree.MaxEntries {
		want(t, d.Mkdir(fmt.Sprint(i)), wasi.Success)
	}
	want(t, d.Mkdir("more"), wasi.ENOSPC)
	want(t, d.Rename("1", d, "more"), wasi.Success)
	want(t, d.Rmdir("more"), wasi.Success)
	want(t, d.Mkdir("more"), wasi.Success)
	if o := output(t, s, scratch, nil, mib)[0]; len(o.Tree.Entries) != tree.MaxEntries {
		t.Errorf("%d entries", len(o.Tree.Entries))
	}
}

func TestTooLargeADocument(t *testing.T) {
	t.Parallel()
	s, scratch := system(t, mib, empty("/out"))
	d := s.Preopens()[0].Dir
	part := strings.Repeat("\x01", 250)
	at := d
	for i := 0; (i+2)*251 < tree.MaxPath; i++ {
		at = folder(t, at, part)
	}
	made := 0
	for ; made < 10_000; made++ {
		if errno := at.Mkdir(fmt.Sprint(made)); errno != wasi.Success {
			want(t, errno, wasi.ENOSPC)
			break
		}
	}
	if made == 10_000 {
		t.Error("there is no end")
	}
	want(t, d.Mkdir("x"), wasi.Success) // a little goes
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	if n := len(output(t, s, scratch, nil, mib)[0].Tree.Encode()); n > tree.MaxDocument || n < tree.MaxDocument-30_000 {
		t.Errorf("a document of %d bytes", n)
	}
}

// TestMounts has folders within one another.
func TestMounts(t *testing.T) {
	t.Parallel()
	p := sample(t)
	s, scratch := systemWith(t, p.config(mib,
		virtual.Folder{Guest: "/", ReadOnly: true, Tree: p.tree},
		virtual.Folder{Guest: "/a/out", Tree: &tree.Tree{}},
		virtual.Folder{Guest: "/a/out/deep/er/in", ReadOnly: true, Tree: p.tree},
		virtual.Folder{Guest: "/a/out/deep/er/out", Tree: &tree.Tree{}},
	))
	top, out := s.Preopens()[0].Dir, s.Preopens()[1].Dir
	st, errno := wasi.StatPath(top, "a/out", false)
	if inner, _ := out.Stat(); errno != wasi.Success || st != inner || st.Type != wasi.TypeDirectory {
		t.Errorf("%+v, %v", st, errno)
	}
	if got := content(t, top, "a/out/deep/er/in/a/big"); len(got) != 10000 {
		t.Errorf("%d bytes", len(got))
	}
	write(t, top, "a/out/deep/er/out/f", "f")
	write(t, top, "a/out/g", "g")
	n, errno := wasi.Open(top, "a", false, wasi.OpenOptions{})
	a, ok := n.(wasi.Dir)
	if errno != wasi.Success || !ok {
		t.Fatal(errno)
	}
	entries, _ := a.List()
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	if diff := cmp.Diff([]string{"big", "l", "out"}, names); diff != "" {
		t.Errorf("names in the outer folder (-want +got):\n%s", diff)
	}
	want(t, wasi.RmdirPath(out, "deep"), wasi.EBUSY)
	want(t, wasi.RmdirPath(out, "deep/er/in"), wasi.EBUSY)
	want(t, wasi.RenamePath(out, "deep/er/in", out, "x"), wasi.EBUSY)
	want(t, wasi.RenamePath(out, "deep", out, "x"), wasi.EBUSY)
	want(t, wasi.MkdirPath(out, "x"), wasi.Success)
	want(t, wasi.RenamePath(out, "x", out, "deep"), wasi.EBUSY)
	want(t, wasi.RenamePath(out, "g", out, "deep/er/out/g"), wasi.EXDEV)
	want(t, wasi.LinkPath(out, "g", out, "deep/er/out/g"), wasi.EXDEV)
	want(t, wasi.MkdirPath(out, "deep/er/in/y"), wasi.EROFS)
	want(t, wasi.MkdirPath(out, "deep"), wasi.EEXIST)
	if _, errno := wasi.Open(top, "a/out/new", false, readWrite); errno != wasi.Success {
		t.Errorf("in the inner folder, by the outer's path: %v", errno)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	o := output(t, s, scratch, p.pack, mib)
	if diff := cmp.Diff(map[string]string{"g": "g", "new": "", "x": "/"}, seen(t, o[0])); diff != "" {
		t.Errorf("the outer folder (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"f": "f"}, seen(t, o[1])); diff != "" {
		t.Errorf("the inner folder (-want +got):\n%s", diff)
	}
	// What leads to a mount is the tree's as soon as something is in it.
	write(t, out, "deep/file", "here")
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	o = output(t, s, scratch, p.pack, mib)
	all := map[string]string{"g": "g", "new": "", "x": "/", "deep": "/", "deep/file": "here"}
	if diff := cmp.Diff(all, seen(t, o[0])); diff != "" {
		t.Errorf("the outer folder, then (-want +got):\n%s", diff)
	}
}

func TestMountsRefused(t *testing.T) {
	t.Parallel()
	p := sample(t)
	for _, guest := range []string{"/in/a", "/in/run", "/in/run/x", "/in/a/l/x"} {
		_, err := virtual.New(p.config(mib, virtual.Folder{Guest: "/in", ReadOnly: true, Tree: p.tree},
			virtual.Folder{Guest: guest, ReadOnly: true, Tree: &tree.Tree{}}))
		if err == nil {
			t.Errorf("%s is mounted over what is there", guest)
		}
	}
}

// TestSameEverywhere has what a program can learn of files.
func TestSameEverywhere(t *testing.T) {
	t.Parallel()
	p := sample(t)
	clock := int64(5000)
	c := p.config(mib,
		virtual.Folder{Guest: "/x", ReadOnly: true, Tree: &tree.Tree{}}, virtual.Folder{Guest: "/out", Tree: p.tree})
	c.Now = func() int64 { clock++; return clock }
	s, _ := systemWith(t, c)
	d := s.Preopens()[1].Dir
	write(t, d, "a/new", "new")
	write(t, d, "run", "!")
	_ = content(t, d, "a/big")
	got := map[string]wasi.Stat{}
	for _, path := range []string{".", "a", "a/big", "a/l", "a/new", "empty", "run"} {
		st, errno := wasi.StatPath(d, path, false)
		want(t, errno, wasi.Success)
		got[path] = st
	}
	const e = wasi.Epoch
	all := map[string]wasi.Stat{
		".":     {Device: 2, Inode: 1, Type: wasi.TypeDirectory, Links: 1, Atime: e, Mtime: e, Ctime: e},
		"a":     {Device: 2, Inode: 2, Type: wasi.TypeDirectory, Links: 1, Atime: e, Mtime: 5001, Ctime: 5001},
		"a/big": {Device: 2, Inode: 3, Type: wasi.TypeRegular, Links: 1, Size: 10000, Atime: e, Mtime: e, Ctime: e},
		"a/l":   {Device: 2, Inode: 4, Type: wasi.TypeSymlink, Links: 1, Size: 6, Atime: e, Mtime: e, Ctime: e},
		"a/new": {
			Device: 2, Inode: 7, Type: wasi.TypeRegular, Links: 1, Size: 3, Atime: 5001, Mtime: 5002,
			Ctime: 5002,
		},
		"empty": {Device: 2, Inode: 5, Type: wasi.TypeRegular, Links: 1, Atime: e, Mtime: e, Ctime: e},
		"run":   {Device: 2, Inode: 6, Type: wasi.TypeRegular, Links: 1, Size: 5, Atime: e, Mtime: 5003, Ctime: 5003},
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// broken is a file that can be neither read nor written.
type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error)  { return 0, io.EOF }
func (broken) WriteAt([]byte, int64) (int, error) { return 0, errors.New("the disk is gone") }

func TestHostFails(t *testing.T) {
	t.Parallel()
	p := sample(t)
	var failures []error
	c := p.config(mib, virtual.Folder{Guest: "/out", Tree: p.tree})
	c.Pack, c.Scratch, c.Failed = broken{}, broken{}, func(err error) { failures = append(failures, err) }
	s, _ := systemWith(t, c)
	d := s.Preopens()[0].Dir
	f := open(t, d, "a/big", wasi.OpenOptions{Read: true, Write: true})
	want(t, wrote(f.ReadAt(make([]byte, 10), 0)), wasi.EIO)
	want(t, wrote(f.WriteAt(make([]byte, block), 0)), wasi.EIO)
	want(t, wrote(f.WriteAt(make([]byte, 1), 0)), wasi.EIO)
	if len(failures) != 3 || !errors.Is(failures[0], io.ErrUnexpectedEOF) || failures[1].Error() != "the disk is gone" {
		t.Errorf("%v", failures)
	}
	if _, errno := d.Lstat("run"); errno != wasi.Success {
		t.Errorf("what needs no host: %v", errno)
	}
}

func TestContentIsMissing(t *testing.T) {
	t.Parallel()
	tr := &tree.Tree{Entries: []tree.Entry{{Path: "f", Type: tree.File, Size: 3, Digest: job.Sum([]byte("abc"))}}}
	p := sample(t)
	if _, err := virtual.New(p.config(0, virtual.Folder{Guest: "/in", ReadOnly: true, Tree: tr})); err == nil {
		t.Error("a file without content")
	}
}

func BenchmarkWriteRead(b *testing.B) {
	s, _ := system(b, 512*mib, empty("/out"))
	f := open(b, s.Preopens()[0].Dir, "f", readWrite)
	p := make([]byte, 64<<10)
	b.SetBytes(256 * mib)
	for b.Loop() {
		for off := int64(0); off < 256*mib; off += int64(len(p)) {
			if _, errno := f.WriteAt(p, off); errno != wasi.Success {
				b.Fatal(errno)
			}
		}
		for off := int64(0); off < 256*mib; off += int64(len(p)) {
			if _, errno := f.ReadAt(p, off); errno != wasi.Success {
				b.Fatal(errno)
			}
		}
		want(b, f.SetSize(0), wasi.Success)
	}
}
