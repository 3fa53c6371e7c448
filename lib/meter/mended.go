package meter

import "math"

// wazero 1.12.0 computes wrong numbers on amd64 where registers are short, in what it makes
// several machine instructions of. No issue of wazero's is known for these:
//
//   - An unsigned i64 that is converted to a float: it writes branches that its register
//     allocator takes for a straight line, so that a number that is loaded anew in one
//     branch counts as loaded in the other, too.
//   - bitselect and copysign: a number that one instruction has changed may have to make
//     room for an operand of the next, and comes back as it was before.
//
// So no engine gets to see these operations.

// mended writes what computes the same as an operation.
func (w *writer) mended(c code, op int) code {
	switch op {
	case opV128Bitselect:
		return w.bitselect(c)
	case opF32Copysign, opF64Copysign:
		return w.copysign(c, op)
	}
	return w.unsigned(c, op)
}

// float is the opcodes of one width that an unsigned number is converted with.
type float struct{ convert, add int }

// wazero 1.12.0 may lose a number on amd64 where it converts an unsigned i64 to a float and
// registers are short: it writes branches that its register allocator takes for a straight
// line, so that a number that is loaded anew in one branch counts as loaded in the other,
// too. No issue of wazero's is known for it. So no engine gets to see the conversion.

// unsigned converts an unsigned i64 to a float: the signed conversion of the number, or
// where its highest bit is set of half of it, rounded to odd so that the float is rounded
// once, and doubled.
func (w *writer) unsigned(c code, op int) code {
	of, shape := float{opF32ConvertI64S, opF32Add}, nanF32
	if op == opF64ConvertI64U {
		of, shape = float{opF64ConvertI64S, opF64Add}, nanF64
	}
	n, f := w.scratch.wide, w.scratch.nan[shape]
	negative := func(c code) code {
		return c.with(opLocalGet, n).i64(0).op(opI64LtS)
	}
	c = c.with(opLocalTee, n).i64(1).op(opI64ShrU).with(opLocalGet, n).i64(1).op(opI64And).op(opI64Or)
	c = negative(c.with(opLocalGet, n)).op(opSelect).op(of.convert)
	c = c.with(opLocalTee, f).with(opLocalGet, f).op(of.add).with(opLocalGet, f)
	return negative(c).op(opSelect)
}

// bitselect chooses between the bits of two vectors.
func (w *writer) bitselect(c code) code {
	y, mask := w.scratch.nan[nanF64x2], w.scratch.vector
	c = c.with(opLocalSet, mask).with(opLocalSet, y).with(opLocalGet, mask).op(opV128And)
	return c.with(opLocalGet, y).with(opLocalGet, mask).op(opV128AndNot).op(opV128Or)
}

// copysign puts the sign of one float on another.
func (w *writer) copysign(c code, op int) code {
	if op == opF32Copysign {
		n := w.scratch.narrow
		c = c.op(opI32ReinterpretF32).i32(math.MinInt32).op(opI32And).with(opLocalSet, n)
		c = c.op(opI32ReinterpretF32).i32(math.MaxInt32).op(opI32And)
		return c.with(opLocalGet, n).op(opI32Or).op(opF32ReinterpretI32)
	}
	n := w.scratch.wide
	c = c.op(opI64ReinterpretF64).i64(math.MinInt64).op(opI64And).with(opLocalSet, n)
	c = c.op(opI64ReinterpretF64).i64(math.MaxInt64).op(opI64And)
	return c.with(opLocalGet, n).op(opI64Or).op(opF64ReinterpretI64)
}
