package meter_test

import (
	"testing"

	wz "github.com/tetratelabs/wazero"

	"plasm/lib/meter"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

var (
	noop = guest.Code{0x01}
	one  = guest.Op(wasm.OpDrop, guest.Int(1)) // costs 2
)

// priced is a body for run(n i32), which has two more i32 locals, and what it costs by the
// rules of the package comment. Functions 1 and 2 cost 2 each to run; 3 is imported in
// those modules that have imports.
type priced struct {
	name string
	body guest.Code
	arg  uint64
	cost int64
	end  string
}

func prices() []priced {
	get, n := guest.Get(0), guest.Code{0x20, 0}
	return []priced{
		{"nothing", guest.Seq(noop, guest.Block()), 0, 0, ""},
		{"plain", one, 0, 2, ""},
		{"division", guest.Op(wasm.OpDrop, guest.Op(wasm.OpI32DivS, guest.Int(7), guest.Int(2))), 0, 8, ""},
		{"float division and root", guest.Op(wasm.OpDrop,
			guest.Op(0x91, guest.Op(0x95, guest.Float(1), guest.Float(2)))), 0, 13, ""},
		{"simd", guest.Seq(vector(1), vector(2), guest.Code{0xfd, 0x6e, wasm.OpDrop}), 0, 5, ""},
		{"simd division", guest.Seq(vector(1), vector(2), guest.Code{0xfd, 0xe7, 1, wasm.OpDrop}), 0, 8, ""},
		{"if taken", guest.If(get, one), 1, 2 + 2, ""},
		{"if not taken", guest.If(get, one), 0, 2, ""},
		{"arms", guest.Seq(n, guest.Code{0x04, 0x40}, one, guest.Code{0x05}, one, one, guest.Code{0x0b}), 0, 2 + 4, ""},
		{"behind an if", guest.Seq(guest.If(get, one), one), 0, 4, ""},
		{"loop", guest.Loop(guest.Increase(0, -1), guest.BrIf(0, get)), 10, 10 * 6, ""},
		{"behind a loop", guest.Seq(guest.Loop(guest.Increase(0, -1), guest.BrIf(0, get)), one), 10, 10*6 + 2, ""},
		{
			"while",
			guest.Block(guest.Loop(guest.BrIf(1, guest.Op(wasm.OpI32Eqz, get)), guest.Increase(0, -1), guest.Br(0))),
			10, 10*(3+5) + 3, "",
		},
		{
			"out of two loops",
			guest.Block(guest.Loop(guest.Loop(guest.Increase(0, -1), guest.BrIf(2, guest.Op(wasm.OpI32Eqz, get)),
				guest.Br(1)))), 3, 2*(7+1) + 7, "",
		},
		{"br_if over code", guest.Block(guest.BrIf(0, get), one), 1, 2, ""},
		{"br_if into code", guest.Block(guest.BrIf(0, get), one), 0, 4, ""},
		{"behind a br_if's block", guest.Seq(guest.Block(guest.BrIf(0, get), one, one), one), 1, 2 + 2, ""},
		{
			"return from within", guest.Seq(guest.Block(guest.If(get, guest.Code{wasm.OpReturn}), one), one), 1, 2 + 1,
			"",
		},
		{"no return", guest.Seq(guest.Block(guest.If(get, guest.Code{wasm.OpReturn}), one), one), 0, 2 + 2 + 2, ""},
		{"br_table first", table(get), 0, 3 + 2, ""},
		{"br_table default", table(get), 7, 3, ""},
		{"dead code", guest.Seq(guest.Block(guest.Br(0), one, one), one), 0, 3, ""},
		{"a trap has paid its region", guest.Seq(guest.Code{wasm.OpUnreachable}, one), 0, 0, "unreachable"},
		{
			"division by zero", guest.Seq(one, guest.Op(wasm.OpDrop, guest.Op(wasm.OpI32DivS, get, get)), one), 0,
			2 + 8 + 2, "integer divide by zero",
		},
		{"call", guest.Call(1), 0, 5 + 2, ""},
		{
			"calls in a loop", guest.Loop(guest.Call(1), guest.Increase(0, -1), guest.BrIf(0, get)), 5, 5 * (5 + 2 + 6),
			"",
		},
		{"call_indirect", guest.CallIndirect(1, get), 1, 1 + 10 + 2, ""},
		{"return_call", guest.Code{0x12, 1}, 0, 5 + 2, ""},
		{"return_call_indirect", guest.Seq(get, guest.Code{0x13, 1, 0}), 1, 1 + 10 + 2, ""},
		{"fill of 1000", guest.MemoryFill(guest.Int(0), guest.Int(1), get), 1000, 3 + 10 + 62, ""},
		{"fill of 15", guest.MemoryFill(guest.Int(0), guest.Int(1), get), 15, 3 + 10, ""},
		{
			"fill beyond the end", guest.MemoryFill(guest.Int(0), guest.Int(1), get), 1<<32 - 1, 3 + 10 + 1<<28 - 1,
			"out of bounds memory access",
		},
		{"fills in a loop", guest.Loop(guest.MemoryFill(guest.Int(0), guest.Int(1), guest.Int(160)),
			guest.Increase(0, -1), guest.BrIf(0, get)), 3, 3 * (3 + 10 + 10 + 6), ""},
		{"copy", guest.Seq(guest.Int(0), guest.Int(100), get, guest.Code{0xfc, 10, 0, 0}), 64, 3 + 10 + 4, ""},
		{"table.copy", guest.Seq(guest.Int(0), guest.Int(1), get, guest.Code{0xfc, 14, 0, 0}), 3, 3 + 10 + 3, ""},
		{"table.fill", guest.Seq(guest.Int(0), guest.Code{0xd2, 1}, get, guest.Code{0xfc, 17, 0}), 4, 3 + 10 + 4, ""},
		{"memory.grow", guest.Op(wasm.OpDrop, guest.MemoryGrow(guest.Int(1))), 0, 252, ""},
		{"table.grow", guest.Seq(guest.Code{0xd2, 1}, guest.Int(1), guest.Code{0xfc, 15, 0, wasm.OpDrop}), 0, 253, ""},
	}
}

// table is code with a br_table that goes to one of two blocks.
func table(index guest.Code) guest.Code {
	return guest.Block(guest.Block(index, guest.Code{0x0e, 1, 0, 1}), one)
}

func (p priced) module() []byte {
	two := guest.Func{Body: one}
	return (&guest.Builder{
		Memory: &guest.Limits{Min: 1, Max: 2},
		Table:  &guest.Limits{Min: 4, Max: 6},
		Funcs: []guest.Func{
			{Type: guest.FuncType{Params: types{i32}}, Locals: types{i32, i32}, Body: p.body},
			two, two,
		},
		Elems:   []guest.Elem{{Offset: guest.Int(0), Funcs: []uint32{0, 1, 2}}},
		Exports: []guest.Export{{Name: "run"}},
	}).Bytes()
}

// TestFuel runs each body with exactly what it costs, and with 1 less.
func TestFuel(t *testing.T) {
	t.Parallel()
	for _, p := range prices() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			for _, options := range []meter.Options{{Fuel: true}, {Fuel: true, CanonicalNaN: true}} {
				module := rewrite(t, p.module(), options)
				for name, cfg := range backends() {
					i := instantiate(t, cfg, module, wz.NewModuleConfig())
					i.fuel(p.cost)
					if _, end := i.call("run", p.arg); end != p.end || i.left() != 0 {
						t.Errorf("%s: with %d fuel it ends in %q and leaves %d, want %q and 0", name, p.cost, end,
							i.left(), p.end)
					}
					if p.end == "" && i.stack() != meter.StackUnits {
						t.Errorf("%s: %d units of stack are left", name, i.stack())
					}
					if p.cost == 0 {
						continue
					}
					i.fuel(p.cost - 1)
					if _, end := i.call("run", p.arg); end != "unreachable" || i.left() >= 0 {
						t.Errorf("%s: with %d fuel it ends in %q and leaves %d", name, p.cost-1, end, i.left())
					}
				}
			}
		})
	}
}

// TestFuelBeforeTheFact shows that what there is no fuel for does not happen.
func TestFuelBeforeTheFact(t *testing.T) {
	t.Parallel()
	store := guest.Store(wasm.OpI32Store8, 0, guest.Int(5), guest.Int(1))
	tests := []struct {
		name string
		body guest.Code
		fuel int64
	}{
		{"a store", store, 2},
		{"a fill", guest.MemoryFill(guest.Int(5), guest.Int(1), guest.Int(32)), 14},
		{"behind a loop", guest.Seq(guest.Loop(guest.Increase(0, -1), guest.BrIf(0, guest.Get(0))), store), 8},
		{"in a called function that is not paid", guest.Seq(guest.Call(1), store), 9},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			module := rewrite(t, (&guest.Builder{
				Memory:  &guest.Limits{Min: 1},
				Funcs:   []guest.Func{{Type: guest.FuncType{Params: types{i32}}, Body: test.body}, {Body: one}},
				Exports: []guest.Export{{Name: "run"}, {Name: "memory", Kind: guest.KindMemory}},
			}).Bytes(), meter.Options{Fuel: true})
			for name, cfg := range backends() {
				i := instantiate(t, cfg, module, wz.NewModuleConfig())
				i.fuel(test.fuel)
				_, end := i.call("run", 1)
				if b, _ := i.mod.Memory().ReadByte(5); b != 0 || i.left() >= 0 || end != "unreachable" {
					t.Errorf("%s: it ends in %q, leaves %d, and wrote %d", name, end, i.left(), b)
				}
			}
		})
	}
}

// TestHostCalls shows that a call of an import costs more, and that fuel is
// counted up to an exit.
func TestHostCalls(t *testing.T) {
	t.Parallel()
	module := (&guest.Builder{
		Imports: []guest.Import{{
			Module: "wasi_snapshot_preview1", Name: "proc_exit",
			Func: guest.FuncType{Params: types{i32}},
		}},
		Funcs:   []guest.Func{{Body: guest.Seq(guest.Call(0, guest.Int(3)), one)}},
		Exports: []guest.Export{{Name: "run", Index: 1}},
	}).Bytes()
	rewritten := rewrite(t, module, meter.Options{Fuel: true})
	for name, cfg := range backends() {
		i := instantiate(t, cfg, rewritten, wz.NewModuleConfig())
		i.fuel(100)
		if _, end := i.call("run"); end != "module closed with exit_code(3)" || i.left() != 100-13 {
			t.Errorf("%s: it ends in %q and leaves %d", name, end, i.left())
		}
	}
}

// TestStartFunction shows that the start function runs when it is called, and
// pays.
func TestStartFunction(t *testing.T) {
	t.Parallel()
	start := uint32(1)
	b := guest.Builder{
		Globals: []guest.Global{{Type: i32, Mutable: true, Init: guest.Int(0)}},
		Funcs:   []guest.Func{{Body: one}, {Body: guest.Seq(guest.Int(5), guest.Code{0x24, 0})}},
		Exports: []guest.Export{{Name: "run"}, {Name: "g", Kind: guest.KindGlobal}},
		Start:   &start,
	}
	for name, cfg := range backends() {
		i := instantiate(t, cfg, rewrite(t, b.Bytes(), meter.Options{Fuel: true}), wz.NewModuleConfig())
		if g := i.mod.ExportedGlobal("g").Get(); g != 0 {
			t.Errorf("%s: the start function has run before there was fuel", name)
		}
		i.fuel(2)
		if _, end := i.call(meter.StartExport); end != "" || i.left() != 0 || i.mod.ExportedGlobal("g").Get() != 5 {
			t.Errorf("%s: the start function ends in %q and leaves %d", name, end, i.left())
		}
		// Without fuel the module keeps its start section.
		i = instantiate(t, cfg, rewrite(t, b.Bytes(), meter.Options{CanonicalNaN: true}), wz.NewModuleConfig())
		if g := i.mod.ExportedGlobal("g").Get(); g != 5 || i.mod.ExportedFunction(meter.StartExport) != nil {
			t.Errorf("%s: without fuel the start function has not run", name)
		}
	}
}
