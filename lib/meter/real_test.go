package meter_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"plasm/lib/meter"
	"plasm/test/need"
)

// TestRealModules holds against the limits what clang makes of the kernels and of
// one large switch; TestExamples does it with the examples, of which one is Go's.
func TestRealModules(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	large := filepath.Join(folder, "large.c")
	if err := os.WriteFile(large, []byte(largeSwitch(2000)), 0o600); err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob(filepath.Join("..", "..", "bench", "kernels", "*.c"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no kernels: %v", err)
	}
	for _, source := range append(sources, large) {
		for _, level := range []string{"-O0", "-O2"} {
			if source == large && level == "-O0" {
				continue // each case has locals of its own: too many, and docs/limits.md says so
			}
			out := filepath.Join(folder, filepath.Base(source)+level+".wasm")
			cmd := exec.CommandContext(t.Context(), need.Clang(t), "--target=wasm32-wasi", level, "-o", out, source)
			if output, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			module, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if err := meter.Check(module, meter.DefaultLimits()); err != nil {
				t.Errorf("%s with %s: %v", filepath.Base(source), level, err)
			}
			rewrite(t, module, meter.Options{Fuel: true, CanonicalNaN: true})
		}
	}
}

func largeSwitch(cases int) string {
	var b strings.Builder
	b.WriteString("int f(unsigned x, int a, int b) {\n\tswitch (x) {\n")
	for i := range cases {
		fmt.Fprintf(&b, "\tcase %d: a = a * %d + b; b ^= a >> %d; break;\n", i, i*7+3, i%20+1)
	}
	b.WriteString("\tdefault: a = 1;\n\t}\n\treturn a + b;\n}\n")
	b.WriteString("int main(int c, char **v) {\n\t(void)v;\n\tint s = 0;\n\tfor (int i = 0; i < 100; i++) s = f(i + " +
		"c, s, i);\n\treturn s & 1;\n}\n")
	return b.String()
}
