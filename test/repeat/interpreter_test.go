package repeat_test

import (
	"path/filepath"
	"testing"

	"plasm/test/variant"
)

// interpreted builds plasm-run with wazero's interpreter in place of its compiler.
func interpreted(t *testing.T) []string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "plasm-run")
	must(t, variant.Build(t.Context(), program, "", interpreter()...))
	return []string{program}
}

// interpreter makes wazero interpret what else it would compile, and lets calls go
// deeper than the 2,000 at which it would stop them: a little deeper than the
// 65,536 that the budget for metered calls allows at most, so that the budget is
// what ends them.
func interpreter() []variant.Edit {
	return []variant.Edit{
		{File: "lib/engine/wazero/engine.go", Old: "wz.NewRuntimeConfigCompiler()", New: "wz.NewRuntimeConfigInterpreter()"},
		{File: "lib/engine/wazero/ceiling.go", New: `package wazero

import _ "unsafe" // for the ceiling of the interpreter

//go:linkname callStackCeiling github.com/tetratelabs/wazero/internal/engine/interpreter.callStackCeiling
var callStackCeiling int

func init() { callStackCeiling = 1<<16 + 100 }
`},
	}
}
