package meter

import (
	"math"

	"plasm/lib/wasm"
)

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
	case wasm.OpV128Bitselect:
		return w.bitselect(c)
	case wasm.OpF32Copysign, wasm.OpF64Copysign:
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
	of, shape := float{wasm.OpF32ConvertI64S, wasm.OpF32Add}, nanF32
	if op == wasm.OpF64ConvertI64U {
		of, shape = float{wasm.OpF64ConvertI64S, wasm.OpF64Add}, nanF64
	}
	n, f := w.scratch.wide, w.scratch.nan[shape]
	negative := func(c code) code {
		return c.with(wasm.OpLocalGet, n).i64(0).op(wasm.OpI64LtS)
	}
	c = c.with(wasm.OpLocalTee, n).i64(1).op(wasm.OpI64ShrU).with(wasm.OpLocalGet,
		n).i64(1).op(wasm.OpI64And).op(wasm.OpI64Or)
	c = negative(c.with(wasm.OpLocalGet, n)).op(wasm.OpSelect).op(of.convert)
	c = c.with(wasm.OpLocalTee, f).with(wasm.OpLocalGet, f).op(of.add).with(wasm.OpLocalGet, f)
	return negative(c).op(wasm.OpSelect)
}

// bitselect chooses between the bits of two vectors.
func (w *writer) bitselect(c code) code {
	y, mask := w.scratch.nan[nanF64x2], w.scratch.vector
	c = c.with(wasm.OpLocalSet, mask).with(wasm.OpLocalSet, y).with(wasm.OpLocalGet, mask).op(wasm.OpV128And)
	return c.with(wasm.OpLocalGet, y).with(wasm.OpLocalGet, mask).op(wasm.OpV128AndNot).op(wasm.OpV128Or)
}

// copysign puts the sign of one float on another.
func (w *writer) copysign(c code, op int) code {
	if op == wasm.OpF32Copysign {
		n := w.scratch.narrow
		c = c.op(wasm.OpI32ReinterpretF32).i32(math.MinInt32).op(wasm.OpI32And).with(wasm.OpLocalSet, n)
		c = c.op(wasm.OpI32ReinterpretF32).i32(math.MaxInt32).op(wasm.OpI32And)
		return c.with(wasm.OpLocalGet, n).op(wasm.OpI32Or).op(wasm.OpF32ReinterpretI32)
	}
	n := w.scratch.wide
	c = c.op(wasm.OpI64ReinterpretF64).i64(math.MinInt64).op(wasm.OpI64And).with(wasm.OpLocalSet, n)
	c = c.op(wasm.OpI64ReinterpretF64).i64(math.MaxInt64).op(wasm.OpI64And)
	return c.with(wasm.OpLocalGet, n).op(wasm.OpI64Or).op(wasm.OpF64ReinterpretI64)
}
