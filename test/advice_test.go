package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// advising are the libraries that still name flags and commands in what they say, and in how
// many texts. A library states facts, and commands give advice for them (lib/cli/hints.go): these
// numbers only fall.
var advising = map[string]int{
	"lib/batch": 10, "lib/control": 1, "lib/engine": 1, "lib/exchange/submit": 2, "lib/network": 3, "lib/node": 6,
	"lib/sandbox": 5, "lib/sandbox/worker": 1,
}

// TestLibrariesGiveNoAdvice finds texts in lib, but for lib/cli and the doctor, that name a
// flag or a command of ours. A text has a space in it; what has none is a path, or
// an argument that a process is started with.
func TestLibrariesGiveNoAdvice(t *testing.T) {
	t.Parallel()
	names := regexp.MustCompile(`(^|[^-\w])--[a-z]|\bplasm(d|-run|-submit|-verify|-discover)\b`)
	found := map[string]int{}
	source(t, "lib", func(name string, text []byte) {
		if strings.HasPrefix(name, "lib/cli/") || strings.HasPrefix(name, "lib/node/doctor/") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			expr, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			said, ok := literal(expr)
			if !ok {
				return true
			}
			if strings.Contains(said, " ") && names.MatchString(said) {
				found[path.Dir(name)]++
				if advising[path.Dir(name)] == 0 {
					t.Errorf("%s says %q", name, said)
				}
			}
			return false
		})
	})
	if diff := cmp.Diff(advising, found); diff != "" {
		t.Errorf("texts that name flags and commands (-known +found):\n%s", diff)
	}
}

// literal returns the text of string literals, one or several that are added.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		said, err := strconv.Unquote(e.Value)
		return said, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, ok := literal(e.X)
		right, also := literal(e.Y)
		return left + right, ok && also && e.Op == token.ADD
	}
	return "", false
}
