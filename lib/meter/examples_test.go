package meter_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/meter"
	"plasm/test/bin"
)

const examples = "../../examples"

func example(tb testing.TB, name string) []byte {
	tb.Helper()
	file := filepath.Join(examples, name, name+".wasm")
	if name == "csvstat" { // which is not committed
		file = filepath.Join(tb.TempDir(), name+".wasm")
		if err := bin.BuildGuest(tb.Context(), "plasm/examples/"+name, file); err != nil {
			tb.Fatal(err)
		}
	}
	module, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return module
}

// TestExamples runs each example as it is and rewritten.
func TestExamples(t *testing.T) {
	t.Parallel()
	planets, err := os.ReadFile(filepath.Join(examples, "csvstat", "planets.csv"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, input string
		args        []string
	}{
		{"hello", "hello", nil},
		{"cat", "one\ntwo\n", nil},
		{"wordcount", "one two\nthree", nil},
		{"sha256", "abc", nil},
		{"mandelbrot", "", []string{"40", "30"}},
		{"csvstat", string(planets), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			module := example(t, test.name)
			options := meter.Options{Fuel: true, CanonicalNaN: true}
			rewritten := rewrite(t, module, options)
			var used []int64
			for name, cfg := range backends() {
				plain := command(t, cfg, module, false, test.input, test.args...)
				metered := command(t, cfg, rewritten, true, test.input, test.args...)
				if plain.Stdout == "" {
					t.Errorf("%s: nothing is written: %+v", name, plain)
				}
				used = append(used, metered.Fuel)
				metered.Fuel = 0
				if diff := cmp.Diff(plain, metered); diff != "" {
					t.Errorf("%s: plain and rewritten differ (-plain +rewritten):\n%s", name, diff)
				}
			}
			if used[0] != used[1] || used[0] == 0 {
				t.Errorf("fuel used on the two back ends: %d", used)
			}
			t.Logf("%d bytes become %d; fuel %d", len(module), len(rewritten), used[0])
		})
	}
}
