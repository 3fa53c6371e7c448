package wasm

import "encoding/binary"

// Prefixes of the opcodes that have a number behind them (section 5.4).
const (
	PrefixMisc = 0xfc // saturating conversions, bulk memory and tables
	PrefixSIMD = 0xfd
)

// Opcodes that somebody here treats one by one (section 5.4). Those behind a prefix are the
// prefix, then the number behind it in the low byte.
const (
	OpUnreachable        = 0x00
	OpNop                = 0x01
	OpBlock              = 0x02
	OpLoop               = 0x03
	OpIf                 = 0x04
	OpElse               = 0x05
	OpEnd                = 0x0b
	OpBr                 = 0x0c
	OpBrIf               = 0x0d
	OpBrTable            = 0x0e
	OpReturn             = 0x0f
	OpCall               = 0x10
	OpCallIndirect       = 0x11
	OpReturnCall         = 0x12
	OpReturnCallIndirect = 0x13
	OpDrop               = 0x1a
	OpSelect             = 0x1b
	OpLocalGet           = 0x20
	OpLocalSet           = 0x21
	OpLocalTee           = 0x22
	OpGlobalGet          = 0x23
	OpGlobalSet          = 0x24
	OpI32Load            = 0x28
	OpI64Load            = 0x29
	OpI32Load8U          = 0x2d
	OpI32Load16U         = 0x2f
	OpI32Store           = 0x36
	OpI64Store           = 0x37
	OpI32Store8          = 0x3a
	OpI32Const           = 0x41
	OpI64Const           = 0x42
	OpF32Const           = 0x43
	OpF64Const           = 0x44
	OpI32Eqz             = 0x45
	OpI32Eq              = 0x46
	OpI32Ne              = 0x47
	OpI32LtS             = 0x48
	OpI32LtU             = 0x49
	OpI32GeU             = 0x4f
	OpI64Eqz             = 0x50
	OpI64Eq              = 0x51
	OpI64LtS             = 0x53
	OpF32Eq              = 0x5b
	OpF64Eq              = 0x61
	OpI32Clz             = 0x67
	OpI32Ctz             = 0x68
	OpI32Popcnt          = 0x69
	OpI32Add             = 0x6a
	OpI32Sub             = 0x6b
	OpI32Mul             = 0x6c
	OpI32DivS            = 0x6d
	OpI32DivU            = 0x6e
	OpI32RemS            = 0x6f
	OpI32RemU            = 0x70
	OpI32And             = 0x71
	OpI32Or              = 0x72
	OpI32Xor             = 0x73
	OpI32ShrU            = 0x76
	OpI64Clz             = 0x79
	OpI64Ctz             = 0x7a
	OpI64Popcnt          = 0x7b
	OpI64Add             = 0x7c
	OpI64Sub             = 0x7d
	OpI64Mul             = 0x7e
	OpI64DivS            = 0x7f
	OpI64DivU            = 0x80
	OpI64RemS            = 0x81
	OpI64RemU            = 0x82
	OpI64And             = 0x83
	OpI64Or              = 0x84
	OpI64Xor             = 0x85
	OpI64ShrU            = 0x88
	OpF32Add             = 0x92
	OpF32Copysign        = 0x98
	OpF64Add             = 0xa0
	OpF64Copysign        = 0xa6
	OpI32WrapI64         = 0xa7
	OpI32TruncF32S       = 0xa8
	OpI64ExtendI32U      = 0xad
	OpF32ConvertI64S     = 0xb4
	OpF32ConvertI64U     = 0xb5
	OpF64ConvertI64S     = 0xb9
	OpF64ConvertI64U     = 0xba
	OpI32ReinterpretF32  = 0xbc
	OpI64ReinterpretF64  = 0xbd
	OpF32ReinterpretI32  = 0xbe
	OpF64ReinterpretI64  = 0xbf
	OpRefNull            = 0xd0
	OpRefFunc            = 0xd2
	OpMemoryFill         = 0xfc0b
	OpTableGrow          = 0xfc0f
	OpTableFill          = 0xfc11
	OpV128Const          = 0xfd0c
	OpF32x4Eq            = 0xfd41
	OpF64x2Eq            = 0xfd47
	OpV128And            = 0xfd4e
	OpV128AndNot         = 0xfd4f
	OpV128Or             = 0xfd50
	OpV128Bitselect      = 0xfd52
)

// AppendOp appends an opcode, one of the constants above.
func AppendOp(b []byte, op int) []byte {
	if op > 0xff {
		// The number is LEB128, of which those from 0x80 on need two bytes.
		return binary.AppendUvarint(append(b, byte(op>>8)), uint64(op&0xff))
	}
	return append(b, byte(op))
}
