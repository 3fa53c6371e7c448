package meter

import "plasm/lib/wasm"

// simdOperations are those behind 0xfd. Most of them take two vectors and give
// one; what differs is put over that, and the holes in the numbering last.
func simdOperations() *table {
	t := new(table)
	t.setCost(0x00, 0xff, costSIMD, immNone, 2, 1)
	simdMemory(t)
	simdLanes(t)
	simdUnary(t)
	t.setCost(0x52, 0x52, costSIMD, immNone, 3, 1) // v128.bitselect
	t.setMended(wasm.OpV128Bitselect)
	t.setDivision(0xe3, 0xe7, 0xef, 0xf3) // sqrt and div
	simdNaNs(t)
	for _, hole := range []int{
		0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6,
		0xcf, 0xd0, 0xd2, 0xd3, 0xd4, 0xe2, 0xee,
	} {
		t[hole] = operation{}
	}
	return t
}

func simdMemory(t *table) {
	t.set(0x00, 0x0a, immAddress, 1, 1)     // loads, also widening and splatting
	t.set(0x0b, 0x0b, immAddress, 2, 0)     // v128.store
	t.set(0x0c, 0x0c, imm16, 0, 1)          // v128.const
	t.set(0x54, 0x57, immAddressLane, 2, 1) // loads of a lane
	t.set(0x58, 0x5b, immAddressLane, 2, 0) // stores of a lane
	t.set(0x5c, 0x5d, immAddress, 1, 1)     // loads with zeros
}

func simdLanes(t *table) {
	t.setCost(0x0d, 0x0d, costSIMD, imm16, 2, 1) // i8x16.shuffle
	t.setCost(0x0f, 0x14, costSIMD, immNone, 1, 1)
	t.setCost(0x15, 0x22, costSIMD, immLane, 1, 1) // extract_lane
	for _, replace := range []int{0x17, 0x1a, 0x1c, 0x1e, 0x20, 0x22} {
		t[replace].pops = 2
	}
}

func simdUnary(t *table) {
	for _, r := range [][2]int{
		{0x4d, 0x4d}, {0x53, 0x53}, // not, any_true
		{0x5e, 0x64},                                           // demote, promote, i8x16.abs to bitmask
		{0x67, 0x6a},                                           // f32x4.ceil to nearest
		{0x74, 0x75}, {0x7a, 0x7a}, {0x94, 0x94}, {0x7c, 0x81}, // f64x2.ceil …, extadd, i16x8.abs, neg
		{0x83, 0x84}, {0x87, 0x8a}, // i16x8.all_true, bitmask, extend
		{0xa0, 0xa1}, {0xa3, 0xa4}, {0xa7, 0xaa}, // the same of i32x4
		{0xc0, 0xc1}, {0xc3, 0xc4}, {0xc7, 0xca}, // of i64x2
		{0xe0, 0xe1}, {0xe3, 0xe3}, {0xec, 0xed}, {0xef, 0xef}, // abs, neg, sqrt
		{0xf8, 0xff}, // conversions
	} {
		t.setCost(r[0], r[1], costSIMD, immNone, 1, 1)
	}
}

// simdNaNs leaves out abs and neg, which move bits, and pmin and pmax, which
// give one of their operands as it is.
func simdNaNs(t *table) {
	t.setNaN(nanF32x4, 0x5e, 0x67, 0x68, 0x69, 0x6a, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9)
	t.setNaN(nanF64x2, 0x5f, 0x74, 0x75, 0x7a, 0x94, 0xef, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5)
	t.setUneven(0xe8, 0xe9, 0xf4, 0xf5) // min and max
}
