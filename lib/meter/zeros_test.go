package meter_test

import (
	"fmt"
	"testing"

	wz "github.com/tetratelabs/wazero"

	"plasm/lib/meter"
	"plasm/test/guest"
)

// TestZeros holds zeros that are counted as ones against the instructions, with what each
// costs.
func TestZeros(t *testing.T) {
	t.Parallel()
	b := guest.Builder{}
	for i, op := range []byte{0x67, 0x68, 0x79, 0x7a} {
		typ := types{i32}
		if i >= 2 {
			typ = types{guest.I64}
		}
		b.Funcs = append(b.Funcs, guest.Func{
			Type: guest.FuncType{Params: typ, Results: typ},
			Body: guest.Seq(guest.Get(0), guest.Code{op}),
		})
		b.Exports = append(b.Exports, guest.Export{Name: fmt.Sprint(i), Index: uint32(i)})
	}
	numbers := []uint64{0, 3, 5, 1<<31 - 1, 0x00f0_0f00, 1<<32 - 1, 1<<63 - 1, 0x0ff0_0000_0ff0_0000, 1<<64 - 1}
	for length := range 64 {
		numbers = append(numbers, 1<<length, 1<<length|1, 1<<63>>length|1<<63)
	}
	module := b.Bytes()
	for name, cfg := range backends() {
		for _, o := range []meter.Options{{}, {Fuel: true}} {
			plain := instantiate(t, cfg, rewrite(t, module, o), wz.NewModuleConfig())
			o.Zeros = true
			mended := instantiate(t, cfg, rewrite(t, module, o), wz.NewModuleConfig())
			for i := range 4 {
				for _, n := range numbers {
					if i < 2 {
						n &= 1<<32 - 1
					}
					if want, got := call(plain, i, o.Fuel, n), call(mended, i, o.Fuel, n); got != want {
						t.Errorf("%s: function %d of %x: %s, want %s", name, i, n, got, want)
					}
				}
			}
		}
	}
}
