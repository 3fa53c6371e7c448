package wazero

import (
	"testing"

	"plasm/lib/engine"
	"plasm/test/loading"
)

func BenchmarkLoad(b *testing.B) {
	loading.Benchmark(b, Engine{}, "../../../examples", func(p engine.Program) {
		loaded, ok := p.(*program)
		if !ok {
			b.Fatalf("a %T", p)
		}
		_ = loaded.runtime.Close(b.Context())
	})
}
