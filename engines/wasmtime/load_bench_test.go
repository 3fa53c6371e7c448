package wasmtime

import (
	"testing"

	"plasm/lib/engine"
	"plasm/test/loading"
)

func BenchmarkLoad(b *testing.B) {
	loading.Benchmark(b, Engine{}, "../../examples", func(p engine.Program) {
		loaded, ok := p.(*program)
		if !ok {
			b.Fatalf("a %T", p)
		}
		loaded.thread.run(func() {})
		loaded.growth.close()
		loaded.module.Close()
		loaded.engine.Close()
	})
}
