package wasmtime

import (
	"errors"
	"math"
	"testing"

	wt "github.com/bytecodealliance/wasmtime-go/v44"

	"plasm/lib/meter"
	"plasm/test/guest"
)

// TestCallDepth goes exactly as deep as the budget of a guest that counts fuel
// allows, and one call deeper, with frames of all sizes: Wasmtime's own limit is
// never met.
func TestCallDepth(t *testing.T) {
	t.Parallel()
	for _, deep := range guest.Recursions() {
		t.Run(deep.Name, func(t *testing.T) {
			t.Parallel()
			plain, units := deep.Module()
			module, err := meter.Rewrite(plain, meter.Options{Fuel: true})
			must(t, err)
			e := newEngine(newGrowth())
			m, err := wt.NewModule(e, module)
			must(t, err)
			calls := int32(meter.StackUnits / units)
			th, err := newThread()
			must(t, err)
			th.run(func() {
				if result, left, err := recurse(e, m, calls-1); err != nil || result != calls-1 ||
					left != meter.StackUnits {
					t.Errorf("%d calls of %d units: %v, %v, and %d units are left", calls, units, result, err, left)
				}
				_, left, err := recurse(e, m, calls)
				trap, ok := errors.AsType[*wt.Trap](err)
				if !ok || trap.Code() == nil || *trap.Code() != wt.UnreachableCodeReached || left >= 0 {
					t.Errorf("%d calls of %d units: %v, and %d units are left", calls+1, units, err, left)
				}
			})
		})
	}
}

// recurse calls run(n) of a module and returns its result, and the units of stack
// that are left behind it.
func recurse(e *wt.Engine, m *wt.Module, n int32) (result any, left int32, err error) {
	store := wt.NewStore(e)
	i, err := wt.NewInstance(store, m, nil)
	if err != nil {
		return nil, 0, err
	}
	err = i.GetExport(store, meter.FuelGlobal).Global().Set(store, wt.ValI64(math.MaxInt32))
	if err == nil {
		result, err = i.GetFunc(store, "run").Call(store, n)
	}
	return result, i.GetExport(store, meter.StackGlobal).Global().Get(store).I32(), err
}
