package test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	engine "plasm/lib/engine/wazero"
	"plasm/lib/wasi/preview1"
)

func TestFunctionsAndFeaturesAreThoseOfTheEngine(t *testing.T) {
	t.Parallel()
	webassembly := readPage(t, "docs/webassembly.md")
	var functions []string
	for _, f := range preview1.Functions() {
		functions = append(functions, f.Name)
	}
	var shown []string
	for _, row := range rows(webassembly.section(t, "## WASI functions")) {
		shown = append(shown, quoted(row[0])...)
	}
	if diff := cmp.Diff(functions, sorted(shown)); diff != "" {
		t.Errorf("functions (-engine +page):\n%s", diff)
	}
	on, _, _ := strings.Cut(webassembly.section(t, "## WebAssembly features"), "\n\nOff:")
	if diff := cmp.Diff(engine.Engine{}.Features(), sorted(quoted(on))); diff != "" {
		t.Errorf("features (-engine +page):\n%s", diff)
	}
	if version := "wazero " + (engine.Engine{}).Version(); !strings.Contains(webassembly.text, version) {
		t.Errorf("the page does not speak of %s", version)
	}
}

// TestDependenciesAreExplained holds the rationale and what our packages import
// together.
func TestDependenciesAreExplained(t *testing.T) {
	t.Parallel()
	modules := regexp.MustCompile(`(?m)^\s+([^ ]+\.[^ ]+/?[^ ]*) v`).FindAllStringSubmatch(readPage(t, "go.mod").text,
		-1)
	used := map[string]bool{}
	for _, path := range imports(t) {
		for _, m := range modules {
			if below(path, m[1]) {
				used[m[1]] = true
			}
		}
	}
	// What an engine of its own module requires itself: its go.mod says which.
	for _, m := range regexp.MustCompile(`(?m)^\s+([^ ]+\.[^ ]+) v[^ ]+$`).FindAllStringSubmatch(readPage(t,
		"engines/wasmtime/go.mod").text, -1) {
		used[m[1]] = true
	}
	explained := regexp.MustCompile("(?m)^### `(.+)`$").FindAllStringSubmatch(readPage(t, "docs/rationale.md").text, -1)
	var names []string
	for _, m := range explained {
		names = append(names, m[1])
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(used)), sorted(names)); diff != "" {
		t.Errorf("direct dependencies (-imported +explained):\n%s", diff)
	}
}

// imports returns what all Go files of the module import, tests included.
func imports(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, folder := range []string{"cmd", "lib", "test", "bench", "examples"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, spec := range file.Imports {
				all = append(all, strings.Trim(spec.Path.Value, `"`))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestFoldersAreThoseOfTheTree compares the table of packages with the tree.
func TestFoldersAreThoseOfTheTree(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}}", module+"/...")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want, shown []string
	for path := range strings.FieldsSeq(string(out)) {
		if !below(path, module+"/examples") {
			want = append(want, strings.TrimPrefix(path, module+"/"))
		}
	}
	for _, row := range rows(readPage(t, "docs/development.md").section(t, "## Folders")) {
		shown = append(shown, quoted(row[0])...)
	}
	if diff := cmp.Diff(sorted(want), sorted(shown)); diff != "" {
		t.Errorf("packages (-tree +page):\n%s", diff)
	}
}
