// Package loading compiles and loads modules for the tests of each engine, and times it
// for their benchmarks: engines cannot all be in one program.
package loading

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"plasm/lib/engine"
)

// Load compiles a module and loads what has come of it, as a supervisor has it done in
// two workers.
func Load(tb testing.TB, e engine.Engine, module []byte, memoryMB int64) (engine.Program, error) {
	tb.Helper()
	code, err := Code(tb, e, module)
	if err != nil {
		return nil, err
	}
	return e.Load(tb.Context(), module, code, memoryMB)
}

// Code compiles a module into a file that has no name any more, for as long as the test
// runs.
func Code(tb testing.TB, e engine.Engine, module []byte) (*os.File, error) {
	tb.Helper()
	f, err := os.CreateTemp("", "plasm-code-") //nolint:usetesting // it has no name a line later
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	err = errors.Join(os.Remove(f.Name()), e.Compile(tb.Context(), module, f))
	Rewind(tb, f)
	return f, err
}

// Rewind puts a file at its beginning, where Load expects it.
func Rewind(tb testing.TB, f *os.File) {
	tb.Helper()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		tb.Fatal(err)
	}
}

// Benchmark loads modules whose machine code is there, and for comparison
// compiles them. examples is the folder of the examples, and end lets go of what was
// loaded.
func Benchmark(b *testing.B, e engine.Engine, examples string, end func(engine.Program)) {
	b.Helper()
	for _, name := range []string{"hello", "csvstat"} {
		module, err := os.ReadFile(filepath.Join(examples, name, name+".wasm"))
		if err != nil {
			b.Fatalf("%v (make examples builds it)", err)
		}
		code, err := Code(b, e, module)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/cached", func(b *testing.B) {
			for b.Loop() {
				Rewind(b, code)
				p, err := e.Load(b.Context(), module, code, 256)
				if err != nil {
					b.Fatal(err)
				}
				end(p)
			}
		})
		b.Run(name+"/compiled", func(b *testing.B) {
			for b.Loop() {
				if err := e.Compile(b.Context(), module, io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
