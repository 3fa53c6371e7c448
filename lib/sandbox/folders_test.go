package sandbox

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
	"plasm/lib/tree"
	"plasm/test/bin"
)

// travels is the job of the guest that works in folders.
func travels(t *testing.T, what string, dirs ...tree.Folder) *Job {
	t.Helper()
	path := filepath.Join(t.TempDir(), "folders.wasm")
	must(t, bin.BuildGuest(t.Context(), "plasm/lib/sandbox/testdata/folders", path))
	module, err := os.ReadFile(path)
	must(t, err)
	m := job.NewManifest()
	m.ID, m.ModuleHash, m.StdinHash, m.Args = job.NewID(), job.Sum(module), job.EmptyDigest, []string{what}
	pack, err := os.Create(filepath.Join(t.TempDir(), "pack"))
	must(t, err)
	p := tree.NewPacker(pack)
	var trees []*tree.Tree
	for _, d := range dirs {
		for i := range d.Tree.Entries {
			e := &d.Tree.Entries[i]
			if e.Type == tree.File { // its name is its content
				e.Digest, e.Size, err = p.Put(strings.NewReader(e.Path))
				must(t, err)
			}
		}
		m.Dirs = append(m.Dirs, job.Dir{Guest: d.Guest, ReadOnly: d.ReadOnly, Tree: d.Tree.Digest()})
		trees = append(trees, d.Tree)
	}
	_, err = p.Finish(trees...)
	must(t, err)
	readOnly, err := os.Open(pack.Name())
	must(t, err)
	t.Cleanup(func() { _ = pack.Close(); _ = readOnly.Close() })
	f, err := NewFolders(readOnly, nil)
	must(t, err)
	t.Cleanup(f.Close)
	return &Job{Manifest: m, Module: module, Input: Input{Hash: job.EmptyDigest}, Folders: f}
}

// contentOf returns the folders that a job has left, as "path" or "path: content".
func contentOf(t *testing.T, r *ran) [][]string {
	t.Helper()
	var all [][]string
	for _, o := range r.Outputs {
		var list []string
		for _, e := range o.Tree.Entries {
			line := e.Path
			if e.Type == tree.File {
				c, err := o.Contents(e.Digest)
				must(t, err)
				data, err := io.ReadAll(c)
				must(t, err)
				line += ": " + string(data[:min(len(data), 20)])
			}
			list = append(list, line)
		}
		all = append(all, list)
	}
	return all
}

func sampleFolder(guest string, readOnly bool) tree.Folder {
	return tree.Folder{Guest: guest, ReadOnly: readOnly, Tree: &tree.Tree{Entries: []tree.Entry{
		{Path: "a", Type: tree.File}, {Path: "sub", Type: tree.Dir}, {Path: "sub/c", Type: tree.File},
	}}}
}

func emptyFolder() tree.Folder { return tree.Folder{Guest: "/out", Tree: &tree.Tree{}} }

func TestFolders(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	tests := []struct {
		what   string
		dirs   []tree.Folder
		status job.Status
		want   [][]string
	}{
		{
			"copy",
			[]tree.Folder{sampleFolder("/in", true), emptyFolder()},
			job.Exit,
			[][]string{{"a: a", "sub", "sub/c: sub/c"}},
		},
		{"change", []tree.Folder{sampleFolder("/out", false)}, job.Exit, [][]string{{"b: a", "sub", "sub/c: changed"}}},
		{"trap", []tree.Folder{emptyFolder()}, job.Exit, nil},
		{"escape", []tree.Folder{sampleFolder("/in", true), emptyFolder()}, job.Exit, [][]string{nil}},
		{"list", []tree.Folder{sampleFolder("/", true)}, job.Exit, nil},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			t.Parallel()
			j := travels(t, test.what, test.dirs...)
			r := play(t.Context(), t, s, j)
			if r.Outcome.Status != test.status {
				t.Errorf("%s, %v: %s", r.Outcome.Status, r.Cause, r.stderr.String())
			}
			t.Logf("%v %s %s guards %v dirs %v", r.Outcome.Status, r.stdout.String(), r.stderr.String(), r.Guards,
				r.Outcome.Dirs)
			if test.want != nil {
				if diff := cmp.Diff(test.want, contentOf(t, r)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
			for _, g := range []string{"rlimits", "seccomp", "landlock", "nofds"} {
				if !slices.Contains(r.Guards, g) {
					t.Errorf("without %s: %v", g, r.Guards)
				}
			}
		})
	}
}

func TestFoldersDiskIsFull(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	j := travels(t, "fill", emptyFolder())
	j.Manifest.DiskMB = 1
	r := play(t.Context(), t, s, j)
	r.wantExit(t, 0)
	if d := r.Outcome.Dirs; len(d) != 1 || d[0].Bytes != 1<<20 || !strings.Contains(r.stdout.String(), "o space left") {
		t.Errorf("%+v, %s", d, r.stdout.String())
	}
}
