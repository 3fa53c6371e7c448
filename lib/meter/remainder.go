package meter

// integer is the opcodes of one width that a remainder is computed with.
type integer struct{ constant, equal, divide, divideU, multiply, subtract int }

var (
	integer32 = integer{opI32Const, opI32Eq, opI32DivS, opI32DivU, opI32Mul, opI32Sub}
	integer64 = integer{opI64Const, opI64Eq, opI64DivS, opI64DivU, opI64Mul, opI64Sub}
)

// remainder computes a remainder as a - a / b * b. It traps as the division does,
// by zero. The one signed division that would overflow is of the least number by -1:
// in place of -1 a signed one divides by 1, which leaves the same remainder, 0.
func (w *writer) remainder(c code, op int) code {
	of, locals := &integer32, w.scratch.narrow
	if op == opI64RemS || op == opI64RemU {
		of, locals = &integer64, w.scratch.wide
	}
	a, b := locals, locals+1
	divide := of.divideU
	c = c.with(opLocalSet, b).with(opLocalSet, a)
	if op == opI32RemS || op == opI64RemS {
		divide = of.divide
		c = c.op(of.constant)
		c = appendSigned(c, 1)
		c = c.with(opLocalGet, b).with(opLocalGet, b).op(of.constant)
		c = appendSigned(c, -1)
		c = c.op(of.equal).op(opSelect).with(opLocalSet, b)
	}
	c = c.with(opLocalGet, a).with(opLocalGet, a).with(opLocalGet, b).op(divide)
	return c.with(opLocalGet, b).op(of.multiply).op(of.subtract)
}
