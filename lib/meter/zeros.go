package meter

import "plasm/lib/wasm"

// counter is the opcodes of one width that zeros are counted with, and the width.
type counter struct{ constant, subtract, and, or, xor, shift, ones, bits int }

var (
	counter32 = counter{
		wasm.OpI32Const, wasm.OpI32Sub, wasm.OpI32And, wasm.OpI32Or, wasm.OpI32Xor, wasm.OpI32ShrU,
		wasm.OpI32Popcnt, 32,
	}
	counter64 = counter{
		wasm.OpI64Const, wasm.OpI64Sub, wasm.OpI64And, wasm.OpI64Or, wasm.OpI64Xor, wasm.OpI64ShrU,
		wasm.OpI64Popcnt, 64,
	}
)

// zeros counts the zeros at one end of a number by counting ones: those below the lowest
// one, or those above the highest one in the complement of what is all ones below it.
func (w *writer) zeros(c code, op int) code {
	of, n := &counter32, w.scratch.narrow
	if op == wasm.OpI64Clz || op == wasm.OpI64Ctz {
		of, n = &counter64, w.scratch.wide
	}
	number := func(c code, n int64) code { return wasm.AppendSigned(c.op(of.constant), n) }
	if op == wasm.OpI32Ctz || op == wasm.OpI64Ctz {
		c = number(c.with(wasm.OpLocalSet, n), 0).with(wasm.OpLocalGet, n).op(of.subtract).with(wasm.OpLocalGet,
			n).op(of.and)
		return number(c, 1).op(of.subtract).op(of.ones)
	}
	for shift := 1; shift < of.bits; shift *= 2 {
		c = number(c.with(wasm.OpLocalTee, n).with(wasm.OpLocalGet, n), int64(shift)).op(of.shift).op(of.or)
	}
	return number(c, -1).op(of.xor).op(of.ones)
}
