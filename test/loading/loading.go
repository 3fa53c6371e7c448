// Package loading times how long an engine takes to load a module, for the benchmarks of
// each engine, which cannot all be in one program.
package loading

import (
	"os"
	"path/filepath"
	"testing"

	"plasm/lib/engine"
)

// Benchmark loads modules whose machine code is in the cache, and for comparison
// compiles them. examples is the folder of the examples, and end lets go of what was
// loaded.
func Benchmark(b *testing.B, e engine.Engine, examples string, end func(engine.Program)) {
	b.Helper()
	for _, name := range []string{"hello", "csvstat"} {
		module, err := os.ReadFile(filepath.Join(examples, name, name+".wasm"))
		if err != nil {
			b.Fatalf("%v (make examples builds it)", err)
		}
		dir := b.TempDir()
		if err := e.Compile(b.Context(), module, dir); err != nil {
			b.Fatal(err)
		}
		for kind, cached := range map[string]string{"cached": dir, "compiled": ""} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				for b.Loop() {
					p, err := e.Load(b.Context(), module, cached, 256)
					if err != nil {
						b.Fatal(err)
					}
					end(p)
				}
			})
		}
	}
}
