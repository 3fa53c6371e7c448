package guest

import (
	"slices"

	"plasm/lib/wasm"
)

// Code is instructions. The functions below put operands before the operator, so
// that code is written as expressions are.
type Code []byte

// Seq is one thing after the other.
func Seq(parts ...Code) Code { return slices.Concat(parts...) }

// Op is an operator behind its operands.
func Op(op byte, operands ...Code) Code { return append(Seq(operands...), op) }

// Int is an i32 constant, given signed or unsigned.
func Int(n int64) Code {
	if n >= 1<<31 {
		n -= 1 << 32
	}
	return append(Code{0x41}, sleb(n)...)
}

// Long is an i64 constant.
func Long(n int64) Code { return append(Code{0x42}, sleb(n)...) }

// Float is an f32 constant.
func Float(f float32) Code { return append(Code{0x43}, float32Bits(f)...) }

// Get reads a local.
func Get(local uint32) Code { return append(Code{0x20}, leb(local)...) }

// Set writes a local.
func Set(local uint32, value Code) Code {
	return Seq(value, Code{0x21}, leb(local))
}

// Increase adds n to an i32 local.
func Increase(local uint32, n int64) Code { return Set(local, Op(wasm.OpI32Add, Get(local), Int(n))) }

// Block is a block without a result; a branch to it goes behind it.
func Block(parts ...Code) Code { return Seq(Code{0x02, 0x40}, Seq(parts...), Code{wasm.OpEnd}) }

// Loop is a loop without a result; a branch to it goes to its beginning.
func Loop(parts ...Code) Code { return Seq(Code{0x03, 0x40}, Seq(parts...), Code{wasm.OpEnd}) }

// If runs parts when condition is not 0.
func If(condition Code, parts ...Code) Code {
	return Seq(condition, Code{0x04, 0x40}, Seq(parts...), Code{wasm.OpEnd})
}

// Br branches to the block or loop that is depth blocks further out.
func Br(depth uint32) Code { return append(Code{0x0c}, leb(depth)...) }

// BrIf branches when condition is not 0.
func BrIf(depth uint32, condition Code) Code {
	return Seq(condition, Code{0x0d}, leb(depth))
}

// Call calls a function by its number.
func Call(function uint32, args ...Code) Code {
	return Seq(Seq(args...), Code{0x10}, leb(function))
}

// CallIndirect calls what element of table 0 holds, as a function of the type
// with the given number.
func CallIndirect(typ uint32, element Code) Code {
	return Seq(element, Code{0x11}, leb(typ), Code{0})
}

// Load reads memory at address plus offset.
func Load(op byte, offset uint32, address Code) Code {
	return Seq(address, Code{op, 0}, leb(offset))
}

// Store writes value to memory at address plus offset.
func Store(op byte, offset uint32, address, value Code) Code {
	return Seq(address, value, Code{op, 0}, leb(offset))
}

// MemorySize is the size of memory in pages.
func MemorySize() Code { return Code{0x3f, 0} }

// MemoryGrow grows memory by a number of pages; its value is the old size or -1.
func MemoryGrow(pages Code) Code { return Seq(pages, Code{0x40, 0}) }

// MemoryFill writes n bytes of value to address.
func MemoryFill(address, value, n Code) Code {
	return Seq(address, value, n, Code{0xfc, 11, 0})
}
