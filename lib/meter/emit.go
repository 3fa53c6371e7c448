package meter

import "encoding/binary"

// code is instructions that are written.
type code []byte

func (c code) op(op int) code {
	if op > 0xff {
		// The number is LEB128, of which those from 0x80 on need two bytes.
		return binary.AppendUvarint(append(c, byte(op>>8)), uint64(op&0xff))
	}
	return append(c, byte(op))
}

func (c code) with(op, number int) code {
	return appendNumber(c.op(op), number)
}

func (c code) i32(n int) code   { return appendSigned(c.op(opI32Const), int64(n)) }
func (c code) i64(n int64) code { return appendSigned(c.op(opI64Const), n) }

// trapIfNegative traps when local, of the type that the two opcodes are for, is
// below 0.
func (c code) trapIfNegative(zero, less, local int) code {
	c = append(c.with(opLocalGet, local), byte(zero), 0)
	return append(c.op(less), opIf, typeNone, opUnreachable, opEnd)
}

// appendNumber writes an unsigned LEB128 number, which n is: never negative.
func appendNumber(b []byte, n int) []byte {
	return binary.AppendUvarint(b, uint64(n))
}

// appendSigned writes a signed LEB128 number.
func appendSigned(b []byte, n int64) []byte {
	for n > 63 || n < -64 {
		b = append(b, byte(n&0x7f)|0x80)
		n >>= 7
	}
	return append(b, byte(n&0x7f))
}

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
		s.fuel = add(typeI64)
		s.i32 = add(typeI32)
	}
	if p.narrow {
		s.narrow = add(typeI32)
		add(typeI32)
	}
	if p.wide {
		s.wide = add(typeI64)
		add(typeI64)
	}
	if p.nans[nanF32] {
		s.nan[nanF32] = add(typeF32)
	}
	if p.nans[nanF64] {
		s.nan[nanF64] = add(typeF64)
	}
	if p.nans[nanF32x4] || p.nans[nanF64x2] {
		s.nan[nanF32x4] = add(typeV128)
		s.nan[nanF64x2] = s.nan[nanF32x4]
	}
	if p.vector || p.nans[nanF32x4] || p.nans[nanF64x2] {
		s.vector = add(typeV128)
	}
	return s
}

// charge takes the cost of a region off the fuel.
func (w *writer) charge(c code, cost int64) code {
	return w.keepFuel(c.fuel(w).i64(cost).op(opI64Sub))
}

// fuel puts what is left on the stack: a copy of it in a local where there is a
// loop, as a loop would otherwise wait for memory in each round.
func (c code) fuel(w *writer) code {
	if w.plan.loops {
		return c.with(opLocalGet, w.scratch.fuel)
	}
	return c.with(opGlobalGet, w.fuelGlobal)
}

// keepFuel stores the topmost operand as what is left, and traps below 0.
func (w *writer) keepFuel(c code) code {
	c = c.with(opLocalTee, w.scratch.fuel).with(opGlobalSet, w.fuelGlobal)
	return c.trapIfNegative(opI64Const, opI64LtS, w.scratch.fuel)
}

func (w *writer) reload(c code) code {
	if !w.plan.loops {
		return c
	}
	return c.with(opGlobalGet, w.fuelGlobal).with(opLocalSet, w.scratch.fuel)
}

// length charges for the length that is the topmost operand.
func (w *writer) length(c code, of length) code {
	c = c.with(opLocalSet, w.scratch.i32).fuel(w)
	c = c.with(opLocalGet, w.scratch.i32).op(opI64ExtendI32U)
	if of == lengthBytes {
		c = c.i64(bytesShift).op(opI64ShrU)
	}
	return w.keepFuel(c.op(opI64Sub)).with(opLocalGet, w.scratch.i32)
}

// take takes a frame off the stack budget, and release gives it back.
func (w *writer) take(c code, units int) code {
	c = c.with(opGlobalGet, w.stackGlobal).i32(units).op(opI32Sub)
	c = c.with(opLocalTee, w.scratch.i32).with(opGlobalSet, w.stackGlobal)
	return c.trapIfNegative(opI32Const, opI32LtS, w.scratch.i32)
}

func (w *writer) release(c code, units int) code {
	return c.with(opGlobalGet, w.stackGlobal).i32(units).op(opI32Add).with(opGlobalSet, w.stackGlobal)
}

// canonical puts the canonical NaN for every NaN in the topmost operand.
func (w *writer) canonical(c code, shape nan) code {
	local := w.scratch.nan[shape]
	c = c.with(opLocalTee, local)
	equal, vector := opF32Eq, false
	switch shape {
	case nanF32:
		c = binary.LittleEndian.AppendUint32(c.op(opF32Const), canonicalF32)
	case nanF64:
		c = binary.LittleEndian.AppendUint64(c.op(opF64Const), canonicalF64)
		equal = opF64Eq
	case nanF32x4:
		c = c.op(opV128Const)
		for range 4 {
			c = binary.LittleEndian.AppendUint32(c, canonicalF32)
		}
		equal, vector = opF32x4Eq, true
	default:
		c = c.op(opV128Const)
		for range 2 {
			c = binary.LittleEndian.AppendUint64(c, canonicalF64)
		}
		equal, vector = opF64x2Eq, true
	}
	// Only a NaN is not equal to itself.
	c = c.with(opLocalGet, local).with(opLocalGet, local).op(equal)
	if vector {
		return w.bitselect(c)
	}
	return c.op(opSelect)
}

// The bits of the canonical NaNs.
const (
	canonicalF32 = 0x7fc00000
	canonicalF64 = 0x7ff8000000000000
)
