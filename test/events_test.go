package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

// source calls visit for each Go file of ours below a folder of the repository that is
// no test's, with the name that it has from there.
func source(t *testing.T, folder string, visit func(name string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(name), text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEventsAreInTheirTable: what is logged under a stable name has a row, and no row is
// for what nothing logs.
func TestEventsAreInTheirTable(t *testing.T) {
	t.Parallel()
	event := regexp.MustCompile(`\.(?:Info|LogAttrs|peer)\(.*"([a-z]+\.[a-z]+)"`)
	var logged []string
	for _, folder := range []string{"lib", "cmd"} {
		source(t, folder, func(_ string, text []byte) {
			for _, m := range event.FindAllSubmatch(text, -1) {
				logged = append(logged, string(m[1]))
			}
		})
	}
	var table []string
	for _, w := range job.EventWords() {
		table = append(table, w.Name)
	}
	if diff := cmp.Diff(sorted(table), sorted(logged)); diff != "" {
		t.Errorf("events (-table +logged):\n%s", diff)
	}
}
