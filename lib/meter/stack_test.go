package meter_test

import (
	"slices"
	"testing"
	_ "unsafe" // for the ceiling of the interpreter

	wz "github.com/tetratelabs/wazero"

	"plasm/lib/meter"
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

// recursive is a module whose run(n) calls itself n deep, and its units. Each
// frame has locals and operands of a type, all of which live across the call.
func recursive(t guest.ValType, locals, operands int) (module []byte, units int) {
	zero := map[guest.ValType]guest.Code{i64: guest.Long(3), v128: vector(1)}[t]
	add := map[guest.ValType]guest.Code{i64: {0x7c}, v128: {0xfd, 0xce, 1}}[t]
	// No two of them are the same, or a compiler would keep one.
	next := guest.Seq(guest.Code{0x23, 0}, zero, add, guest.Code{0x24, 0, 0x23, 0})
	var code guest.Code
	for i := range locals {
		code = append(code, guest.Set(uint32(i+1), next)...)
	}
	for range operands {
		code = append(code, next...)
	}
	code = append(code, guest.Set(0, guest.Op(guest.OpI32Add, guest.Call(0, guest.Op(guest.OpI32Sub, guest.Get(0), guest.Int(1))), guest.Int(1)))...)
	// All of them are used, or a compiler would keep none.
	if operands > 0 {
		for range operands - 1 {
			code = append(code, add...)
		}
		code = append(code, 0x24, 0)
	}
	for i := range locals {
		code = append(code, guest.Seq(guest.Get(uint32(i+1)), guest.Code{0x23, 0}, add, guest.Code{0x24, 0})...)
	}
	b := guest.Builder{
		Funcs: []guest.Func{{
			Type: guest.FuncType{Params: types{i32}, Results: types{i32}}, Locals: slices.Repeat(types{t}, locals),
			Body: guest.Seq(guest.If(guest.Get(0), code), guest.Get(0)),
		}},
		Globals: []guest.Global{{Type: t, Mutable: true, Init: zero}},
		Exports: []guest.Export{{Name: "run"}},
	}
	return b.Bytes(), 4 + 1 + locals + operands + 2
}

// TestCallDepth goes exactly as deep as the budget allows, and one call deeper,
// with frames of all sizes: the engine's own limit is never met.
func TestCallDepth(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name             string
		typ              guest.ValType
		locals, operands int
	}{
		{"smallest", i64, 0, 0},
		{"a local", i64, 1, 0},
		{"vectors", v128, 4, 4},
		{"100 locals", i64, 100, 0},
		{"1000 operands", i64, 0, 1000},
		{"1000 vectors as operands", v128, 0, 1000},
		{"9999 locals", i64, 9999, 0},
		{"9999 vectors", v128, 9999, 0},
		{"vectors everywhere", v128, 5000, 5000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			plain, units := recursive(test.typ, test.locals, test.operands)
			module := rewrite(t, plain, meter.Options{Fuel: true})
			calls := uint64(meter.StackUnits / units)
			for name, cfg := range backends() {
				i := instantiate(t, cfg, module, wz.NewModuleConfig())
				i.fuel(plenty)
				results, end := i.call("run", calls-1)
				if end != "" || results[0] != calls-1 || i.stack() != meter.StackUnits {
					t.Errorf("%s: %d calls of %d units end in %q and leave %d units", name, calls, units, end, i.stack())
				}
				_, end = i.call("run", calls)
				if end != "unreachable" || i.stack() >= 0 || i.left() < 0 {
					t.Errorf("%s: %d calls of %d units end in %q, and leave %d units and %d fuel", name, calls+1, units, end, i.stack(), i.left())
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
	again := guest.Call(1, guest.Op(guest.OpI32Sub, get, guest.Int(1)))
	bodies := map[string]guest.Code{
		"end":                  guest.Seq(guest.Call(2), get),
		"return":               guest.Seq(guest.Call(2), guest.Block(guest.Loop(get, guest.Code{guest.OpReturn})), get),
		"br":                   guest.Seq(guest.Call(2), guest.Block(get, guest.Br(1)), get),
		"br_if":                guest.Seq(guest.Call(2), get, guest.Int(1), guest.Code{0x0d, 0}),
		"br_table":             guest.Seq(guest.Call(2), guest.Block(get, guest.Int(0), guest.Code{0x0e, 1, 1, 1}), guest.Int(1)),
		"return_call":          guest.Seq(guest.Call(2), get, guest.Code{0x12, 3}),
		"return_call_indirect": guest.Seq(guest.Call(2), get, guest.Int(3), guest.Code{0x13, 3, 0}),
		"tail recursion":       guest.Seq(guest.If(get, guest.Op(guest.OpI32Sub, get, guest.Int(1)), guest.Code{0x12, 1}), get),
		"recursion":            guest.Seq(guest.If(guest.Op(0x4b, get, guest.Int(39_900)), again, guest.Code{guest.OpDrop}), get),
	}
	unary := guest.FuncType{Params: types{i32}, Results: types{i32}}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			module := rewrite(t, (&guest.Builder{
				Table: &guest.Limits{Min: 4},
				Funcs: []guest.Func{
					{Type: guest.FuncType{Params: types{i32}}, Body: guest.Loop(guest.Op(guest.OpDrop, guest.Call(1, get)), guest.Increase(0, -1), guest.BrIf(0, get))},
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
