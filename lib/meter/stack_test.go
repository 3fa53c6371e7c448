package meter_test

import (
	"testing"
	_ "unsafe" // for the ceiling of the interpreter

	wz "github.com/tetratelabs/wazero"

	"plasm/lib/meter"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// interpreterCeiling is how many calls deep wazero's interpreter lets a guest go:
// 2000, far below what the budget and every compiler allow.
//
//go:linkname interpreterCeiling github.com/tetratelabs/wazero/internal/engine/interpreter.callStackCeiling
var interpreterCeiling int

func TestMain(m *testing.M) {
	interpreterCeiling = 1 << 20
	m.Run()
}

// TestCallDepth goes exactly as deep as the budget allows, and one call deeper,
// with frames of all sizes: the engine's own limit is never met.
func TestCallDepth(t *testing.T) {
	t.Parallel()
	for _, deep := range guest.Recursions() {
		t.Run(deep.Name, func(t *testing.T) {
			t.Parallel()
			plain, units := deep.Module()
			module := rewrite(t, plain, meter.Options{Fuel: true})
			calls := uint64(meter.StackUnits / units)
			for name, cfg := range backends() {
				i := instantiate(t, cfg, module, wz.NewModuleConfig())
				i.fuel(plenty)
				results, end := i.call("run", calls-1)
				if end != "" || results[0] != calls-1 || i.stack() != meter.StackUnits {
					t.Errorf("%s: %d calls of %d units end in %q and leave %d units", name, calls, units, end,
						i.stack())
				}
				_, end = i.call("run", calls)
				if end != "unreachable" || i.stack() >= 0 || i.left() < 0 {
					t.Errorf("%s: %d calls of %d units end in %q, and leave %d units and %d fuel", name, calls+1, units,
						end, i.stack(), i.left())
				}
			}
		})
	}
}

// TestFramesAreGivenBack leaves a function by every way out, often enough that
// the budget would not last.
func TestFramesAreGivenBack(t *testing.T) {
	t.Parallel()
	get := guest.Get(0)
	again := guest.Call(1, guest.Op(wasm.OpI32Sub, get, guest.Int(1)))
	bodies := map[string]guest.Code{
		"end":    guest.Seq(guest.Call(2), get),
		"return": guest.Seq(guest.Call(2), guest.Block(guest.Loop(get, guest.Code{wasm.OpReturn})), get),
		"br":     guest.Seq(guest.Call(2), guest.Block(get, guest.Br(1)), get),
		"br_if":  guest.Seq(guest.Call(2), get, guest.Int(1), guest.Code{0x0d, 0}),
		"br_table": guest.Seq(guest.Call(2), guest.Block(get, guest.Int(0), guest.Code{0x0e, 1, 1, 1}),
			guest.Int(1)),
		"return_call":          guest.Seq(guest.Call(2), get, guest.Code{0x12, 3}),
		"return_call_indirect": guest.Seq(guest.Call(2), get, guest.Int(3), guest.Code{0x13, 3, 0}),
		"tail recursion": guest.Seq(guest.If(get, guest.Op(wasm.OpI32Sub, get, guest.Int(1)),
			guest.Code{0x12, 1}), get),
		"recursion": guest.Seq(guest.If(guest.Op(0x4b, get, guest.Int(39_900)), again, guest.Code{wasm.OpDrop}), get),
	}
	unary := guest.FuncType{Params: types{i32}, Results: types{i32}}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			module := rewrite(t, (&guest.Builder{
				Table: &guest.Limits{Min: 4},
				Funcs: []guest.Func{
					{
						Type: guest.FuncType{Params: types{i32}},
						Body: guest.Loop(guest.Op(wasm.OpDrop, guest.Call(1, get)), guest.Increase(0, -1),
							guest.BrIf(0, get)),
					},
					{Type: unary, Body: body},
					{Body: one},
					{Type: unary, Body: guest.Seq(guest.Call(2), get)},
				},
				Elems:   []guest.Elem{{Offset: guest.Int(0), Funcs: []uint32{0, 1, 2, 3}}},
				Exports: []guest.Export{{Name: "run"}},
			}).Bytes(), meter.Options{Fuel: true})
			rounds := uint64(40_000)
			if name == "tail recursion" {
				rounds = 1000
			}
			for backend, cfg := range backends() {
				i := instantiate(t, cfg, module, wz.NewModuleConfig())
				i.fuel(plenty)
				if _, end := i.call("run", rounds); end != "" || i.stack() != meter.StackUnits {
					t.Errorf("%s: it ends in %q and leaves %d units", backend, end, i.stack())
				}
			}
		})
	}
}
