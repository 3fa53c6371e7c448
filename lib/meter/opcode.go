package meter

import "plasm/lib/wasm"

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
	t.set(wasm.OpSelect, wasm.OpSelect, immNone, 3, 1)
	t.set(0x1c, 0x1c, immTypes, 3, 1) // select with a type
	t.set(wasm.OpLocalGet, wasm.OpLocalGet, immLocal, 0, 1)
	t.set(wasm.OpLocalSet, wasm.OpLocalSet, immLocal, 1, 0)
	t.set(wasm.OpLocalTee, wasm.OpLocalTee, immLocal, 1, 1)
	t.set(wasm.OpGlobalGet, wasm.OpGlobalGet, immGlobal, 0, 1)
	t.set(wasm.OpGlobalSet, wasm.OpGlobalSet, immGlobal, 1, 0)
	t.set(0x25, 0x25, immTable, 1, 1)                       // table.get
	t.set(0x26, 0x26, immTable, 2, 0)                       // table.set
	t.set(0x28, 0x35, immAddress, 1, 1)                     // loads
	t.set(0x36, 0x3e, immAddress, 2, 0)                     // stores
	t.set(0x3f, 0x3f, immMemory, 0, 1)                      // memory.size
	t.setCost(0x40, 0x40, costGrow, immMemory, 1, 1)        // memory.grow
	t.set(wasm.OpI32Const, wasm.OpI32Const, immI32, 0, 1)   //
	t.set(wasm.OpI64Const, wasm.OpI64Const, immI64, 0, 1)   //
	t.set(wasm.OpF32Const, wasm.OpF32Const, imm4, 0, 1)     //
	t.set(wasm.OpF64Const, wasm.OpF64Const, imm8, 0, 1)     //
	numericOperations(t)                                    //
	t.set(wasm.OpRefNull, wasm.OpRefNull, immRefType, 0, 1) //
	t.set(0xd1, 0xd1, immNone, 1, 1)                        // ref.is_null
	t.set(wasm.OpRefFunc, wasm.OpRefFunc, immFunc, 0, 1)    //
	return t
}

func controlOperations(t *table) {
	t.setCost(wasm.OpUnreachable, wasm.OpNop, costNothing, immNone, 0, 0)
	t.setCost(wasm.OpBlock, wasm.OpLoop, costNothing, immBlock, 0, 0)
	t.set(wasm.OpIf, wasm.OpIf, immBlock, 1, 0)
	t.setCost(wasm.OpElse, wasm.OpElse, costNothing, immNone, 0, 0)
	t.setCost(wasm.OpEnd, wasm.OpEnd, costNothing, immNone, 0, 0)
	t.set(wasm.OpBr, wasm.OpBr, immLabel, 0, 0)
	t.set(wasm.OpBrIf, wasm.OpBrIf, immLabel, 1, 0)
	t.setCost(wasm.OpBrTable, wasm.OpBrTable, costBrTable, immLabels, 1, 0)
	t.set(wasm.OpReturn, wasm.OpReturn, immNone, 0, 0)
	t.setCost(wasm.OpCall, wasm.OpCall, costCall, immFunc, 0, 0)
	t.setCost(wasm.OpCallIndirect, wasm.OpCallIndirect, costFarCall, immIndirect, 1, 0)
	t.setCost(wasm.OpReturnCall, wasm.OpReturnCall, costCall, immFunc, 0, 0)
	t.setCost(wasm.OpReturnCallIndirect, wasm.OpReturnCallIndirect, costFarCall, immIndirect, 1, 0)
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
	t.setMended(wasm.OpF32ConvertI64U, wasm.OpF64ConvertI64U, wasm.OpF32Copysign, wasm.OpF64Copysign)
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
