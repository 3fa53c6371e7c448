package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"plasm/lib/job"
)

// TestAdvice: each fact that a library can state has advice for some code, and no advice is for another.
func TestAdvice(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../job/facts.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	stated := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			stated[strings.Trim(lit.Value, `"`)] = true
		}
		return true
	})
	advice := map[string]bool{}
	for key := range hints() {
		advice[string(key.fact)] = true
		e := &job.Error{Code: key.code, Message: "no", Fact: key.fact, Detail: "data"}
		told := AsError(e)
		if told.Hint == "" || strings.Contains(told.Hint, "DETAIL") || strings.Contains(told.Hint, "OTHER") ||
			e.Hint != "" {
			t.Errorf("%v: %q, %q", key, told.Hint, e.Hint)
		}
		if !stated[string(key.fact)] {
			t.Errorf("no fact is called %s", key.fact)
		}
	}
	for fact := range stated {
		if !advice[fact] {
			t.Errorf("there is no advice for %s", fact)
		}
	}
	own := &job.Error{Code: job.CodeIO, Fact: job.FactDiskFull, Hint: "as it is"}
	if got := AsError(own); got.Hint != "as it is" {
		t.Errorf("a hint of its own becomes %q", got.Hint)
	}
	if got := AsError(&job.Error{Code: job.CodeIO, Fact: job.FactForeign}); !strings.HasSuffix(got.Hint,
		"or name another, which is root's alone") {
		t.Errorf("a file: %q", got.Hint)
	}
}
