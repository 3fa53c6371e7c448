package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWordsAreWritten: what is written from the tables is what they say now.
func TestWordsAreWritten(t *testing.T) {
	t.Parallel()
	for _, name := range files() {
		before, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		after, err := made(name, string(before))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(string(before), after); diff != "" {
			t.Errorf("%s is not what the tables of lib/job say; make docs mends it (-is +said):\n%s", name, diff)
		}
	}
}

// TestStaleIsFound: a word less, in each kind of file, and it is written again.
func TestStaleIsFound(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	whole := map[string]string{}
	for _, name := range files() {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		whole[name] = string(text)
	}
	stale := map[string]string{
		"schemas/error.schema.json": `"bad_module", `, "php/src/Rejection.php": "'disk', ",
		"docs/commands.md": "| `engine_failed` | the worker process died or broke the protocol, and no limit " +
			"explains it | 125 |\n",
	}
	for name, text := range whole {
		path := filepath.Join(root, filepath.FromSlash(name))
		cut := strings.Replace(text, stale[name], "", 1)
		if stale[name] != "" && cut == text {
			t.Errorf("%s does not have %q", name, stale[name])
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(cut), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{"disk_mb", "tree_bytes"} { // as if they were new members
		for _, name := range []string{"docs/documents.md", "schemas/manifest.schema.json", "schemas/node.schema.json"} {
			without(t, filepath.Join(root, filepath.FromSlash(name)), line)
		}
	}
	var stderr bytes.Buffer
	if code := run([]string{root}, &stderr); code != 0 || stderr.Len() > 0 {
		t.Fatalf("%d: %s", code, &stderr)
	}
	for name, text := range whole {
		got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// without takes a member out of a page or a schema, each time that it has a row there.
func without(t *testing.T, path, member string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `" + member + "` \\| [0-9i][^a].*\n" + `|,\n *"` + member + `": \{[^}]*\}`)
	if err := os.WriteFile(path, row.ReplaceAll(text, nil), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestWrongMarks: a text without marks, or with wrong ones, is left as it is.
func TestWrongMarks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"# Page\n": "no line such as",
		"<!-- table of moons, written by make docs -->\n<!-- end of words -->\n": "no words are called",
		"<!-- table of codes, written by make docs -->\n":                        "no line «end of words»",
	} {
		if _, err := between(text, parts()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for text, path := range map[string]string{`{"a":{"b":[1]}}`: "a/c", `{"a":[1]}`: "a/1", `{"a":`: "a", ``: "a"} {
		if _, _, err := span(text, strings.Split(path, "/")); err == nil {
			t.Errorf("%s has %s", text, path)
		}
	}
	if code := run([]string{t.TempDir()}, &bytes.Buffer{}); code != 1 {
		t.Errorf("a folder without files: %d", code)
	}
}
