package meter

import "plasm/lib/wasm"

// integer is the opcodes of one width that a remainder is computed with.
type integer struct{ constant, equal, divide, divideU, multiply, subtract int }

var (
	integer32 = integer{wasm.OpI32Const, wasm.OpI32Eq, wasm.OpI32DivS, wasm.OpI32DivU, wasm.OpI32Mul, wasm.OpI32Sub}
	integer64 = integer{wasm.OpI64Const, wasm.OpI64Eq, wasm.OpI64DivS, wasm.OpI64DivU, wasm.OpI64Mul, wasm.OpI64Sub}
)

// remainder computes a remainder as a - a / b * b. It traps as the division does,
// by zero. The one signed division that would overflow is of the least number by -1:
// in place of -1 a signed one divides by 1, which leaves the same remainder, 0.
func (w *writer) remainder(c code, op int) code {
	of, locals := &integer32, w.scratch.narrow
	if op == wasm.OpI64RemS || op == wasm.OpI64RemU {
		of, locals = &integer64, w.scratch.wide
	}
	a, b := locals, locals+1
	divide := of.divideU
	c = c.with(wasm.OpLocalSet, b).with(wasm.OpLocalSet, a)
	if op == wasm.OpI32RemS || op == wasm.OpI64RemS {
		divide = of.divide
		c = c.op(of.constant)
		c = wasm.AppendSigned(c, 1)
		c = c.with(wasm.OpLocalGet, b).with(wasm.OpLocalGet, b).op(of.constant)
		c = wasm.AppendSigned(c, -1)
		c = c.op(of.equal).op(wasm.OpSelect).with(wasm.OpLocalSet, b)
	}
	c = c.with(wasm.OpLocalGet, a).with(wasm.OpLocalGet, a).with(wasm.OpLocalGet, b).op(divide)
	return c.with(wasm.OpLocalGet, b).op(of.multiply).op(of.subtract)
}
