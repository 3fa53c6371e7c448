package meter

// immediate is what follows an opcode.
type immediate byte

const (
	immNone immediate = iota
	immBlock
	immLabel
	immLabels
	immFunc
	immIndirect // a type and a table
	immTypes
	immLocal
	immGlobal
	immTable
	immMemory
	immAddress // alignment and offset
	immI32
	immI64
	imm4  // four bytes
	imm8  // eight
	imm16 // sixteen
	immLane
	immAddressLane
	immRefType
	immSegment       // of data or elements
	immSegmentMemory // of data, and a memory
	immSegmentTable  // of elements, and a table
	immMemories
	immTables
)

// nan is the shape of a result whose NaNs have bits that the specification
// leaves open.
type nan byte

const (
	nanNone nan = iota
	nanF32
	nanF64
	nanF32x4
	nanF64x2
)

// length says what the topmost operand of a bulk instruction counts.
type length byte

const (
	lengthNone length = iota
	lengthBytes
	lengthElements
)

// operation is what the pass knows of an opcode. pops and pushes do not count
// for instructions whose effect hangs on a type.
type operation struct {
	known        bool
	imm          immediate
	pops, pushes int8
	cost         uint16
	nan          nan
	uneven       bool // engines of one machine differ in the bits of its NaNs
	mended       bool // rewritten for every job: see mended.go
	length       length
}

// The opcodes that are treated one by one. Those behind a prefix byte are the
// prefix, then the number behind it in the low byte.
const (
	opUnreachable        = 0x00
	opNop                = 0x01
	opBlock              = 0x02
	opLoop               = 0x03
	opIf                 = 0x04
	opElse               = 0x05
	opEnd                = 0x0b
	opBr                 = 0x0c
	opBrIf               = 0x0d
	opBrTable            = 0x0e
	opReturn             = 0x0f
	opCall               = 0x10
	opCallIndirect       = 0x11
	opReturnCall         = 0x12
	opReturnCallIndirect = 0x13
	opSelect             = 0x1b
	opLocalGet           = 0x20
	opLocalSet           = 0x21
	opLocalTee           = 0x22
	opGlobalGet          = 0x23
	opGlobalSet          = 0x24
	opI32Const           = 0x41
	opI64Const           = 0x42
	opF32Const           = 0x43
	opF64Const           = 0x44
	opI32Eq              = 0x46
	opI32LtS             = 0x48
	opI64Eq              = 0x51
	opI64LtS             = 0x53
	opF32Eq              = 0x5b
	opF64Eq              = 0x61
	opI32Clz             = 0x67
	opI32Ctz             = 0x68
	opI32Popcnt          = 0x69
	opI32Add             = 0x6a
	opI32Sub             = 0x6b
	opI32Mul             = 0x6c
	opI32DivS            = 0x6d
	opI32DivU            = 0x6e
	opI32RemS            = 0x6f
	opI32RemU            = 0x70
	opI32And             = 0x71
	opI32Or              = 0x72
	opI32Xor             = 0x73
	opI32ShrU            = 0x76
	opI64Clz             = 0x79
	opI64Ctz             = 0x7a
	opI64Popcnt          = 0x7b
	opI64Add             = 0x7c
	opI64Sub             = 0x7d
	opI64Mul             = 0x7e
	opI64DivS            = 0x7f
	opI64DivU            = 0x80
	opI64RemS            = 0x81
	opI64RemU            = 0x82
	opI64And             = 0x83
	opI64Or              = 0x84
	opI64Xor             = 0x85
	opI64ShrU            = 0x88
	opF32Add             = 0x92
	opF32Copysign        = 0x98
	opF64Add             = 0xa0
	opF64Copysign        = 0xa6
	opI64ExtendI32U      = 0xad
	opF32ConvertI64S     = 0xb4
	opF32ConvertI64U     = 0xb5
	opF64ConvertI64S     = 0xb9
	opF64ConvertI64U     = 0xba
	opI32ReinterpretF32  = 0xbc
	opI64ReinterpretF64  = 0xbd
	opF32ReinterpretI32  = 0xbe
	opF64ReinterpretI64  = 0xbf
	opRefNull            = 0xd0
	opRefFunc            = 0xd2

	prefixMisc = 0xfc
	prefixSIMD = 0xfd

	opMemoryFill    = 0xfc0b
	opTableGrow     = 0xfc0f
	opTableFill     = 0xfc11
	opV128Const     = 0xfd0c
	opV128And       = 0xfd4e
	opV128AndNot    = 0xfd4f
	opV128Or        = 0xfd50
	opV128Bitselect = 0xfd52
	opF32x4Eq       = 0xfd41
	opF64x2Eq       = 0xfd47
)

// plainTable, miscTable and simdTable are never written after they are made.
var (
	plainTable = plainOperations()
	miscTable  = miscOperations()
	simdTable  = simdOperations()
)

// table is operations by opcode, to be filled.
type table [256]operation

// set gives the opcodes from first to last one effect and a cost of 1.
func (t *table) set(first, last int, imm immediate, pops, pushes int8) {
	t.setCost(first, last, costPlain, imm, pops, pushes)
}

func (t *table) setCost(first, last int, cost uint16, imm immediate, pops, pushes int8) {
	for op := first; op <= last; op++ {
		t[op] = operation{known: true, imm: imm, pops: pops, pushes: pushes, cost: cost}
	}
}

func (t *table) setNaN(kind nan, ops ...int) {
	for _, op := range ops {
		t[op].nan = kind
	}
}

func (t *table) setUneven(ops ...int) {
	for _, op := range ops {
		t[op].uneven = true
	}
}

func (t *table) setMended(ops ...int) {
	for _, op := range ops {
		t[op&0xff].mended = true
	}
}

func (t *table) setDivision(ops ...int) {
	for _, op := range ops {
		t[op].cost = costDivision
	}
}

func plainOperations() *table {
	t := new(table)
	controlOperations(t)
	t.set(0x1a, 0x1a, immNone, 1, 0) // drop
	t.set(opSelect, opSelect, immNone, 3, 1)
	t.set(0x1c, 0x1c, immTypes, 3, 1) // select with a type
	t.set(opLocalGet, opLocalGet, immLocal, 0, 1)
	t.set(opLocalSet, opLocalSet, immLocal, 1, 0)
	t.set(opLocalTee, opLocalTee, immLocal, 1, 1)
	t.set(opGlobalGet, opGlobalGet, immGlobal, 0, 1)
	t.set(opGlobalSet, opGlobalSet, immGlobal, 1, 0)
	t.set(0x25, 0x25, immTable, 1, 1)                // table.get
	t.set(0x26, 0x26, immTable, 2, 0)                // table.set
	t.set(0x28, 0x35, immAddress, 1, 1)              // loads
	t.set(0x36, 0x3e, immAddress, 2, 0)              // stores
	t.set(0x3f, 0x3f, immMemory, 0, 1)               // memory.size
	t.setCost(0x40, 0x40, costGrow, immMemory, 1, 1) // memory.grow
	t.set(opI32Const, opI32Const, immI32, 0, 1)      //
	t.set(opI64Const, opI64Const, immI64, 0, 1)      //
	t.set(opF32Const, opF32Const, imm4, 0, 1)        //
	t.set(opF64Const, opF64Const, imm8, 0, 1)        //
	numericOperations(t)                             //
	t.set(opRefNull, opRefNull, immRefType, 0, 1)    //
	t.set(0xd1, 0xd1, immNone, 1, 1)                 // ref.is_null
	t.set(opRefFunc, opRefFunc, immFunc, 0, 1)       //
	return t
}

func controlOperations(t *table) {
	t.setCost(opUnreachable, opNop, costNothing, immNone, 0, 0)
	t.setCost(opBlock, opLoop, costNothing, immBlock, 0, 0)
	t.set(opIf, opIf, immBlock, 1, 0)
	t.setCost(opElse, opElse, costNothing, immNone, 0, 0)
	t.setCost(opEnd, opEnd, costNothing, immNone, 0, 0)
	t.set(opBr, opBr, immLabel, 0, 0)
	t.set(opBrIf, opBrIf, immLabel, 1, 0)
	t.setCost(opBrTable, opBrTable, costBrTable, immLabels, 1, 0)
	t.set(opReturn, opReturn, immNone, 0, 0)
	t.setCost(opCall, opCall, costCall, immFunc, 0, 0)
	t.setCost(opCallIndirect, opCallIndirect, costFarCall, immIndirect, 1, 0)
	t.setCost(opReturnCall, opReturnCall, costCall, immFunc, 0, 0)
	t.setCost(opReturnCallIndirect, opReturnCallIndirect, costFarCall, immIndirect, 1, 0)
}

// numericOperations are those from 0x45 to 0xc4, none of which has immediates.
func numericOperations(t *table) {
	t.set(0x45, 0xc4, immNone, 2, 1)
	unary := func(first, last int) { t.set(first, last, immNone, 1, 1) }
	unary(0x45, 0x45) // i32.eqz
	unary(0x50, 0x50) // i64.eqz
	unary(0x67, 0x69) // i32.clz, ctz, popcnt
	unary(0x79, 0x7b) // i64.clz, ctz, popcnt
	unary(0x8b, 0x91) // f32.abs to sqrt
	unary(0x99, 0x9f) // f64.abs to sqrt
	unary(0xa7, 0xc4) // conversions and sign extension
	t.setDivision(0x6d, 0x6e, 0x6f, 0x70, 0x7f, 0x80, 0x81, 0x82)
	t.setDivision(0x91, 0x95, 0x9f, 0xa3) // sqrt and div
	// ceil to sqrt, add to max, and the conversions from the other width;
	// abs, neg and copysign move bits and no more.
	t.setNaN(nanF32, 0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0xb6)
	t.setNaN(nanF64, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xbb)
	t.setUneven(0x96, 0x97, 0xa4, 0xa5) // min and max
	t.setMended(opF32ConvertI64U, opF64ConvertI64U, opF32Copysign, opF64Copysign)
}

// miscOperations are those behind 0xfc.
func miscOperations() *table {
	t := new(table)
	t.set(0, 7, immNone, 1, 1) // saturating conversions
	bulk := func(op int, imm immediate, of length) {
		t.setCost(op, op, costBulk, imm, 3, 0)
		t[op].length = of
	}
	bulk(8, immSegmentMemory, lengthBytes) // memory.init
	t.set(9, 9, immSegment, 0, 0)          // data.drop
	bulk(10, immMemories, lengthBytes)     // memory.copy
	bulk(11, immMemory, lengthBytes)       // memory.fill
	bulk(12, immSegmentTable, lengthElements)
	t.set(13, 13, immSegment, 0, 0)             // elem.drop
	bulk(14, immTables, lengthElements)         // table.copy
	t.setCost(15, 15, costGrow, immTable, 2, 1) // table.grow
	t.set(16, 16, immTable, 0, 1)               // table.size
	bulk(17, immTable, lengthElements)          // table.fill
	return t
}
