//go:build linux

package hostile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/test/hostile"
)

// TestSameOnEveryEngine runs the examples with fuel counted and NaNs made canonical:
// engines agree on output, end and fuel to the unit.
func TestSameOnEveryEngine(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"hello", "wordcount", "sha256", "mandelbrot"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			module, err := os.ReadFile(filepath.Join("..", "..", "examples", name, name+".wasm"))
			must(t, err)
			var first string
			for _, engine := range hostile.Engines() {
				g := newGround(t)
				r := g.run(t, g.write(t, module), strings.NewReader("one two\ntwo three\n"), "--engine", engine, "--fuel", "100000000000", "--canonical-nan")
				if r.outcome == nil || r.outcome.Status != job.Exit || r.outcome.FuelUsed == nil {
					t.Fatalf("%s: %s %+v", engine, r.message, r.outcome)
				}
				got := fmt.Sprintf("exit %d, fuel %d, %s", *r.outcome.ExitCode, *r.outcome.FuelUsed, job.Sum(r.stdout.Bytes()))
				if first == "" {
					first = got
				}
				if got != first || r.stdout.Len() == 0 {
					t.Errorf("%s: %s, and on %s %s", engine, got, hostile.Engines()[0], first)
				}
			}
		})
	}
}
