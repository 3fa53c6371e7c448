package wasmtime

import (
	"os"
	"testing"
)

// BenchmarkLoad loads modules whose machine code is in the cache, and for
// comparison compiles them, as that of the built-in engine does.
func BenchmarkLoad(b *testing.B) {
	for _, name := range []string{"hello", "csvstat"} {
		module, err := os.ReadFile("../../examples/" + name + "/" + name + ".wasm")
		if err != nil {
			b.Fatalf("%v (make examples builds it)", err)
		}
		dir := b.TempDir()
		if err := (Engine{}).Compile(b.Context(), module, dir); err != nil {
			b.Fatal(err)
		}
		for kind, cached := range map[string]string{"cached": dir, "compiled": ""} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				for b.Loop() {
					p, err := (Engine{}).Load(b.Context(), module, cached, 256)
					if err != nil {
						b.Fatal(err)
					}
					loaded, ok := p.(*program)
					if !ok {
						b.Fatalf("a %T", p)
					}
					loaded.thread.run(func() {})
					loaded.wasi.Close(b.Context())
					loaded.module.Close()
					loaded.engine.Close()
				}
			})
		}
	}
}
