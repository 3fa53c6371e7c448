package tree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
	"plasm/lib/tree"
)

func TestEmpty(t *testing.T) {
	t.Parallel()
	if d := (&tree.Tree{}).Digest(); d != tree.Empty {
		t.Errorf("the empty tree has %s", d)
	}
	if d := job.Sum([]byte(`{"version":"1","entries":[]}`)); d != tree.Empty {
		t.Errorf("its document has %s", d)
	}
}

// many returns the document of a tree with n entries.
func many(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"version":"1","entries":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"path":"%06d","type":"dir"}`, i)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

func TestMaxEntries(t *testing.T) {
	t.Parallel()
	got, err := tree.Decode(many(tree.MaxEntries))
	if err != nil || len(got.Entries) != tree.MaxEntries {
		t.Errorf("as many as there may be: %v", err)
	}
	_, err = tree.Decode(many(10 * tree.MaxEntries))
	if err == nil || err.Error() != "tree.entries: more than the 100000 entries allowed" {
		t.Errorf("a million: %v", err)
	}
}

func TestMaxDocument(t *testing.T) {
	t.Parallel()
	// Paths of nearly the largest length, whose bytes have the longest spelling.
	var tr tree.Tree
	path := "a"
	for part := strings.Repeat("\x01", tree.MaxPart); len(path)+1+len(part) < tree.MaxPath-5; path += "/" + part {
		tr.Entries = append(tr.Entries, tree.Entry{Path: path, Type: tree.Dir})
	}
	tr.Entries = append(tr.Entries, tree.Entry{Path: path, Type: tree.Dir})
	for i := range 3000 {
		tr.Entries = append(tr.Entries, tree.Entry{Path: fmt.Sprintf("%s/%04d", path, i), Type: tree.Dir})
	}
	err := tr.Validate()
	if err == nil || err.Error() != "tree: more than the 67108864 bytes allowed" {
		t.Errorf("%d bytes: %v", len(tr.Encode()), err)
	}
	_, err = tree.Decode(tr.Encode())
	if err == nil || !strings.Contains(err.Error(), "more than the 67108864 allowed") {
		t.Errorf("decoded: %v", err)
	}
}

func TestTotals(t *testing.T) {
	t.Parallel()
	tr := tree.Tree{Entries: []tree.Entry{
		{Path: "a", Type: tree.Dir},
		{Path: "a/b", Type: tree.File, Size: 5, Digest: job.Sum([]byte("hello"))},
		{Path: "a/c", Type: tree.File, Size: 5, Digest: job.Sum([]byte("hello"))},
		{Path: "l", Type: tree.Link, Target: "a"},
	}}
	if diff := cmp.Diff([]int64{2, 10}, []int64{tr.Files(), tr.Bytes()}); diff != "" {
		t.Errorf("files and bytes (-want +got):\n%s", diff)
	}
}

// TestValidate has what Decode can't meet.
func TestValidate(t *testing.T) {
	t.Parallel()
	sum := job.Sum(nil)
	tests := []struct {
		name  string
		entry tree.Entry
	}{
		{"another type", tree.Entry{Path: "a", Type: "fifo"}},
		{"a dir with a size", tree.Entry{Path: "a", Type: tree.Dir, Size: 1}},
		{"a link with a digest", tree.Entry{Path: "a", Type: tree.Link, Target: "b", Digest: sum}},
		{"an executable dir", tree.Entry{Path: "a", Type: tree.Dir, Executable: true}},
		{"a file with a target", tree.Entry{Path: "a", Type: tree.File, Digest: sum, Target: "b"}},
		{"a file without a digest", tree.Entry{Path: "a", Type: tree.File}},
		{"a file with less than nothing", tree.Entry{Path: "a", Type: tree.File, Size: -1, Digest: sum}},
		{"bytes that are not UTF-8", tree.Entry{Path: "\xff", Type: tree.Dir}},
		{"a target that is not UTF-8", tree.Entry{Path: "a", Type: tree.Link, Target: "\xff"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if err := (&tree.Tree{Entries: []tree.Entry{test.entry}}).Validate(); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// FuzzDecode: what is read is valid, and has no other spelling.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.data(f))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := tree.Decode(data)
		if err != nil {
			return
		}
		if err := got.Validate(); err != nil {
			t.Error(err)
		}
		if text := string(got.Encode()); text != string(data) {
			t.Errorf("%s is written as %s", data, text)
		}
	})
}
