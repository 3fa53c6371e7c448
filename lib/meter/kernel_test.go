package meter_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	wz "github.com/tetratelabs/wazero"

	"plasm/lib/meter"
	"plasm/test/need"
)

// kernels are the sources in bench/kernels, and how often each does its work here.
func kernels() map[string]string {
	return map[string]string{"matmul": "8", "sha256": "25", "sort": "15"}
}

func kernel(tb testing.TB, name string) []byte {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), name+".wasm")
	source := filepath.Join("..", "..", "bench", "kernels", name+".c")
	cmd := exec.CommandContext(tb.Context(), need.Clang(tb), "--target=wasm32-wasi", "-O2", "-Wall", "-Wextra",
		"-Werror", "-o", out, source)
	if output, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%v: %s", err, output)
	}
	module, err := os.ReadFile(out)
	if err != nil {
		tb.Fatal(err)
	}
	return module
}

// BenchmarkOverhead compares each kernel with itself, rewritten. Each is the best
// of several runs, in turns, so that what else the machine does counts little.
func BenchmarkOverhead(b *testing.B) {
	const target = 1.4
	for name, rounds := range kernels() {
		b.Run(name, func(b *testing.B) {
			plain := kernel(b, name)
			modules := [][]byte{
				plain, rewrite(b, plain, meter.Options{Fuel: true}),
				rewrite(b, plain, meter.Options{CanonicalNaN: true}),
			}
			best := []time.Duration{time.Hour, time.Hour, time.Hour}
			for b.Loop() {
				for range 5 {
					for i, module := range modules {
						best[i] = min(best[i], took(b, module, i == 1, rounds))
					}
				}
			}
			fuel, nans := float64(best[1])/float64(best[0]), float64(best[2])/float64(best[0])
			b.ReportMetric(fuel, "fuel/plain")
			b.ReportMetric(nans, "nans/plain")
			b.ReportMetric(0, "ns/op")
			if fuel > target {
				b.Errorf("counting fuel takes %.2f times as long, more than %.1f", fuel, target)
			}
		})
	}
}

func took(b *testing.B, module []byte, fuel bool, rounds string) time.Duration {
	b.Helper()
	i := instantiate(b, backends()["compiler"], module, wz.NewModuleConfig().WithArgs("module", rounds))
	if fuel {
		i.fuel(plenty)
	}
	begun := time.Now()
	if _, end := i.call("_start"); end != "" {
		b.Fatal(end)
	}
	return time.Since(begun)
}
