package tree_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// make writes files below a new folder. A name that ends with a slash is a folder, content
// that begins with "-> " the target of a link.
func folder(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, content := range files {
		full := filepath.Join(dir, name)
		parent := filepath.Dir(full)
		if strings.HasSuffix(name, "/") {
			parent = full
		}
		if err := os.MkdirAll(parent, 0o777); err != nil {
			tb.Fatal(err)
		}
		var err error
		target, link := strings.CutPrefix(content, "-> ")
		switch {
		case link:
			err = os.Symlink(target, full)
		case !strings.HasSuffix(name, "/"):
			err = os.WriteFile(full, []byte(content), 0o666)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// read reads a folder.
func read(tb testing.TB, dir string, exclude ...string) (*tree.Tree, error) {
	tb.Helper()
	x, err := tree.NewExclude(exclude)
	if err != nil {
		tb.Fatal(err)
	}
	b := tree.NewBuilder(tree.Discard, x)
	if err := b.Add(tb.Context(), dir, ""); err != nil {
		return nil, err
	}
	return b.Tree()
}

func mustRead(tb testing.TB, dir string, exclude ...string) *tree.Tree {
	tb.Helper()
	t, err := read(tb, dir, exclude...)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func file(path, content string) tree.Entry {
	return tree.Entry{Path: path, Type: tree.File, Size: int64(len(content)), Digest: job.Sum([]byte(content))}
}

func TestRead(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"b": "bee", "a/z": "zed", "a-b": "", "a/empty/": "", "l": "-> a/z", "a/up": "-> ../b", "run": "#!",
		"é": "accent", "a\nb": "line",
	})
	if err := os.Chmod(filepath.Join(dir, "run"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "b"), filepath.Join(dir, "a", "copy")); err != nil {
		t.Fatal(err)
	}
	run := file("run", "#!")
	run.Executable = true
	want := []tree.Entry{
		{Path: "a", Type: tree.Dir},
		file("a\nb", "line"), file("a-b", ""), file("a/copy", "bee"),
		{Path: "a/empty", Type: tree.Dir},
		{Path: "a/up", Type: tree.Link, Target: "../b"},
		file("a/z", "zed"), file("b", "bee"),
		{Path: "l", Type: tree.Link, Target: "a/z"},
		run, file("é", "accent"),
	}
	if diff := cmp.Diff(want, mustRead(t, dir).Entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if mustRead(t, link).Digest() != mustRead(t, dir).Digest() {
		t.Error("a link to the folder, named by the user, is another tree")
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		files   map[string]string
		make    func(dir string) error
		message string // behind the folder's path
	}{
		{"a FIFO", nil, func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "p"), 0o600) }, "/p: a FIFO"},
		{"a socket", nil, func(dir string) error {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
			if err == nil {
				l.SetUnlinkOnClose(false)
				err = l.Close()
			}
			return err
		}, "/s: a socket"},
		{
			"a link that leads out",
			map[string]string{"a/l": "-> ../../x"},
			nil,
			`/a/l: a link to "../../x": it leads out`,
		},
		{"an absolute link", map[string]string{"l": "-> /etc/passwd"}, nil, `/l: a link to "/etc/passwd": absolute`},
		{
			"a link with .. behind a name",
			map[string]string{"l": "-> a/../b"},
			nil,
			`/l: a link to "a/../b": .. after its beginning`,
		},
		{"a name that is not UTF-8", nil, func(dir string) error {
			return os.WriteFile(dir+"/\xff", nil, 0o600)
		}, `/\xff": not UTF-8`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, test.files)
			if test.make != nil {
				if err := test.make(dir); errors.Is(err, syscall.EILSEQ) {
					t.Logf("this file system has no such name: %v", err)
					return
				} else if err != nil {
					t.Fatal(err)
				}
			}
			_, err := read(t, dir)
			e, ok := errors.AsType[*job.Error](err)
			named := ok && strings.HasSuffix(e.Message, test.message) && strings.Contains(e.Message, dir)
			if !named || e.Code != job.CodeUsage {
				t.Errorf("%v, want %s", err, test.message)
			}
			left := mustRead(t, dir, "p", "s", "l", "\xff")
			for _, e := range left.Entries {
				if e.Type != tree.Dir {
					t.Errorf("excluded, and still there: %s", e.Path)
				}
			}
		})
	}
}

// meddler is a Sink that does something before it takes a content.
type meddler struct{ do func() error }

func (m meddler) Put(r io.Reader) (job.Digest, int64, error) {
	if err := m.do(); err != nil {
		return "", 0, err
	}
	return tree.Discard.Put(r)
}

func TestReadWhatChanges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		do     func(dir string) error
		blamed string
	}{
		{"it grows", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "sub", "f"), []byte("content and more"), 0o600)
		}, "sub/f"},
		{"it shrinks", func(dir string) error { return os.Truncate(filepath.Join(dir, "sub", "f"), 1) }, "sub/f"},
		{"its times change", func(dir string) error {
			info, err := os.Stat(dir)
			if err != nil {
				return err
			}
			return os.Chtimes(filepath.Join(dir, "sub", "f"), info.ModTime(), info.ModTime().Add(-1e9))
		}, "sub/f"},
		{"a file comes into its folder", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "sub", "new"), nil, 0o600)
		}, "sub"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, map[string]string{"sub/f": "content"})
			waitForTick(t, filepath.Join(dir, "sub"))
			b := tree.NewBuilder(meddler{func() error { return test.do(dir) }}, nil)
			err := b.Add(t.Context(), dir, "")
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != job.CodeIO || e.Message != "changed while it was read: "+
				filepath.Join(dir, test.blamed) {
				t.Errorf("%v", err)
			}
		})
	}
}

// waitForTick returns when the file system's clock has passed the last change of name.
func waitForTick(t *testing.T, name string) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	probe := filepath.Join(t.TempDir(), "probe")
	for {
		if err := os.WriteFile(probe, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if now, err := os.Stat(probe); err != nil || now.ModTime().After(info.ModTime()) {
			return
		}
	}
}

func TestReadStops(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"f": "content"})
	ctx, cancel := context.WithCancel(t.Context())
	b := tree.NewBuilder(meddler{func() error { cancel(); return nil }}, nil)
	if err := b.Add(ctx, dir, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestExclude(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"a.o": "", "src/a.o": "", "src/a.c": "", "src/b/c/a.o": "", "build/x": "", "src/build/y": "", ".git/config": "",
		"doc/build": "",
	})
	tests := []struct {
		globs string
		want  string
	}{
		{"*.o", ".git .git/config build build/x doc doc/build src src/a.c src/b src/b/c src/build src/build/y"},
		{
			"/*.o .git",
			"build build/x doc doc/build src src/a.c src/a.o src/b src/b/c src/b/c/a.o src/build src/build/y",
		},
		{"src/*.o .git", "a.o build build/x doc doc/build src src/a.c src/b src/b/c src/b/c/a.o src/build src/build/y"},
		{"src/**/*.o .git src/build", "a.o build build/x doc doc/build src src/a.c src/b src/b/c"},
		{"build/", ".git .git/config a.o doc doc/build src src/a.c src/a.o src/b src/b/c src/b/c/a.o"},
		{"** ", ""},
		{"[.s]*", "a.o build build/x doc doc/build"},
	}
	for _, test := range tests {
		t.Run(test.globs, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, e := range mustRead(t, dir, strings.Fields(test.globs)...).Entries {
				got = append(got, e.Path)
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
	for _, bad := range []string{"", "/", "a//b", "[", "a/[b"} {
		if _, err := tree.NewExclude([]string{bad}); err == nil {
			t.Errorf("%q is a pattern", bad)
		}
	}
}

func TestAddSeveral(t *testing.T) {
	t.Parallel()
	one := folder(t, map[string]string{"f": "one", "sub/g": "one"})
	two := folder(t, map[string]string{"g": "two"})
	add := func(t *testing.T, pairs ...string) (*tree.Tree, error) {
		t.Helper()
		b := tree.NewBuilder(tree.Discard, nil)
		for i := 0; i < len(pairs); i += 2 {
			if err := b.Add(t.Context(), pairs[i], pairs[i+1]); err != nil {
				return nil, err
			}
		}
		return b.Tree()
	}
	got, err := add(t, two, "deep/er", one, "", filepath.Join(two, "g"), "sub/h")
	if err != nil {
		t.Fatal(err)
	}
	want := []tree.Entry{
		{Path: "deep", Type: tree.Dir},
		{Path: "deep/er", Type: tree.Dir},
		file("deep/er/g", "two"), file("f", "one"),
		{Path: "sub", Type: tree.Dir},
		file("sub/g", "one"), file("sub/h", "two"),
	}
	if diff := cmp.Diff(want, got.Entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	for name, pairs := range map[string][]string{
		"a folder twice":                 {one, "x", two, "x"},
		"a folder over another's":        {one, "", two, "sub"},
		"the other way round":            {two, "sub", one, ""},
		"a file over a file":             {one, "", filepath.Join(two, "g"), "f"},
		"below a file":                   {one, "", two, "f/x"},
		"a file where something goes in": {two, "f/x", one, ""},
	} {
		_, err := add(t, pairs...)
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != job.CodeUsage || !strings.Contains(e.Message, "is there already") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := add(t, filepath.Join(one, "nowhere"), ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("not there: %v", err)
	}
	if _, err := add(t, filepath.Join(one, "f"), ""); err == nil {
		t.Error("a file is a tree")
	}
}

// TestPack reads a folder into a pack, and that again.
func TestPack(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("0123456789", 100_000)
	dir := folder(t, map[string]string{"a": "one", "b": "one", "big": big, "empty": "", "d/l": "-> ../a"})
	pack, tr, size := packed(t, dir)
	p, err := tree.OpenPack(pack, size)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Tree(tr.Digest())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tr.Entries, got.Entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	for _, content := range []string{"one", big, ""} {
		r, ok := p.Blob(job.Sum([]byte(content)))
		if !ok {
			t.Fatalf("%.10q is not there", content)
		}
		data, err := io.ReadAll(r)
		if err != nil || string(data) != content {
			t.Errorf("%.10q is read as %.10q, %v", content, data, err)
		}
	}
	if size > int64(len(big))+2000 {
		t.Errorf("%d bytes: a content is there twice", size)
	}
	if _, ok := p.Blob(job.Sum([]byte("two"))); ok {
		t.Error("there is what was never put there")
	}
	if e, err := p.Tree(tree.Empty); err != nil || len(e.Entries) != 0 {
		t.Errorf("the empty tree: %v, %v", e, err)
	}
	if e, err := p.Tree(job.Sum(nil)); e != nil || err != nil {
		t.Errorf("another tree: %v, %v", e, err)
	}
}

// packed reads dir into a pack.
func packed(tb testing.TB, dir string) (*os.File, *tree.Tree, int64) {
	tb.Helper()
	f, err := os.Create(filepath.Join(tb.TempDir(), "pack"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	p := tree.NewPacker(f)
	b := tree.NewBuilder(p, nil)
	if err := b.Add(tb.Context(), dir, ""); err != nil {
		tb.Fatal(err)
	}
	tr, err := b.Tree()
	if err != nil {
		tb.Fatal(err)
	}
	size, err := p.Finish(tr)
	if err != nil {
		tb.Fatal(err)
	}
	return f, tr, size
}

func TestPackLacksContent(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "pack"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	p := tree.NewPacker(f)
	if _, _, err := p.Put(strings.NewReader("one")); err != nil {
		t.Fatal(err)
	}
	longer := file("a", "one")
	longer.Size++
	for _, e := range []tree.Entry{file("a", "two"), longer} {
		_, err := p.Finish(&tree.Tree{Entries: []tree.Entry{e}})
		if m, ok := errors.AsType[*tree.MissingError](err); !ok || m.Path != "a" {
			t.Errorf("%v", err)
		}
	}
}

// FuzzOpenPack: whatever is opened has its contents inside, and its trees are valid or an error.
func FuzzOpenPack(f *testing.F) {
	pack, _, size := packed(f, folder(f, map[string]string{"a": "one", "b/c": "two"}))
	data := make([]byte, size)
	if _, err := pack.ReadAt(data, 0); err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := tree.OpenPack(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		for _, content := range []string{"one", "two"} {
			offset, size, ok := p.Find(job.Sum([]byte(content)))
			if ok && (offset < 32 || size < 0 || offset+size > int64(len(data))) {
				t.Errorf("%d bytes at %d of %d", size, offset, len(data))
			}
		}
		for _, d := range []job.Digest{tree.Empty, job.Sum(nil)} {
			if tr, err := p.Tree(d); err == nil && tr != nil && tr.Validate() != nil {
				t.Error("a tree that is not valid")
			}
		}
	})
}
