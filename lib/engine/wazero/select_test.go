package wazero

import (
	"fmt"
	"slices"
	"testing"

	"plasm/lib/engine"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// Where a selecting program has two numbers, of 16 bytes each, and where it writes
// what it calls a function with. The address to write to next is at selectNext.
const (
	selectNumbers = 1024
	selectNext    = 1536
	selectCalls   = 2048
)

// numberType is a type that a selecting program can have.
type numberType struct {
	name        string
	valType     guest.ValType
	load, store guest.Code
}

// selecting is a program that holds two numbers across a call, selects one of them,
// and calls the function with what it selected and with the first of them. So the
// register in which the function takes its first parameter is wanted for both.
func selecting(n numberType, data []byte, condition int64) []byte {
	load := func(offset uint64) guest.Code {
		return guest.Seq(guest.Int(0), n.load, guest.Code{0}, wasm.AppendU32(nil, uint32(offset)))
	}
	next := guest.Load(wasm.OpI32Load, selectNext, guest.Int(0))
	two := []guest.ValType{n.valType, n.valType}
	i32s := slices.Repeat([]guest.ValType{guest.I32}, 4)
	const (
		write, keep = 0, 1 // functions
		x, y        = 0, 1 // locals
	)
	return (&guest.Builder{
		Imports: []guest.Import{{
			Module: "wasi_snapshot_preview1", Name: "fd_write",
			Func: guest.FuncType{Params: i32s, Results: i32s[:1]},
		}},
		Memory:  &guest.Limits{Min: 1},
		Globals: []guest.Global{{Type: guest.I32, Mutable: true, Init: guest.Int(condition)}},
		Data:    []guest.Data{{Offset: guest.Int(selectNumbers), Bytes: data}},
		Exports: []guest.Export{{Name: "memory", Kind: guest.KindMemory}, {Name: "_start", Index: 2}},
		Funcs: []guest.Func{
			{Type: guest.FuncType{Params: two}, Body: guest.Seq(
				next, guest.Get(0), n.store, guest.Code{0}, wasm.AppendU32(nil, selectCalls),
				next, guest.Get(1), n.store, guest.Code{0}, wasm.AppendU32(nil, selectCalls+16),
				guest.Store(wasm.OpI32Store, selectNext, guest.Int(0), guest.Op(wasm.OpI32Add, next, guest.Int(32))),
			)},
			{Locals: two, Body: guest.Seq(
				guest.Set(x, load(selectNumbers)), guest.Set(y, load(selectNumbers+16)),
				guest.Call(keep, guest.Get(x), guest.Get(y)),
				guest.Call(keep, guest.Op(0x1b, guest.Get(x), guest.Get(y), guest.Code{0x23, 0}), guest.Get(y)),
				guest.Call(keep, guest.Get(x), guest.Get(y)),
				guest.Store(wasm.OpI32Store, 0, guest.Int(0), guest.Int(selectCalls)),
				guest.Store(wasm.OpI32Store, 4, guest.Int(0), guest.Int(6*16)),
				guest.Op(wasm.OpDrop, guest.Call(write, guest.Int(1), guest.Int(0), guest.Int(1), guest.Int(8))),
			)},
		},
	}).Bytes()
}

// TestSelect selects floats and vectors where one register is wanted for what is
// selected and for what it is selected from.
func TestSelect(t *testing.T) {
	t.Parallel()
	for _, n := range []numberType{
		{"f32", guest.F32, guest.Code{0x2a}, guest.Code{0x38}},
		{"f64", 0x7c, guest.Code{0x2b}, guest.Code{0x39}},
		{"v128", guest.V128, guest.Code{0xfd, 0}, guest.Code{0xfd, 0x0b}},
	} {
		for condition, chosen := range map[int64]string{0: "y", 1: "x"} {
			t.Run(fmt.Sprint(n.name, " ", chosen), func(t *testing.T) {
				t.Parallel()
				numbers := map[string][]byte{"x": make([]byte, 16), "y": make([]byte, 16)}
				copy(numbers["x"], "\x01\x02\x03\x04")
				copy(numbers["y"], "\x05\x06\x07\x08")
				want := slices.Concat(numbers["x"], numbers["y"], numbers[chosen], numbers["y"], numbers["x"],
					numbers["y"])
				got := play(t, selecting(n, slices.Concat(numbers["x"], numbers["y"]), condition), nil, engine.Host{})
				if got.Stdout != string(want) {
					t.Errorf("the function was called with % x, want % x", got.Stdout, want)
				}
			})
		}
	}
}
