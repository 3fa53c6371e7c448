package guest

import "slices"

// Code is instructions. The functions below put operands before the operator, so
// that code is written as expressions are.
type Code []byte

const end = 0x0b

// Opcodes without immediate operands, for Op.
const (
	OpUnreachable byte = 0x00
	OpReturn      byte = 0x0f
	OpDrop        byte = 0x1a

	OpI32Eqz    byte = 0x45
	OpI32Eq     byte = 0x46
	OpI32Ne     byte = 0x47
	OpI32LtU    byte = 0x49
	OpI32GeU    byte = 0x4f
	OpI64Eqz    byte = 0x50
	OpI32Add    byte = 0x6a
	OpI32Sub    byte = 0x6b
	OpI32Mul    byte = 0x6c
	OpI32DivS   byte = 0x6d
	OpI32RemU   byte = 0x70
	OpI32And    byte = 0x71
	OpI32ShrU   byte = 0x76
	OpI64Add    byte = 0x7c
	OpI64Mul    byte = 0x7e
	OpI64DivU   byte = 0x80
	OpI64RemU   byte = 0x82
	OpI64Xor    byte = 0x85
	OpI32Wrap64 byte = 0xa7
	OpI32TruncF byte = 0xa8
	OpI64ExtU   byte = 0xad
)

// Opcodes of loads and stores, for Load and Store.
const (
	OpI32Load   byte = 0x28
	OpI64Load   byte = 0x29
	OpI32Load8  byte = 0x2d
	OpI32Load16 byte = 0x2f
	OpI32Store  byte = 0x36
	OpI64Store  byte = 0x37
	OpI32Store8 byte = 0x3a
)

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
func Get(local uint32) Code { return append(Code{0x20}, leb(uint64(local))...) }

// Set writes a local.
func Set(local uint32, value Code) Code {
	return Seq(value, Code{0x21}, leb(uint64(local)))
}

// Increase adds n to an i32 local.
func Increase(local uint32, n int64) Code { return Set(local, Op(OpI32Add, Get(local), Int(n))) }

// Block is a block without a result; a branch to it goes behind it.
func Block(parts ...Code) Code { return Seq(Code{0x02, 0x40}, Seq(parts...), Code{end}) }

// Loop is a loop without a result; a branch to it goes to its beginning.
func Loop(parts ...Code) Code { return Seq(Code{0x03, 0x40}, Seq(parts...), Code{end}) }

// If runs parts when condition is not 0.
func If(condition Code, parts ...Code) Code {
	return Seq(condition, Code{0x04, 0x40}, Seq(parts...), Code{end})
}

// Br branches to the block or loop that is depth blocks further out.
func Br(depth uint32) Code { return append(Code{0x0c}, leb(uint64(depth))...) }

// BrIf branches when condition is not 0.
func BrIf(depth uint32, condition Code) Code {
	return Seq(condition, Code{0x0d}, leb(uint64(depth)))
}

// Call calls a function by its number.
func Call(function uint32, args ...Code) Code {
	return Seq(Seq(args...), Code{0x10}, leb(uint64(function)))
}

// CallIndirect calls what element of table 0 holds, as a function of the type
// with the given number.
func CallIndirect(typ uint32, element Code) Code {
	return Seq(element, Code{0x11}, leb(uint64(typ)), Code{0})
}

// Load reads memory at address plus offset.
func Load(op byte, offset uint32, address Code) Code {
	return Seq(address, Code{op, 0}, leb(uint64(offset)))
}

// Store writes value to memory at address plus offset.
func Store(op byte, offset uint32, address, value Code) Code {
	return Seq(address, value, Code{op, 0}, leb(uint64(offset)))
}

// MemorySize is the size of memory in pages.
func MemorySize() Code { return Code{0x3f, 0} }

// MemoryGrow grows memory by a number of pages; its value is the old size or -1.
func MemoryGrow(pages Code) Code { return Seq(pages, Code{0x40, 0}) }

// MemoryFill writes n bytes of value to address.
func MemoryFill(address, value, n Code) Code {
	return Seq(address, value, n, Code{0xfc, 11, 0})
}
