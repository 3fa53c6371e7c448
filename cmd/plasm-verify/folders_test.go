package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/lib/tree"
)

// folder makes a folder of files, by path.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for path, content := range files {
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// treeOf returns the tree of a folder.
func treeOf(t *testing.T, dir string) *tree.Tree {
	t.Helper()
	b := tree.NewBuilder(tree.Discard, nil)
	if err := b.Add(t.Context(), dir, ""); err != nil {
		t.Fatal(err)
	}
	tr, err := b.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// travelled returns the receipt of a job that has made out of in, with a folder /same that
// it has left alone.
func travelled(t *testing.T, in, out *tree.Tree) []byte {
	t.Helper()
	return sign(t, func(s *receipt.Statement) {
		s.Manifest.Dirs = []job.Dir{
			{Guest: "/in", ReadOnly: true, Tree: in.Digest()},
			{Guest: "/out", Tree: tree.Empty},
			{Guest: "/same", Tree: in.Digest()},
		}
		s.Outcome.Dirs = []job.OutcomeDir{
			{Guest: "/out", Tree: out.Digest(), Files: out.Files(), Bytes: out.Bytes()},
			{Guest: "/same", Tree: in.Digest(), Files: in.Files(), Bytes: in.Bytes()},
		}
	})
}

func TestFolders(t *testing.T) {
	t.Parallel()
	in := folder(t, map[string]string{"a": "a", "sub/b": "b", "sub/skip.tmp": "x"})
	clean := folder(t, map[string]string{"a": "a", "sub/b": "b"})
	sub := folder(t, map[string]string{"b": "b"})
	out := folder(t, map[string]string{"r": "result", "s": "same"})
	other := folder(t, map[string]string{"r": "rusult", "s": "same"})
	envelope := travelled(t, treeOf(t, clean), treeOf(t, out))
	carries := func(dir string) []byte {
		document := treeOf(t, dir).Encode()
		b64 := base64.StdEncoding.EncodeToString
		return fmt.Appendf(nil, `{"receipt":%s,"stdout":%q,"stderr":%q,"trees":{%q:%q}}`,
			envelope, b64([]byte(fixtureStdout)), b64([]byte(fixtureStderr)), job.Sum(document), b64(document))
	}
	tests := []struct {
		name  string
		input []byte
		flags []string
		want  string // "" for verified, else what stderr has
	}{
		{"what went in", envelope, []string{"--in", clean + "::/in"}, ""},
		{"without names that were left out", envelope, []string{"--in", in + "::/in", "--exclude", "*.tmp"}, ""},
		{"in parts", envelope, []string{"--in", clean + "/a::/in/a", "--in", sub + "::/in/sub"}, ""},
		{"what came out", envelope, []string{"--out", "/out::" + out, "--out", "/same::" + clean}, ""},
		{"what an output began as", envelope, []string{"--in", clean + "::/same", "--out", "/same::" + clean}, ""},
		{"a result document with its tree", carries(out), nil, ""},
		{"more went in", envelope, []string{"--in", in + "::/in"}, `dirs: "/in" began as sha256:`},
		{"another folder", envelope, []string{"--out", "/out::" + other}, `dirs: "/out" ended as sha256:`},
		{
			"another folder, and the tree at hand", carries(out),
			[]string{"--out", "/out::" + other},
			`: "r" has other content`,
		},
		{
			"no such folder", envelope,
			[]string{"--in", clean + "::/input"},
			`dirs: the receipt does not say what "/input" began as`,
		},
		{
			"no folder that was written", envelope,
			[]string{"--out", "/in::" + clean},
			`dirs: the receipt does not say what "/in" ended as`,
		},
		{"a result document with another tree", carries(other), nil, "dirs: no folder ended as the tree sha256:"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := verify(test.input, append([]string{"--signer", nodeKey().PeerID()}, test.flags...)...)
			word, code := "verified", 0
			if test.want != "" {
				word, code = test.want, 1
			}
			if got.code != code || got.stdout != "" || !strings.Contains(got.stderr, word) {
				t.Errorf("exit code %d, stdout %q, stderr %s", got.code, got.stdout, got.stderr)
			}
		})
	}
}

func TestFoldersWrongUse(t *testing.T) {
	t.Parallel()
	clean := folder(t, map[string]string{"a": "a"})
	envelope := travelled(t, treeOf(t, clean), treeOf(t, clean))
	for _, test := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--in", clean}, "is not PATH::GUEST"},
		{[]string{"--in", clean + "::in"}, "is not PATH::GUEST"},
		{[]string{"--out", clean}, "is not GUEST::PATH"},
		{[]string{"--out", "/out::" + clean + "/none"}, "no such file"},
		{[]string{"--exclude", "["}, "not a pattern"},
		{[]string{"--in", clean + "::/in", "--in", clean + "::/in"}, "is there already"},
	} {
		got := verify(envelope, append([]string{"--signer", nodeKey().PeerID()}, test.flags...)...)
		if got.code < 125 || got.stdout != "" || !strings.Contains(got.stderr, test.want) {
			t.Errorf("%v: exit code %d, stdout %q, stderr %s", test.flags, got.code, got.stdout, got.stderr)
		}
	}
}
