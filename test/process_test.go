package test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// processWide are the names, by import path, that belong to the whole process.
// Only the main function of a program uses them: all other code is handed its
// arguments and streams, and returns to whoever called it.
var processWide = map[string][]string{
	"os":   {"Exit", "Args", "Stdin", "Stdout", "Stderr"},
	"flag": {"Parse", "CommandLine", "Args", "Arg"},
	"log":  {"Fatal", "Fatalf", "Fatalln"},
	"github.com/urfave/cli/v2": {
		"NewApp", "HandleExitCoder", "OsExiter", "ErrWriter", "HelpFlag", "VersionFlag", "HelpPrinter",
		"VersionPrinter", "FlagStringer",
	},
}

func TestOnlyMainTouchesTheProcess(t *testing.T) {
	t.Parallel()
	files := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && entry.Name() != "..":
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		files++
		breaches, err := processUses(path, nil)
		for _, breach := range breaches {
			t.Error(breach)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if files == 0 {
		t.Error("no file was looked at")
	}
}

// TestProcessUsesAreFound shows that the rule can fail.
func TestProcessUsesAreFound(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, source string
		want         []string
	}{
		{"main of a program", "package main\nimport \"os\"\nfunc main() { os.Exit(len(os.Args)) }", nil},
		{"beside main", "package main\nimport \"os\"\nfunc fail() { os.Exit(1) }", []string{"x.go:3:15: os.Exit"}},
		{"main of a library", "package lib\nimport \"os\"\nfunc main() { os.Exit(1) }", []string{"x.go:3:15: os.Exit"}},
		{
			"a method named main", "package main\nimport \"os\"\nfunc (x) main() { os.Exit(1) }",
			[]string{"x.go:3:19: os.Exit"},
		},
		{"a variable", "package main\nimport \"os\"\nvar w = os.Stdout", []string{"x.go:3:9: os.Stdout"}},
		{"another name", "package lib\nimport sys \"os\"\nvar w = sys.Stderr", []string{"x.go:3:9: os.Stderr"}},
		{
			"a library that exits", "package lib\nimport \"github.com/urfave/cli/v2\"\nfunc f() { cli.OsExiter(1) }",
			[]string{"x.go:3:12: github.com/urfave/cli/v2.OsExiter"},
		},
		{"a field that is named so", "package lib\nfunc f(os struct{ Args int }) int { return os.Args }", nil},
		{"other uses of os", "package lib\nimport \"os\"\nvar f = os.Open", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := processUses("x.go", test.source)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("breaches (-want +got):\n%s", diff)
			}
		})
	}
}

// processUses lists what a Go file uses of processWide outside a program's main.
// The source is read from the file when it is nil.
func processUses(path string, source any) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	imported := importNames(file)
	var breaches []string
	ast.Inspect(file, func(node ast.Node) bool {
		if function, ok := node.(*ast.FuncDecl); ok && file.Name.Name == "main" {
			return function.Recv != nil || function.Name.Name != "main"
		}
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && slices.Contains(processWide[imported[x.Name]], selector.Sel.Name) {
			breaches = append(breaches, fmt.Sprintf("%s: %s.%s", files.Position(node.Pos()), imported[x.Name],
				selector.Sel.Name))
		}
		return true
	})
	return breaches, nil
}

// majorVersion is a last element of an import path that does not name the package.
var majorVersion = regexp.MustCompile(`^v\d+$`)

// importNames returns the paths that a file imports by the names it uses for them.
func importNames(file *ast.File) map[string]string {
	paths := map[string]string{}
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has seen to that
		}
		name := path[strings.LastIndex(path, "/")+1:]
		if majorVersion.MatchString(name) {
			name = filepath.Base(filepath.Dir(path))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		paths[name] = path
	}
	return paths
}
