package meter

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
