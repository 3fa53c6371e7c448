package tree_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// gather returns the folders in words: guest, whether it can be written, paths.
func gather(t *testing.T, dir, ins, outs string) ([]string, error) {
	t.Helper()
	var sources []tree.Source
	for in := range strings.FieldsSeq(ins) {
		host, guest, _ := strings.Cut(in, "::")
		sources = append(sources, tree.Source{Path: filepath.Join(dir, host), Guest: guest})
	}
	folders, err := tree.Gather(t.Context(), sources, strings.Fields(outs), tree.Discard, nil)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, f := range folders {
		words := []string{f.Guest, "rw:"}
		if f.ReadOnly {
			words[1] = "ro:"
		}
		for _, e := range f.Tree.Entries {
			words = append(words, e.Path)
		}
		list = append(list, strings.Join(words, " "))
	}
	return list, nil
}

func TestGather(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a/x": "x", "a/sub/y": "y", "b/z": "z", "f": "f"})
	tests := []struct {
		name      string
		ins, outs string
		want      []string
	}{
		{"a folder", "a::/in", "", []string{"/in ro: sub sub/y x"}},
		{"nothing but output", "", "/out", []string{"/out rw:"}},
		{"two folders", "b::/b a::/a", "", []string{"/a ro: sub sub/y x", "/b ro: z"}},
		{
			"read-only ones within one another are one", "a::/in b::/in/deep/er", "",
			[]string{"/in ro: deep deep/er deep/er/z sub sub/y x"},
		},
		{"the inner one first", "b::/in/b a::/in", "", []string{"/in ro: b b/z sub sub/y x"}},
		{"everything below /", "a::/ b::/b", "", []string{"/ ro: b b/z sub sub/y x"}},
		{"output that begins as input", "a::/w", "/w", []string{"/w rw: sub sub/y x"}},
		{"output within input", "a::/in", "/in/out", []string{"/in ro: sub sub/y x", "/in/out rw:"}},
		{"input within output", "a::/w/in", "/w", []string{"/w rw:", "/w/in ro: sub sub/y x"}},
		{
			"input within output within input", "a::/in b::/in/w/in", "/in/w",
			[]string{"/in ro: sub sub/y x", "/in/w rw:", "/in/w/in ro: z"},
		},
		{"a file alone", "f::/in/file", "", []string{"/in ro: file"}},
		{"a file in the root", "f::/file", "", []string{"/ ro: file"}},
		{"two files of one parent", "f::/in/1 f::/in/2", "", []string{"/in ro: 1 2"}},
		{
			"a file in the nearest folder", "a::/in b::/in/b/b f::/in/b/b/deep/f", "",
			[]string{"/in ro: b b/b b/b/deep b/b/deep/f b/b/z sub sub/y x"},
		},
		{"a file that an output begins with", "f::/w/deep/f", "/w", []string{"/w rw: deep deep/f"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := gather(t, dir, test.ins, test.outs)
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestGatherRefuses(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a/x": "x", "a/sub/y": "y", "b/z": "z", "f": "f"})
	tests := []struct {
		name      string
		ins, outs string
		message   string
	}{
		{"one path twice", "a::/in b::/in/sub", "", "sub is there already"},
		{"one folder twice", "a::/in a::/in", "", "sub is there already"},
		{"a file over another", "a::/in f::/in/x", "", "x is there already"},
		{"below a file", "a::/in f::/in/x/y", "", "x is there already"},
		{"output over what is there", "a::/in", "/in/sub", "/in/sub is in the folder /in already"},
		{"output below a file", "a::/in", "/in/x/out", "/in/x/out is in the folder /in already"},
		{"output twice", "", "/out /out", "written to twice"},
		{"a relative path", "a::in", "", "not an absolute path"},
		{"a final slash", "a::/in/", "", "not an absolute path"},
		{"dots", "a::/in/../x", "", "not an absolute path"},
		{"relative output", "", "out", "not an absolute path"},
		{"a file as /", "f::/", "", "cannot be /"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := gather(t, dir, test.ins, test.outs)
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != job.CodeUsage || !strings.Contains(e.Message, test.message) {
				t.Errorf("%v, want %s", err, test.message)
			}
		})
	}
	if _, err := gather(t, dir, "nowhere::/in", ""); err == nil {
		t.Error("what is not there can be read")
	}
}
