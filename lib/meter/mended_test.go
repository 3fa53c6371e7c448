package meter_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	wz "github.com/tetratelabs/wazero"

	"plasm/lib/meter"
	"plasm/test/guest"
)

// TestUnsigned converts unsigned numbers: those at which a float is rounded, and random
// ones of each length. It costs what the one instruction does.
func TestUnsigned(t *testing.T) {
	t.Parallel()
	var numbers []uint64
	random := rand.New(rand.NewPCG(1, 1))
	for length := range 64 {
		for range 8 {
			numbers = append(numbers, random.Uint64()>>length)
		}
		for _, off := range []uint64{0, 1, 2, 3} {
			bit := uint64(1) << length
			numbers = append(numbers, bit-off, bit+off, bit|bit>>24+off, bit|bit>>53+off, bit|bit>>25-off,
				bit|bit>>54-off)
		}
	}
	of := func(op byte, result guest.ValType) guest.Func {
		return guest.Func{
			Type: guest.FuncType{Params: types{guest.I64}, Results: types{result}},
			Body: guest.Seq(guest.Get(0), guest.Code{op}),
		}
	}
	module := (&guest.Builder{
		Funcs:   []guest.Func{of(0xb5, f32), of(0xba, f64), of(0xb4, f32)},
		Exports: []guest.Export{{Name: "0"}, {Name: "1", Index: 1}, {Name: "2", Index: 2}},
	}).Bytes()
	mask := []uint64{1<<32 - 1, 1<<64 - 1} // what else is in the place of an f32 means nothing
	for backend, cfg := range backends() {
		for _, o := range []meter.Options{{}, {Fuel: true}, {CanonicalNaN: true}} {
			i := instantiate(t, cfg, rewrite(t, module, o), wz.NewModuleConfig())
			costs := call(i, 2, o.Fuel, 0) // of the signed conversion
			for _, n := range numbers {
				for function, want := range []uint64{
					uint64(math.Float32bits(float32(n))),
					math.Float64bits(float64(n)),
				} {
					if o.Fuel {
						i.fuel(plenty)
					}
					results, end := i.call([]string{"0", "1"}[function], n)
					if end != "" || len(results) != 1 {
						t.Fatalf("%s: %d: %x %s", backend, n, results, end)
					}
					if got := results[0] & mask[function]; got != want {
						t.Fatalf("%s: %d is %x, want %x", backend, n, got, want)
					}
				}
			}
			if got := call(i, 0, o.Fuel, 0); got != costs {
				t.Errorf("%s: %s, and the signed one %s", backend, got, costs)
			}
		}
	}
}

// TestMended holds what is computed otherwise against the operations, on numbers of all
// kinds, NaNs of both signs among them.
func TestMended(t *testing.T) {
	t.Parallel()
	seen := 0
	for result, signatures := range signatures() {
		for _, s := range signatures {
			switch fmt.Sprintf("%x", []byte(s.opcode)) {
			case "98", "a6", "fd52": // copysign and bitselect
			default:
				continue
			}
			seen++
			module, n := tried(result, s)
			for backend, cfg := range backends() {
				want, end := resultsOf(t, cfg, module, n)
				got, endAfter := resultsOf(t, cfg, rewrite(t, module, meter.Options{}), n)
				if !bytes.Equal(got, want) || end != endAfter {
					t.Errorf("%s: %x: the results differ, ends %q and %q", backend, []byte(s.opcode), end, endAfter)
				}
			}
		}
	}
	if seen != 3 {
		t.Errorf("%d of 3 operations were tried", seen)
	}
}
