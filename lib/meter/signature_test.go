package meter_test

import (
	"sync"

	"plasm/test/guest"
)

// signature is an instruction that leaves a value.
type signature struct {
	opcode   guest.Code
	operands types
	memory   bool // an address, and behind the opcode alignment and offset
	lanes    int  // how many lanes the number behind all that chooses from
}

// lanesCount is how many such numbers there are: sixteen in a shuffle.
func (s signature) lanesCount() int {
	if s.lanes == 32 {
		return 16
	}
	return 1
}

// signatures are all instructions by what they leave.
var signatures = sync.OnceValue(func() map[guest.ValType][]signature {
	all := map[guest.ValType][]signature{}
	plain := func(result guest.ValType, first, last byte, operands ...guest.ValType) {
		for op := int(first); op <= int(last); op++ {
			all[result] = append(all[result], signature{opcode: guest.Code{byte(op)}, operands: operands})
		}
	}
	load := func(result guest.ValType, ops ...byte) {
		for _, op := range ops {
			all[result] = append(all[result], signature{opcode: guest.Code{op}, operands: types{i32}, memory: true})
		}
	}
	plain(i32, 0x45, 0x45, i32)
	plain(i32, 0x46, 0x4f, i32, i32)
	plain(i32, 0x50, 0x50, i64)
	plain(i32, 0x51, 0x5a, i64, i64)
	plain(i32, 0x5b, 0x60, f32, f32)
	plain(i32, 0x61, 0x66, f64, f64)
	plain(i32, 0x67, 0x69, i32)
	plain(i32, 0x6a, 0x78, i32, i32)
	plain(i32, 0xa7, 0xa7, i64)
	plain(i32, 0xa8, 0xa9, f32)
	plain(i32, 0xaa, 0xab, f64)
	plain(i32, 0xbc, 0xbc, f32)
	plain(i32, 0xc0, 0xc1, i32)
	plain(i32, 0xd1, 0xd1, guest.FuncRef)
	load(i32, 0x28, 0x2c, 0x2d, 0x2e, 0x2f)
	plain(i64, 0x79, 0x7b, i64)
	plain(i64, 0x7c, 0x8a, i64, i64)
	plain(i64, 0xac, 0xad, i32)
	plain(i64, 0xae, 0xaf, f32)
	plain(i64, 0xb0, 0xb1, f64)
	plain(i64, 0xbd, 0xbd, f64)
	plain(i64, 0xc2, 0xc4, i64)
	load(i64, 0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35)
	plain(f32, 0x8b, 0x91, f32)
	plain(f32, 0x92, 0x98, f32, f32)
	plain(f32, 0xb2, 0xb3, i32)
	plain(f32, 0xb4, 0xb5, i64)
	plain(f32, 0xb6, 0xb6, f64)
	plain(f32, 0xbe, 0xbe, i32)
	load(f32, 0x2a)
	plain(f64, 0x99, 0x9f, f64)
	plain(f64, 0xa0, 0xa6, f64, f64)
	plain(f64, 0xb7, 0xb8, i32)
	plain(f64, 0xb9, 0xba, i64)
	plain(f64, 0xbb, 0xbb, f32)
	plain(f64, 0xbf, 0xbf, i64)
	load(f64, 0x2b)
	for op, from := range (types{f32, f32, f64, f64}) {
		all[i32] = append(all[i32], signature{opcode: guest.Code{0xfc, byte(op)}, operands: types{from}})
		all[i64] = append(all[i64], signature{opcode: guest.Code{0xfc, byte(op + 4)}, operands: types{from}})
	}
	all[i32] = append(all[i32],
		signature{opcode: guest.Code{0x3f, 0}}, signature{opcode: guest.Code{0x40, 0}, operands: types{i32}},
		signature{opcode: guest.Code{0xfc, 16, 0}},
		signature{opcode: guest.Code{0xfc, 15, 0}, operands: types{guest.FuncRef, i32}},
	)
	simdSignatures(all)
	return all
})

// simdSignatures adds those behind 0xfd.
func simdSignatures(all map[guest.ValType][]signature) {
	add := func(result guest.ValType, first, last int, s signature) {
		for op := first; op <= last; op++ {
			s.opcode = guest.Code{0xfd, byte(op)}
			if op > 0x7f {
				s.opcode = append(s.opcode, 1)
			}
			all[result] = append(all[result], s)
		}
	}
	unary := func(ops ...int) {
		for _, op := range ops {
			add(v128, op, op, signature{operands: types{v128}})
		}
	}
	binary := func(first, last int) { add(v128, first, last, signature{operands: types{v128, v128}}) }
	shift := func(first, last int) { add(v128, first, last, signature{operands: types{v128, i32}}) }
	add(v128, 0x00, 0x0a, signature{operands: types{i32}, memory: true})
	add(v128, 0x5c, 0x5d, signature{operands: types{i32}, memory: true})
	for i, lanes := range []int{16, 8, 4, 2} {
		add(v128, 0x54+i, 0x54+i, signature{operands: types{i32, v128}, memory: true, lanes: lanes})
	}
	add(v128, 0x0d, 0x0d, signature{operands: types{v128, v128}, lanes: 32})
	for i, t := range (types{i32, i32, i32, i64, f32, f64}) {
		lanes := []int{16, 8, 4, 2, 4, 2}[i]
		extract := []int{0x15, 0x18, 0x1b, 0x1d, 0x1f, 0x21}[i]
		replace := []int{0x17, 0x1a, 0x1c, 0x1e, 0x20, 0x22}[i]
		add(v128, 0x0f+i, 0x0f+i, signature{operands: types{t}})
		add(t, extract, extract, signature{operands: types{v128}, lanes: lanes})
		add(v128, replace, replace, signature{operands: types{v128, t}, lanes: lanes})
	}
	add(i32, 0x16, 0x16, signature{operands: types{v128}, lanes: 16})
	add(i32, 0x19, 0x19, signature{operands: types{v128}, lanes: 8})
	for _, op := range []int{0x53, 0x63, 0x64, 0x83, 0x84, 0xa3, 0xa4, 0xc3, 0xc4} {
		add(i32, op, op, signature{operands: types{v128}})
	}
	add(v128, 0x52, 0x52, signature{operands: types{v128, v128, v128}})
	binary(0x0e, 0x0e)
	binary(0x23, 0x4c)
	binary(0x4e, 0x51)
	for _, r := range [][2]int{
		{0x65, 0x66},
		{0x6e, 0x73},
		{0x76, 0x79},
		{0x7b, 0x7b},
		{0x82, 0x82},
		{0x85, 0x86},
		{0x8e, 0x93},
		{0x95, 0x99},
		{0x9b, 0x9f},
		{0xae, 0xae},
		{0xb1, 0xb1},
		{0xb5, 0xba},
		{0xbc, 0xbf},
		{0xce, 0xce},
		{0xd1, 0xd1},
		{0xd5, 0xdf},
		{0xe4, 0xeb},
		{0xf0, 0xf7},
	} {
		binary(r[0], r[1])
	}
	for _, first := range []int{0x6b, 0x8b, 0xab, 0xcb} {
		shift(first, first+2)
	}
	unary(0x4d, 0x5e, 0x5f, 0x60, 0x61, 0x62, 0x67, 0x68, 0x69, 0x6a, 0x74, 0x75, 0x7a, 0x7c, 0x7d, 0x7e, 0x7f, 0x80,
		0x81,
		0x87, 0x88, 0x89, 0x8a, 0x94, 0xa0, 0xa1, 0xa7, 0xa8, 0xa9, 0xaa, 0xc0, 0xc1, 0xc7, 0xc8, 0xc9, 0xca,
		0xe0, 0xe1, 0xe3, 0xec, 0xed, 0xef, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff)
}
