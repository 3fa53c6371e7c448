package repeat_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"plasm/lib/wasm"
	"plasm/test/guest"
)

// f64 is the type of a wide number with a fraction.
const f64 guest.ValType = 0x7c

// pressure writes random functions that want more registers than a processor has, with
// what a compiler makes of several instructions in between: remainders, shifts of
// vectors, selects, conversions, calls with many arguments. It makes no NaN.
type pressure struct {
	*rand.Rand
	locals []guest.ValType
}

// Where a program keeps its numbers, and how many bytes of them it writes in the end.
const (
	pressureAt   = 1024
	pressureSize = 16 * 48
)

// pressed is a program of so many functions. Each reads the numbers, and writes them.
func pressed(seed uint64, functions int) []byte {
	p := &pressure{Rand: rand.New(rand.NewPCG(seed, 1))}
	i32s := []guest.ValType{guest.I32, guest.I32, guest.I32, guest.I32}
	b := guest.Builder{
		Imports: []guest.Import{{
			Module: "wasi_snapshot_preview1", Name: "fd_write",
			Func: guest.FuncType{Params: i32s, Results: i32s[:1]},
		}},
		Memory: &guest.Limits{Min: 1},
		Data:   []guest.Data{{Offset: guest.Int(pressureAt), Bytes: p.bytes(pressureSize)}},
		Funcs:  []guest.Func{p.many()},
	}
	var calls guest.Code
	for i := range functions {
		b.Funcs = append(b.Funcs, p.function())
		calls = append(calls, guest.Call(uint32(i+2))...)
	}
	b.Exports = []guest.Export{{Name: "memory", Kind: guest.KindMemory}, {Name: "_start", Index: uint32(functions + 2)}}
	b.Funcs = append(b.Funcs, guest.Func{Body: guest.Seq(
		calls, calls, calls,
		guest.Store(wasm.OpI32Store, 0, guest.Int(0), guest.Int(pressureAt)),
		guest.Store(wasm.OpI32Store, 4, guest.Int(0), guest.Int(pressureSize)),
		guest.Op(wasm.OpDrop, guest.Call(0, guest.Int(1), guest.Int(0), guest.Int(1), guest.Int(8))),
	)})
	return b.Bytes()
}

func (p *pressure) bytes(n int) []byte {
	var out []byte
	for len(out) < n {
		out = binary.LittleEndian.AppendUint64(out, p.Uint64())
	}
	return out
}

func (p *pressure) chance(of float64) bool { return p.Float64() < of }

func one[T any](p *pressure, list ...T) T { return list[p.IntN(len(list))] }

// manyParams are the parameters of the function that takes many.
var manyParams = []guest.ValType{
	guest.I32, guest.I64, f64, guest.I64, guest.I32, guest.I64, guest.V128, guest.I64, guest.I32, guest.I32, guest.I64,
	f64,
	guest.I64, guest.I32, guest.I64, guest.V128, guest.I64, guest.I32, f64, guest.I64,
}

// many returns a function of many parameters that uses each of them.
func (p *pressure) many() guest.Func {
	p.locals = manyParams
	code := guest.Long(7)
	for i, t := range manyParams {
		if t == guest.I32 || t == guest.I64 {
			wide := guest.Get(uint32(i))
			if t == guest.I32 {
				wide = guest.Op(0xac, wide)
			}
			code = guest.Op(one[byte](p, 0x7c, 0x7d, 0x85), guest.Op(0x89, code, guest.Long(int64(i))), wide)
		}
	}
	return guest.Func{
		Type: guest.FuncType{Params: manyParams, Results: []guest.ValType{guest.I64}},
		Body: guest.Op(0x7c, code, p.value(guest.I64, 0)),
	}
}

// function returns a function whose locals are read from memory, changed, and
// written back.
func (p *pressure) function() guest.Func {
	p.locals = make([]guest.ValType, one(p, 8, 16, 24, 32, 48))
	for i := range p.locals {
		p.locals[i] = one(p, guest.I32, guest.I64, guest.I32, guest.I64, f64, guest.V128)
	}
	var code, after guest.Code
	for i, t := range p.locals {
		at := uint32(pressureAt + 16*i)
		local := guest.Get(uint32(i))
		switch t {
		case guest.I32:
			code = append(code, guest.Set(uint32(i), guest.Load(wasm.OpI32Load, at, guest.Int(0)))...)
			after = append(after, guest.Store(wasm.OpI32Store, at, guest.Int(0), local)...)
		case guest.I64:
			code = append(code, guest.Set(uint32(i), guest.Load(wasm.OpI64Load, at, guest.Int(0)))...)
			after = append(after, guest.Store(wasm.OpI64Store, at, guest.Int(0), local)...)
		case f64: // from whole numbers, so that it is no NaN
			code = append(code, guest.Set(uint32(i), guest.Op(0xb9, guest.Load(wasm.OpI64Load, at, guest.Int(0))))...)
			after = append(after, guest.Store(wasm.OpI64Store, at, guest.Int(0), guest.Op(0xbd, local))...)
		default:
			code = append(code, guest.Set(uint32(i), guest.Seq(guest.Int(0), guest.Code{0xfd, 0, 0}, leb(at)))...)
			after = append(after, guest.Seq(guest.Int(0), local, guest.Code{0xfd, 0x0b, 0}, leb(at))...)
		}
	}
	for range one(p, 30, 60) {
		local := p.IntN(len(p.locals))
		code = append(code, guest.Set(uint32(local), p.value(p.locals[local], 0))...)
	}
	return guest.Func{Locals: p.locals, Body: guest.Seq(code, after)}
}

func leb(n uint32) guest.Code { return wasm.AppendU32(nil, n) }

// value is an expression of a type.
func (p *pressure) value(t guest.ValType, depth int) guest.Code {
	if depth > 3 || p.chance(.25) {
		return p.leaf(t)
	}
	depth++
	if p.chance(.06) {
		return guest.Op(0x1b, p.value(t, depth), p.value(t, depth), p.condition(depth))
	}
	switch t {
	case f64:
		return p.fraction(depth)
	case guest.V128:
		return p.vector(depth)
	default:
		return p.integer(t, depth)
	}
}

func (p *pressure) condition(depth int) guest.Code {
	if p.chance(.2) {
		return guest.Op(one[byte](p, 0x61, 0x63, 0x64), p.value(f64, depth), p.value(f64, depth))
	}
	return guest.Op(one[byte](p, 0x46, 0x48, 0x49, 0x4e), p.value(guest.I32, depth), p.value(guest.I32, depth))
}

// leaf is a local, or a constant.
func (p *pressure) leaf(t guest.ValType) guest.Code {
	var fitting []uint32
	for i, have := range p.locals {
		if have == t {
			fitting = append(fitting, uint32(i))
		}
	}
	if len(fitting) > 0 && p.chance(.9) {
		return guest.Get(one(p, fitting...))
	}
	n := one[int64](p, 0, 1, -1, 3, 7, 10, 60, 255, -128, 65535, 0x7fffffff)
	switch t {
	case guest.I32:
		return guest.Int(n)
	case guest.I64:
		return guest.Long(n)
	case f64:
		return guest.Op(0xb9, guest.Long(n))
	default:
		return guest.Seq(guest.Long(n), guest.Code{0xfd, 0x12})
	}
}

func (p *pressure) fraction(depth int) guest.Code {
	switch p.IntN(5) {
	case 0:
		return guest.Op(one[byte](p, 0xa0, 0xa1, 0xa4, 0xa5), p.value(f64, depth), p.value(f64, depth))
	case 1:
		return guest.Op(0xa2, p.value(f64, depth),
			guest.Seq(guest.Code{0x44}, guest.Code{0, 0, 0, 0, 0, 0, 0xe0, 0x3f}))
	case 2:
		return guest.Op(one[byte](p, 0xb7, 0xb8), p.value(guest.I32, depth))
	case 3:
		return guest.Op(one[byte](p, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e), p.value(f64, depth))
	}
	return guest.Op(one[byte](p, 0xb9, 0xba), p.value(guest.I64, depth))
}

func simd(op uint32, operands ...guest.Code) guest.Code {
	return guest.Seq(guest.Seq(operands...), guest.Code{0xfd}, leb(op))
}

func (p *pressure) vector(depth int) guest.Code {
	v := func() guest.Code { return p.value(guest.V128, depth) }
	switch p.IntN(5) {
	case 0: // shifts
		return simd(one[uint32](p, 0x6b, 0x6c, 0x6d, 0x8b, 0x8c, 0x8d, 0xab, 0xac, 0xad, 0xcb, 0xcc, 0xcd), v(),
			p.value(guest.I32, depth))
	case 1: // of one vector
		return simd(one[uint32](p, 0x4d, 0x60, 0x61, 0x62, 0x80, 0xa0, 0xa1, 0xc0, 0xc1, 0xc7, 0x7c, 0x7e), v())
	case 2:
		return simd(one[uint32](p, 0x11, 0x0f), p.value(guest.I32, depth))
	case 3:
		return simd(0x52, v(), v(), v()) // bitselect
	}
	return simd(one[uint32](p, 0x0e, 0x4e, 0x50, 0x51, 0x23, 0x76, 0x78, 0x82, 0x8f, 0x95, 0xae, 0xb5, 0xb6, 0xba, 0xce,
		0xd5, 0xd6, 0xdc, 0x9c), v(), v())
}

func (p *pressure) integer(t guest.ValType, depth int) guest.Code {
	v := func() guest.Code { return p.value(t, depth) }
	wide := byte(0) // how far the opcodes of i64 are from those of i32
	if t == guest.I64 {
		wide = 0x12
	}
	switch n := p.IntN(100); {
	case n < 35:
		return p.division(t, wide, depth)
	case n < 75:
		return guest.Op(one[byte](p, 0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78)+wide, v(), v())
	case n < 82:
		return guest.Op(one[byte](p, 0x67, 0x68, 0x69)+wide, v())
	case n < 88 && t == guest.I32:
		return one(p, guest.Op(0xa7, p.value(guest.I64, depth)),
			simd(one[uint32](p, 0x53, 0x63, 0x64, 0x84, 0xa4, 0xc4), p.value(guest.V128, depth)))
	case n < 88:
		return one(p, guest.Op(one[byte](p, 0xac, 0xad), p.value(guest.I32, depth)),
			append(simd(0x1d, p.value(guest.V128, depth)), 1))
	case n < 92:
		op := one[byte](p, 2, 3)
		if t == guest.I64 {
			op += 4
		}
		return guest.Seq(p.value(f64, depth), guest.Code{0xfc, op})
	case n < 96 && t == guest.I64 && len(p.locals) != len(manyParams):
		args := make([]guest.Code, len(manyParams))
		for i, t := range manyParams {
			args[i] = p.leaf(t)
		}
		return guest.Call(1, args...)
	}
	return guest.Seq(p.value(guest.I32, depth), guest.Code{0x04, byte(t)}, v(), guest.Code{0x05}, v(), guest.Code{0x0b})
}

// division divides by what is not 0; the signed quotient is left out, as it may
// overflow.
func (p *pressure) division(t guest.ValType, wide byte, depth int) guest.Code {
	op := one[byte](p, 0x6e, 0x6f, 0x70, 0x6f, 0x70)
	constant := guest.Int
	if t == guest.I64 {
		constant = guest.Long
	}
	var by guest.Code
	if p.chance(.3) {
		by = constant(one[int64](p, 10, 60, 7, 100, 3600, -3))
	} else {
		by = guest.Op(0x72+wide, p.value(t, depth), constant(1))
	}
	return guest.Op(op+wide, p.value(t, depth), by)
}

// TestPressure runs random programs that want many registers: an engine's compilers
// and its interpreter, and the other engine, come to the same. It finds the
// remainders that wazero 1.12.0 loses on arm64, and the selects and conversions on amd64.
func TestPressure(t *testing.T) {
	t.Parallel()
	interpreter, emulated, other := interpreted(t), arm64(t), wasmtime(t)
	for seed, functions := range map[uint64]int{
		31: 60, 2: 60, 7: 60, 8: 60, // the first shows the selects, the others the remainders
		14521: 3, // conversions of unsigned numbers
	} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := run{&subject{module: write(t, "pressed", pressed(seed, functions))}, seed == 31}
			first := play(t, here(), r)
			if end := first.part("outcome")["status"]; end != "exit" {
				t.Fatalf("the program ends in %v: %v", end, first.Error)
			}
			same(t, "interpreted", first.lasting(t), play(t, interpreter, r, "--no-cache").lasting(t))
			same(t, "on wasmtime", first.engineless(t), play(t, here(), r, other...).engineless(t))
			if emulated != nil {
				same(t, "on arm64", first.elsewhere(t), play(t, emulated, r, "--no-cache").elsewhere(t))
			}
		})
	}
}
