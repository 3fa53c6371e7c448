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

// interpreter makes wazero interpret what else it would compile: the module as it was
// prepared is all that comes of compiling. It lets calls go
// deeper than the 2,000 at which it would stop them: a little deeper than the
// 65,536 that the budget for metered calls allows at most, so that the budget is
// what ends them.
func interpreter() []variant.Edit {
	return []variant.Edit{
		{
			File: "lib/engine/wazero/engine.go", Old: "wz.NewRuntimeConfigCompiler()",
			New: "wz.NewRuntimeConfigInterpreter()",
		},
		{
			File: "lib/engine/wazero/engine.go",
			Old:  "	if c.failed != nil { // and not the module\n",
			New:  "	_, c.failed = out.Write(module)\n	if c.failed != nil { // and not the module\n",
		},
		{
			File: "lib/engine/wazero/engine.go",
			Old:  "		p.compiled, err = compile(ctx, r, skeleton(module))\n",
			New: "		c.taken = true\n		module, _ = io.ReadAll(compiled)\n		p.compiled, err = " +
				"compile(ctx, r, module)\n",
		},
		// It interprets on a stack of Go's, which is larger than the engine's own.
		{
			File: "lib/sandbox/worker/confine_linux.go", Old: "	runMemory     = 320 << 20 ",
			New: "	runMemory     = 1856 << 20 ",
		},
		{File: "lib/engine/wazero/ceiling.go", New: `package wazero

import _ "unsafe" // for the ceiling of the interpreter

//go:linkname callStackCeiling github.com/tetratelabs/wazero/internal/engine/interpreter.callStackCeiling
var callStackCeiling int

func init() { callStackCeiling = 1<<16 + 100 }
`},
	}
}
