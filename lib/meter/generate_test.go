package meter_test

import (
	"encoding/binary"
	"slices"

	"plasm/lib/wasm"
	"plasm/test/guest"
)

const (
	i32  = guest.I32
	i64  = guest.I64
	f32  = guest.F32
	f64  = guest.ValType(0x7c)
	v128 = guest.V128
)

type types = []guest.ValType

// generated is how many functions a random module has, and types of blocks:
// functions that nobody calls lend theirs.
const (
	generated = 4
	lenders   = 4
	// steps is the global that ends everything: each function and each round of a
	// loop takes 1 off, and traps at 0.
	steps      = 0
	firstLocal = 3
)

// label is what a branch can go to: the types of its operands.
type label struct{ operands types }

// generator makes random valid modules. All it decides hangs on data; where that
// ends it decides for what is simplest, so it comes to an end.
type generator struct {
	data     []byte
	types    []guest.FuncType
	function int
	locals   types
	labels   []label
}

func (g *generator) pick(n int) int {
	if len(g.data) == 0 || n <= 0 {
		return 0
	}
	b := int(g.data[0])
	g.data = g.data[1:]
	return b % n
}

func (g *generator) bytes(n int) []byte {
	out := make([]byte, n)
	g.data = g.data[copy(out, g.data):]
	return out
}

func (g *generator) someType() guest.ValType {
	return types{i32, i64, f32, f64, v128}[g.pick(5)]
}

func (g *generator) someTypes(most int) types {
	out := make(types, g.pick(most+1))
	for i := range out {
		out[i] = g.someType()
	}
	return out
}

// module makes a module with the exports run, memory and, for each global, g0, g1….
func (g *generator) module() []byte {
	b := guest.Builder{
		Memory: &guest.Limits{Min: 1, Max: 3},
		Table:  &guest.Limits{Min: 8, Max: 12},
		Globals: []guest.Global{
			{Type: i32, Mutable: true, Init: guest.Int(60)},
			{Type: i64, Mutable: true, Init: guest.Long(7)},
			{Type: v128, Mutable: true, Init: vector(9)},
		},
		Exports: []guest.Export{
			{Name: "run"},
			{Name: "memory", Kind: guest.KindMemory},
			{Name: "g0", Kind: guest.KindGlobal},
			{Name: "g1", Kind: guest.KindGlobal, Index: 1},
		},
		Elems: []guest.Elem{{Offset: guest.Int(0), Funcs: []uint32{0, 1, 2, 3}}},
		Data:  []guest.Data{{Offset: guest.Int(16), Bytes: []byte("some bytes \xff\xff\xff\x7f\x00\x00\xc0\x7f")}},
	}
	for range generated + lenders {
		g.types = append(g.types, guest.FuncType{Params: g.someTypes(3), Results: g.someTypes(3)})
	}
	g.types[0].Params = nil
	if g.pick(4) == 1 {
		start := uint32(1)
		b.Start = &start
		g.types[1] = guest.FuncType{}
	}
	for i, t := range g.types {
		f := guest.Func{Type: t, Body: guest.Code{wasm.OpUnreachable}}
		if i < generated {
			f.Locals = append(types{i32, i64, f32, f64, v128, guest.FuncRef}, g.someTypes(4)...)
			g.function, g.locals = i, slices.Concat(t.Params, f.Locals)
			g.labels = []label{{t.Results}}
			f.Body = guest.Seq(g.step(), g.sequence(6), g.values(t.Results, 4))
		}
		b.Funcs = append(b.Funcs, f)
	}
	return b.Bytes()
}

// step takes one of the steps.
func (g *generator) step() guest.Code {
	get := guest.Code{0x23, steps}
	return guest.Seq(
		guest.If(guest.Op(wasm.OpI32Eqz, get), guest.Code{wasm.OpUnreachable}),
		guest.Op(wasm.OpI32Sub, get, guest.Int(1)), guest.Code{0x24, steps},
	)
}

func (g *generator) values(ts types, depth int) guest.Code {
	var out guest.Code
	for _, t := range ts {
		out = append(out, g.value(t, depth)...)
	}
	return out
}

func vector(n byte) guest.Code {
	return append(guest.Code{0xfd, 0x0c}, slices.Repeat([]byte{n, 0x80}, 8)...)
}

// constant often makes numbers that are on an edge.
func (g *generator) constant(t guest.ValType) guest.Code {
	edges := []uint64{
		0, 1, 1<<64 - 1, 1 << 63, 1 << 31, 0x7fc00000, 0x7ff8 << 48, 0xff800001, 0xfff00000 << 32,
		0x40490fdb,
	}
	n := edges[g.pick(len(edges))]
	if g.pick(2) == 1 {
		n = binary.LittleEndian.Uint64(g.bytes(8))
	}
	switch t {
	case i32:
		return guest.Int(int64(int32(n)))
	case i64:
		return guest.Long(int64(n))
	case f32:
		return binary.LittleEndian.AppendUint32(guest.Code{0x43}, uint32(n))
	case f64:
		return binary.LittleEndian.AppendUint64(guest.Code{0x44}, n)
	case v128:
		return append(binary.LittleEndian.AppendUint64(guest.Code{0xfd, 0x0c}, n), g.bytes(8)...)
	default:
		return guest.Code{0xd2, byte(g.pick(generated))}
	}
}

// local finds a local of a type.
func (g *generator) local(t guest.ValType) (byte, bool) {
	var found []byte
	for i, l := range g.locals {
		if l == t {
			found = append(found, byte(i))
		}
	}
	if len(found) == 0 {
		return 0, false
	}
	return found[g.pick(len(found))], true
}

// address is small, most of the time.
func (g *generator) address(depth int) guest.Code {
	if g.pick(8) == 1 {
		return g.value(i32, depth)
	}
	return guest.Op(wasm.OpI32And, g.value(i32, depth), guest.Int(0xfff))
}

// value is code that leaves one value.
func (g *generator) value(t guest.ValType, depth int) guest.Code {
	if l, ok := g.local(t); ok && (depth <= 0 || len(g.data) == 0 || g.pick(4) == 0) {
		return guest.Get(uint32(l))
	}
	if depth <= 0 || len(g.data) == 0 || t == guest.FuncRef {
		return g.constant(t)
	}
	switch g.pick(12) {
	case 0:
		return g.constant(t)
	case 1:
		return g.block(types{t}, depth-1)
	case 2:
		if l, ok := g.local(t); ok {
			return append(g.value(t, depth-1), 0x22, l)
		}
		return g.constant(t)
	case 3:
		return guest.Seq(g.value(t, depth-1), g.value(t, depth-1), g.value(i32, depth-1), g.choose(t))
	case 4:
		return g.callFor(types{t}, depth-1)
	case 5:
		return g.leave(depth - 1)
	default:
		return g.operation(t, depth-1)
	}
}

func (g *generator) choose(t guest.ValType) guest.Code {
	if g.pick(2) == 0 {
		return guest.Code{0x1b}
	}
	return guest.Code{0x1c, 1, byte(t)}
}

// operation is one of the numeric instructions, loads included.
func (g *generator) operation(t guest.ValType, depth int) guest.Code {
	all := signatures()[t]
	s := all[g.pick(len(all)*4)%len(all)]
	if len(all) > 64 {
		s = all[(g.pick(256)<<8|g.pick(256))%len(all)]
	}
	var out guest.Code
	if s.memory {
		out = g.address(depth)
		if len(s.operands) > 1 {
			out = append(out, g.values(s.operands[1:], depth)...)
		}
	} else {
		out = g.values(s.operands, depth)
	}
	out = append(out, s.opcode...)
	if s.memory {
		out = append(out, 0, byte(g.pick(20)))
	}
	if s.lanes > 0 {
		for range s.lanesCount() {
			out = append(out, byte(g.pick(s.lanes)))
		}
	}
	return out
}
