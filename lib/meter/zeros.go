package meter

// counter is the opcodes of one width that zeros are counted with, and the width.
type counter struct{ constant, subtract, and, or, xor, shift, ones, bits int }

var (
	counter32 = counter{opI32Const, opI32Sub, opI32And, opI32Or, opI32Xor, opI32ShrU, opI32Popcnt, 32}
	counter64 = counter{opI64Const, opI64Sub, opI64And, opI64Or, opI64Xor, opI64ShrU, opI64Popcnt, 64}
)

// zeros counts the zeros at one end of a number by counting ones: those below the lowest
// one, or those above the highest one in the complement of what is all ones below it.
func (w *writer) zeros(c code, op int) code {
	of, n := &counter32, w.scratch.narrow
	if op == opI64Clz || op == opI64Ctz {
		of, n = &counter64, w.scratch.wide
	}
	number := func(c code, n int64) code { return appendSigned(c.op(of.constant), n) }
	if op == opI32Ctz || op == opI64Ctz {
		c = number(c.with(opLocalSet, n), 0).with(opLocalGet, n).op(of.subtract).with(opLocalGet, n).op(of.and)
		return number(c, 1).op(of.subtract).op(of.ones)
	}
	for shift := 1; shift < of.bits; shift *= 2 {
		c = number(c.with(opLocalTee, n).with(opLocalGet, n), int64(shift)).op(of.shift).op(of.or)
	}
	return number(c, -1).op(of.xor).op(of.ones)
}
