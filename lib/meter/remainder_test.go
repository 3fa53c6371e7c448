package meter_test

import (
	"fmt"
	"testing"

	wz "github.com/tetratelabs/wazero"

	"plasm/lib/meter"
	"plasm/test/guest"
)

// remainders exports the four remainders as 0 to 3: those of i32, then of i64.
func remainders() []byte {
	i64 := guest.I64
	b := guest.Builder{}
	for i, op := range []byte{0x6f, 0x70, 0x81, 0x82} {
		typ := guest.FuncType{Params: types{i32, i32}, Results: types{i32}}
		if i >= 2 {
			typ = guest.FuncType{Params: types{i64, i64}, Results: types{i64}}
		}
		b.Funcs = append(b.Funcs, guest.Func{Type: typ, Body: guest.Seq(guest.Get(0), guest.Get(1), guest.Code{op})})
		b.Exports = append(b.Exports, guest.Export{Name: fmt.Sprint(i), Index: uint32(i)})
	}
	return b.Bytes()
}

// TestRemainders holds what is computed from quotients against the instructions, at
// the ends of the numbers and around 0, with what each costs.
func TestRemainders(t *testing.T) {
	t.Parallel()
	numbers := []uint64{
		0, 1, 2, 3, 7, 10, 60, 255, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 10, 1<<32 - 2, 1<<32 - 1,
		1 << 32, 1<<63 - 1, 1 << 63, 1<<63 + 1, 1<<64 - 60, 1<<64 - 2, 1<<64 - 1,
	}
	module := remainders()
	for name, cfg := range backends() {
		for _, o := range []meter.Options{{}, {Fuel: true}, {CanonicalNaN: true}} {
			plain := instantiate(t, cfg, rewrite(t, module, o), wz.NewModuleConfig())
			o.Remainders = true
			mended := instantiate(t, cfg, rewrite(t, module, o), wz.NewModuleConfig())
			for i := range 4 {
				for _, a := range numbers {
					for _, b := range numbers {
						if i < 2 && (a > 1<<32-1 || b > 1<<32-1) {
							continue
						}
						want, got := call(plain, i, o.Fuel, a, b), call(mended, i, o.Fuel, a, b)
						if got != want {
							t.Errorf("%s: remainder %d of %d by %d: %s, want %s", name, i, a, b, got, want)
						}
					}
				}
			}
		}
	}
}

func call(i *instance, function int, fuel bool, args ...uint64) string {
	if fuel {
		i.fuel(plenty)
	}
	results, end := i.call(fmt.Sprint(function), args...)
	left := int64(plenty)
	if fuel {
		left = i.left()
	}
	return fmt.Sprint(results, end, left)
}
