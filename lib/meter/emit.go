package meter

import (
	"encoding/binary"

	"plasm/lib/wasm"
)

// code is instructions that are written.
type code []byte

func (c code) op(op int) code { return wasm.AppendOp(c, op) }

func (c code) with(op, number int) code {
	return appendNumber(c.op(op), number)
}

func (c code) i32(n int) code   { return wasm.AppendSigned(c.op(wasm.OpI32Const), int64(n)) }
func (c code) i64(n int64) code { return wasm.AppendSigned(c.op(wasm.OpI64Const), n) }

// trapIfNegative traps when local, of the type that the two opcodes are for, is
// below 0.
func (c code) trapIfNegative(zero, less, local int) code {
	c = append(c.with(wasm.OpLocalGet, local), byte(zero), 0)
	return append(c.op(less), wasm.OpIf, wasm.NoResult, wasm.OpUnreachable, wasm.OpEnd)
}

// appendNumber appends a number that is never negative.
func appendNumber(b []byte, n int) []byte { return wasm.AppendU32(b, uint32(n)) }

// scratch are the locals that a rewritten function has behind its own.
type scratch struct {
	fuel, i32    int
	narrow, wide int // the first of two
	vector       int
	nan          [nanF64x2 + 1]int
	groups       int
	decls        code
}

// scratch gives out those that the plan needs.
func (p *planner) scratch() scratch {
	var s scratch
	next := p.locals
	add := func(typ byte) int {
		s.groups++
		s.decls = append(s.decls, 1, typ)
		next++
		return next - 1
	}
	if p.options.Fuel {
		s.fuel = add(wasm.I64)
		s.i32 = add(wasm.I32)
	}
	if p.narrow {
		s.narrow = add(wasm.I32)
		add(wasm.I32)
	}
	if p.wide {
		s.wide = add(wasm.I64)
		add(wasm.I64)
	}
	if p.nans[nanF32] {
		s.nan[nanF32] = add(wasm.F32)
	}
	if p.nans[nanF64] {
		s.nan[nanF64] = add(wasm.F64)
	}
	if p.nans[nanF32x4] || p.nans[nanF64x2] {
		s.nan[nanF32x4] = add(wasm.V128)
		s.nan[nanF64x2] = s.nan[nanF32x4]
	}
	if p.vector || p.nans[nanF32x4] || p.nans[nanF64x2] {
		s.vector = add(wasm.V128)
	}
	return s
}

// charge takes the cost of a region off the fuel.
func (w *writer) charge(c code, cost int64) code {
	return w.keepFuel(c.fuel(w).i64(cost).op(wasm.OpI64Sub))
}

// fuel puts what is left on the stack: a copy of it in a local where there is a
// loop, as a loop would otherwise wait for memory in each round.
func (c code) fuel(w *writer) code {
	if w.plan.loops {
		return c.with(wasm.OpLocalGet, w.scratch.fuel)
	}
	return c.with(wasm.OpGlobalGet, w.fuelGlobal)
}

// keepFuel stores the topmost operand as what is left, and traps below 0.
func (w *writer) keepFuel(c code) code {
	c = c.with(wasm.OpLocalTee, w.scratch.fuel).with(wasm.OpGlobalSet, w.fuelGlobal)
	return c.trapIfNegative(wasm.OpI64Const, wasm.OpI64LtS, w.scratch.fuel)
}

func (w *writer) reload(c code) code {
	if !w.plan.loops {
		return c
	}
	return c.with(wasm.OpGlobalGet, w.fuelGlobal).with(wasm.OpLocalSet, w.scratch.fuel)
}

// length charges for the length that is the topmost operand.
func (w *writer) length(c code, of length) code {
	c = c.with(wasm.OpLocalSet, w.scratch.i32).fuel(w)
	c = c.with(wasm.OpLocalGet, w.scratch.i32).op(wasm.OpI64ExtendI32U)
	if of == lengthBytes {
		c = c.i64(bytesShift).op(wasm.OpI64ShrU)
	}
	return w.keepFuel(c.op(wasm.OpI64Sub)).with(wasm.OpLocalGet, w.scratch.i32)
}

// take takes a frame off the stack budget, and release gives it back.
func (w *writer) take(c code, units int) code {
	c = c.with(wasm.OpGlobalGet, w.stackGlobal).i32(units).op(wasm.OpI32Sub)
	c = c.with(wasm.OpLocalTee, w.scratch.i32).with(wasm.OpGlobalSet, w.stackGlobal)
	return c.trapIfNegative(wasm.OpI32Const, wasm.OpI32LtS, w.scratch.i32)
}

func (w *writer) release(c code, units int) code {
	return c.with(wasm.OpGlobalGet, w.stackGlobal).i32(units).op(wasm.OpI32Add).with(wasm.OpGlobalSet, w.stackGlobal)
}

// canonical puts the canonical NaN for every NaN in the topmost operand.
func (w *writer) canonical(c code, shape nan) code {
	local := w.scratch.nan[shape]
	c = c.with(wasm.OpLocalTee, local)
	equal, vector := wasm.OpF32Eq, false
	switch shape {
	case nanF32:
		c = binary.LittleEndian.AppendUint32(c.op(wasm.OpF32Const), canonicalF32)
	case nanF64:
		c = binary.LittleEndian.AppendUint64(c.op(wasm.OpF64Const), canonicalF64)
		equal = wasm.OpF64Eq
	case nanF32x4:
		c = c.op(wasm.OpV128Const)
		for range 4 {
			c = binary.LittleEndian.AppendUint32(c, canonicalF32)
		}
		equal, vector = wasm.OpF32x4Eq, true
	default:
		c = c.op(wasm.OpV128Const)
		for range 2 {
			c = binary.LittleEndian.AppendUint64(c, canonicalF64)
		}
		equal, vector = wasm.OpF64x2Eq, true
	}
	// Only a NaN is not equal to itself.
	c = c.with(wasm.OpLocalGet, local).with(wasm.OpLocalGet, local).op(equal)
	if vector {
		return w.bitselect(c)
	}
	return c.op(wasm.OpSelect)
}

// The bits of the canonical NaNs.
const (
	canonicalF32 = 0x7fc00000
	canonicalF64 = 0x7ff8000000000000
)
