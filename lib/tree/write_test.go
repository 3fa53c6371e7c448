package tree_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// contents returns what has the digest of one of texts.
func contents(texts ...string) func(job.Digest) (io.Reader, error) {
	return func(d job.Digest) (io.Reader, error) {
		for _, s := range texts {
			if job.Sum([]byte(s)) == d {
				return strings.NewReader(s), nil
			}
		}
		return nil, errors.New("no such content")
	}
}

// names returns what is in a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, 0, len(list))
	for _, e := range list {
		out = append(out, e.Name())
	}
	return out
}

func write(t *testing.T, path string, replace bool, tr *tree.Tree, texts ...string) error {
	t.Helper()
	target, err := tree.NewTarget(path, replace)
	if err != nil {
		return err
	}
	return target.Write(t.Context(), tr, contents(texts...))
}

// sample is a tree with one of everything.
func sample() *tree.Tree {
	run := file("a/run", "#!")
	run.Executable = true
	return &tree.Tree{Entries: []tree.Entry{
		{Path: "a", Type: tree.Dir},
		{Path: "a/none", Type: tree.Dir},
		run, file("b", "bee"), file("c", "bee"),
		file("empty", ""),
		{Path: "l", Type: tree.Link, Target: "a/run"},
		{Path: "nowhere", Type: tree.Link, Target: "x"},
	}}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	many := &tree.Tree{}
	for i := range 600 {
		many.Entries = append(many.Entries, file(fmt.Sprintf("f%03d", i), "bee"))
	}
	for name, tr := range map[string]*tree.Tree{"one of everything": sample(), "nothing": {}, "many files": many} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()
			if err := os.Mkdir(filepath.Join(parent, "empty"), 0o700); err != nil {
				t.Fatal(err)
			}
			for _, at := range []string{"new", "empty"} {
				if err := write(t, filepath.Join(parent, at), false, tr, "bee", "#!", ""); err != nil {
					t.Fatal(err)
				}
				if path, what := tree.Difference(tr, mustRead(t, filepath.Join(parent, at))); path != "" {
					t.Errorf("%s: %s %s", at, path, what)
				}
			}
			if diff := cmp.Diff([]string{"empty", "new"}, names(t, parent)); diff != "" {
				t.Errorf("beside them (-want +got):\n%s", diff)
			}
			if info, err := os.Stat(filepath.Join(parent, "empty")); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the mode of the empty folder: %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestWriteFailsWhole(t *testing.T) {
	t.Parallel()
	const damaged = "a/run: its content is damaged"
	gives := func(r io.Reader) tree.Contents { return func(job.Digest) (io.Reader, error) { return r, nil } }
	tests := []struct {
		name     string
		contents tree.Contents
		message  string
	}{
		{"no content", contents("bee", ""), "no such content"},
		{"another content", gives(strings.NewReader("!!!!")), damaged},
		{"too long", gives(strings.NewReader("#!x#!x")), damaged},
		{"too short", gives(strings.NewReader("#")), damaged},
		{"endless", gives(endless{}), damaged},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			parent := folder(t, map[string]string{"old/f": "old"})
			for _, at := range []string{"new", "old"} {
				target, err := tree.NewTarget(filepath.Join(parent, at), true)
				if err != nil {
					t.Fatal(err)
				}
				err = target.Write(t.Context(), sample(), test.contents)
				if err == nil || !strings.Contains(err.Error(), test.message) {
					t.Errorf("%s: %v", at, err)
				}
			}
			if diff := cmp.Diff([]string{"old"}, names(t, parent)); diff != "" {
				t.Errorf("left behind (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"f"}, names(t, filepath.Join(parent, "old"))); diff != "" {
				t.Errorf("what was there (-want +got):\n%s", diff)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestWriteStops(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	target, err := tree.NewTarget(filepath.Join(parent, "new"), false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = target.Write(ctx, sample(), func(d job.Digest) (io.Reader, error) {
		cancel()
		return contents("bee", "#!", "")(d)
	})
	if !errors.Is(err, context.Canceled) || len(names(t, parent)) != 0 {
		t.Errorf("%v, %v", err, names(t, parent))
	}
}

// TestWriteStaysInside exchanges a folder that is being written for a link that leads out.
func TestWriteStaysInside(t *testing.T) {
	t.Parallel()
	parent, outside := t.TempDir(), t.TempDir()
	target, err := tree.NewTarget(filepath.Join(parent, "new"), false)
	if err != nil {
		t.Fatal(err)
	}
	err = target.Write(t.Context(), sample(), func(d job.Digest) (io.Reader, error) {
		temp, err := filepath.Glob(filepath.Join(parent, ".plasm-*", "a"))
		if err != nil || len(temp) != 1 {
			t.Fatalf("%v, %v", temp, err)
		}
		if err := errors.Join(os.RemoveAll(temp[0]), os.Symlink(outside, temp[0])); err != nil {
			t.Error(err)
		}
		return contents("bee", "#!", "")(d)
	})
	if err == nil || len(names(t, outside)) != 0 || len(names(t, parent)) != 0 {
		t.Errorf("%v; outside %v, left %v", err, names(t, outside), names(t, parent))
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	parent := folder(t, map[string]string{"old/f": "old", "old/sub/g": "old", "l": "-> old"})
	for _, at := range []string{"old", "l"} {
		if err := write(t, filepath.Join(parent, at), true, sample(), "bee", "#!", ""); err != nil {
			t.Fatal(err)
		}
		if path, what := tree.Difference(sample(), mustRead(t, filepath.Join(parent, "old"))); path != "" {
			t.Errorf("%s: %s %s", at, path, what)
		}
	}
	if diff := cmp.Diff([]string{"l", "old"}, names(t, parent)); diff != "" {
		t.Errorf("beside it (-want +got):\n%s", diff)
	}
}

func TestNewTargetRefuses(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"full/f": "", "file": "", "dangling": "-> nowhere", "loop": "-> loop"})
	tests := []struct {
		path    string
		replace bool
		message string
	}{
		{"full", false, "full is there, and not empty"},
		{"file", false, "file is there, and no folder"},
		{"file", true, "file is there, and no folder"},
		{"dangling", true, "dangling: no such file or directory"},
		{"loop", true, "loop: "},
		{"file/new", false, "file/new: not a directory"},
		{"no/new", false, "no/new: the folder it is to be in: no such file or directory"},
	}
	for _, test := range tests {
		_, err := tree.NewTarget(filepath.Join(dir, test.path), test.replace)
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != job.CodeUsage || !strings.Contains(e.Message, test.message) {
			t.Errorf("%s: %v, want %s", test.path, err, test.message)
		}
	}
}

// TestPlaceIsTaken has something come where the folder is to be.
func TestPlaceIsTaken(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	path := filepath.Join(parent, "new")
	target, err := tree.NewTarget(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	err = target.Write(t.Context(), sample(), contents("bee", "#!", ""))
	e, ok := errors.AsType[*job.Error](err)
	if !ok || e.Code != job.CodeIO {
		t.Fatalf("%v", err)
	}
	kept, ok := strings.CutPrefix(e.Hint, "what was to be there is in ")
	if !ok {
		t.Fatalf("hint %q", e.Hint)
	}
	if path, what := tree.Difference(sample(), mustRead(t, kept)); path != "" {
		t.Errorf("%s %s", path, what)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "mine" {
		t.Errorf("what came there: %q, %v", data, err)
	}
}

func TestDifference(t *testing.T) {
	t.Parallel()
	change := func(i int, to tree.Entry) *tree.Tree {
		tr := sample()
		tr.Entries[i] = to
		return tr
	}
	less := sample()
	less.Entries = less.Entries[:3]
	tests := []struct {
		name       string
		want, got  *tree.Tree
		path, what string
	}{
		{"equal", sample(), sample(), "", ""},
		{"less", sample(), less, "b", "is not there"},
		{"more", less, sample(), "b", "should not be there"},
		{"a name between", sample(), change(3, file("aa", "bee")), "aa", "should not be there"},
		{"content", sample(), change(3, file("b", "wasp")), "b", "has other content"},
		{"type", sample(), change(3, tree.Entry{Path: "b", Type: tree.Dir}), "b", "is a dir, not a file"},
		{
			"target", sample(), change(6, tree.Entry{Path: "l", Type: tree.Link, Target: "b"}),
			"l", `leads to "b", not to "a/run"`,
		},
		{"not executable", sample(), change(2, file("a/run", "#!")), "a/run", "is not executable"},
		{"executable", change(2, file("a/run", "#!")), sample(), "a/run", "is executable"},
	}
	for _, test := range tests {
		path, what := tree.Difference(test.want, test.got)
		if diff := cmp.Diff([]string{test.path, test.what}, []string{path, what}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestNested(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]bool{
		{"/a", "/a"}: true, {"/a", "/a/b"}: true, {"/a/b", "/a"}: true, {"/", "/a"}: true,
		{"/a", "/ab"}: false, {"/a/b", "/a/c"}: false,
	} {
		if got := tree.Nested(pair[0], pair[1]); got != want {
			t.Errorf("%v: %v", pair, got)
		}
	}
}
