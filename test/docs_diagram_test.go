package test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDiagramIsOfTheTree compares what the picture in the README names with the
// commands and packages that there are, and the picture with its source.
func TestDiagramIsOfTheTree(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join(root, "docs", "architecture.dot"))
	if err != nil {
		t.Fatal(err)
	}
	picture := readPage(t, "docs/architecture.svg").text
	sum := sha256.Sum256(source)
	if !strings.Contains(picture, "sha256:"+hex.EncodeToString(sum[:])) {
		t.Error("docs/architecture.svg was not made of docs/architecture.dot as it is: scripts/diagram makes it anew")
	}
	var there []string
	for _, folder := range []string{"cmd", "lib"} {
		entries, err := os.ReadDir(filepath.Join(root, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			there = append(there, strings.TrimPrefix(folder+"/"+e.Name(), "cmd/"))
		}
	}
	slices.Sort(there)
	_, graph, _ := strings.Cut(string(source), "digraph") // without the comment above
	named := regexp.MustCompile(`\blib/[a-z]+|\bplasm(?:d|-[a-z]+)\b`)
	if diff := cmp.Diff(there, sorted(named.FindAllString(strings.ReplaceAll(graph, `\n`, " "), -1))); diff != "" {
		t.Errorf("commands and packages (-tree +picture):\n%s", diff)
	}
	if !strings.Contains(readPage(t, "README.md").text, "(docs/architecture.svg)") {
		t.Error("the README does not show the picture")
	}
}
