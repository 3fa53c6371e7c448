package meter_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	wz "github.com/tetratelabs/wazero"

	"plasm/lib/job"
	"plasm/lib/meter"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// uneven lists min and max, whose NaNs have other bits on one engine than on another,
// and the size of a float.
func uneven() map[string]int {
	return map[string]int{"96": 4, "97": 4, "fde801": 4, "fde901": 4, "a4": 8, "a5": 8, "fdf401": 8, "fdf501": 8}
}

// TestUnevenNaNs tries every instruction with nothing asked for: the NaNs of min and
// max become canonical, and a module without them stays as it is.
func TestUnevenNaNs(t *testing.T) {
	t.Parallel()
	all, seen := uneven(), 0
	mended := map[string]bool{"b5": true, "ba": true, "98": true, "a6": true, "fd52": true} // rewritten, too
	for result, signatures := range signatures() {
		for _, s := range signatures {
			name := fmt.Sprintf("%x", []byte(s.opcode))
			size := all[name]
			module, n := tried(result, s)
			rewritten := rewrite(t, module, meter.Options{})
			changes, err := meter.Inspect(module, meter.Limits{})
			if changed := !bytes.Equal(rewritten, module); err != nil || changes != (size > 0 || mended[name]) ||
				changed != changes {
				t.Errorf("%s: changes: %v, %v, and it is changed: %v", name, changes, err, changed)
			}
			if size == 0 {
				continue
			}
			seen++
			for backend, cfg := range backends() {
				before, end := resultsOf(t, cfg, module, n)
				after, endAfter := resultsOf(t, cfg, rewritten, n)
				want, changed := canonicalise(before, size, map[guest.ValType]int{f32: 4, f64: 8, v128: 16}[result])
				if !bytes.Equal(after, want) || end != endAfter || changed == 0 {
					t.Errorf("%s: %s: the results differ: %d changed, ends %q and %q", backend, name, changed, end,
						endAfter)
				}
			}
		}
	}
	if seen != len(all) {
		t.Errorf("%d of %d instructions were tried", seen, len(all))
	}
}

// TestUnevenFuel has min cost what add costs, which is not rewritten.
func TestUnevenFuel(t *testing.T) {
	t.Parallel()
	used := func(opcode ...byte) int64 {
		i := instantiate(t, backends()["compiler"], rewrite(t, minimum(3, opcode...), meter.Options{Fuel: true}),
			wz.NewModuleConfig())
		i.fuel(plenty)
		if _, end := i.call("run"); end != "" {
			t.Fatal(end)
		}
		return plenty - i.left()
	}
	for _, pair := range [][2][]byte{{{0xa4}, {0xa0}}, {{0xa5}, {0xa0}}} {
		if got, want := used(pair[0]...), used(pair[1]...); got != want {
			t.Errorf("%x costs %d, want %d", pair[0], got, want)
		}
	}
}

// TestUnevenValues counts what is added against the limit on values.
func TestUnevenValues(t *testing.T) {
	t.Parallel()
	l := meter.DefaultLimits()
	l.Values = 1000
	for opcode, refused := range map[byte]bool{0xa0: false, 0xa4: true} {
		module := minimum(100, opcode)
		if err := meter.Check(module, l); err != nil {
			t.Fatal(err)
		}
		_, err := meter.Rewrite(module, meter.Options{Limits: l})
		if !refused && err != nil {
			t.Errorf("%x: %v", opcode, err)
		} else if refused {
			wantCode(t, err, job.CodeModuleRefused, "values after rewriting in function 0")
		}
	}
}

// minimum is a module that does an instruction n times, on two numbers each.
func minimum(n int, opcode ...byte) []byte {
	number := append(guest.Code{0x44}, make([]byte, 8)...)
	one := guest.Seq(number, number, opcode, guest.Code{wasm.OpDrop})
	return (&guest.Builder{
		Funcs:   []guest.Func{{Body: slices.Repeat(one, n)}},
		Exports: []guest.Export{{Name: "run"}},
	}).Bytes()
}
