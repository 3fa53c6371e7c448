package hostile

import (
	"encoding/binary"
	"math"
	"slices"

	"plasm/lib/wasm"
	"plasm/test/guest"
)

// FloatOp is an instruction that leaves floats, and what NaNs writes of it.
type FloatOp struct {
	Code    guest.Code
	Open    bool // the specification leaves the bits of a NaN open
	Size    int  // of a float in the result, in bytes
	Results int  // how many bytes of results there are

	from, to byte // f32 f, f64 d or v128 v
	binary   bool
}

// floats are the operands, each of 16 bytes: NaNs of all kinds, infinities, zeros and
// numbers, of which pairs make NaNs too.
func floats() (single, double []byte) {
	f32 := []uint32{
		0x7fc12345, 0xffc12345, 0x7f812345, 0xff812345, 0x7fc00000, 0xffc00000, 0x7f800000, 0xff800000, 0,
		1 << 31, 0x3fc00000, 0xbfc00000,
	}
	f64 := []uint64{
		0x7ff8123456789abc, 0xfff8123456789abc, 0x7ff0123456789abc, 0xfff0123456789abc, 0x7ff8 << 48,
		0xfff8 << 48, 0x7ff0 << 48, 0xfff0 << 48, 0, 1 << 63, math.Float64bits(1.5), math.Float64bits(-1.5),
	}
	for i := range f32 {
		for lane := range 4 {
			single = binary.LittleEndian.AppendUint32(single, f32[(i+lane)%len(f32)])
		}
		for lane := range 2 {
			double = binary.LittleEndian.AppendUint64(double, f64[(i+lane)%len(f64)])
		}
	}
	return single, double
}

// How the operands of a kind are loaded, and how long they are.
var (
	floatLoads  = map[byte]guest.Code{'f': {0x2a}, 'd': {0x2b}, 'v': {0xfd, 0}}
	floatStores = map[byte]guest.Code{'f': {0x38}, 'd': {0x39}, 'v': {0xfd, 0x0b}}
	floatSizes  = map[byte]int{'f': 4, 'd': 8, 'v': 16}
)

// FloatOps lists the instructions that NaNs tries, in order. One is none: a float is
// loaded and stored.
func FloatOps() []FloatOp {
	var all []FloatOp
	add := func(o FloatOp, simd bool, ops ...byte) {
		for _, op := range ops {
			o.Code = guest.Code{op}
			if simd {
				o.Code = guest.Code{0xfd, op}
				if op > 0x7f {
					o.Code = append(o.Code, 1)
				}
			}
			all = append(all, o)
		}
	}
	all = append(all, FloatOp{Size: 4, from: 'f', to: 'f'}, FloatOp{Size: 8, from: 'd', to: 'd'})
	add(FloatOp{Size: 4, from: 'f', to: 'f'}, false, 0x8b, 0x8c)
	add(FloatOp{Size: 4, from: 'f', to: 'f', binary: true}, false, 0x98)
	add(FloatOp{Size: 8, from: 'd', to: 'd'}, false, 0x99, 0x9a)
	add(FloatOp{Size: 8, from: 'd', to: 'd', binary: true}, false, 0xa6)
	add(FloatOp{Size: 4, from: 'v', to: 'v'}, true, 0xe0, 0xe1)
	add(FloatOp{Size: 4, from: 'v', to: 'v', binary: true}, true, 0xea, 0xeb)
	add(FloatOp{Size: 8, from: 'v', to: 'v'}, true, 0xec, 0xed)
	add(FloatOp{Size: 8, from: 'v', to: 'v', binary: true}, true, 0xf6, 0xf7)

	add(FloatOp{Open: true, Size: 4, from: 'f', to: 'f'}, false, 0x8d, 0x8e, 0x8f, 0x90, 0x91)
	add(FloatOp{Open: true, Size: 4, from: 'f', to: 'f', binary: true}, false, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97)
	add(FloatOp{Open: true, Size: 8, from: 'd', to: 'd'}, false, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f)
	add(FloatOp{Open: true, Size: 8, from: 'd', to: 'd', binary: true}, false, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5)
	add(FloatOp{Open: true, Size: 4, from: 'd', to: 'f'}, false, 0xb6)
	add(FloatOp{Open: true, Size: 8, from: 'f', to: 'd'}, false, 0xbb)
	add(FloatOp{Open: true, Size: 4, from: 'v', to: 'v'}, true, 0x5e, 0x67, 0x68, 0x69, 0x6a, 0xe3)
	add(FloatOp{Open: true, Size: 4, from: 'v', to: 'v', binary: true}, true, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9)
	add(FloatOp{Open: true, Size: 8, from: 'v', to: 'v'}, true, 0x5f, 0x74, 0x75, 0x7a, 0x94, 0xef)
	add(FloatOp{Open: true, Size: 8, from: 'v', to: 'v', binary: true}, true, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5)

	single, _ := floats()
	for i, n := range all {
		all[i].Results = len(single) / 16 * floatSizes[n.to]
		if n.binary {
			all[i].Results *= len(single) / 16
		}
	}
	return all
}

// NaNs is a program that does each of FloatOps on all operands, or pairs of them,
// and writes the results as they lie in memory. Operands come from memory, so that no
// compiler knows them.
func NaNs() []byte {
	c := newCommand("fd_write")
	singles, doubles := floats()
	single, size := c.text(string(singles))
	double, _ := c.text(string(doubles))
	const out = memory // results begin in the second page
	ops := FloatOps()
	code := make([]guest.Code, 0, 3*len(ops))
	for _, o := range ops {
		at := single
		if o.from == 'd' || o.from == 'v' && o.Size == 8 && o.Code[1] != 0x5f || len(o.Code) > 1 && o.Code[1] == 0x5e {
			at = double // what demotes takes the others
		}
		load := func(local uint32) guest.Code {
			return guest.Seq(guest.Get(local), floatLoads[o.from], guest.Code{0, 0})
		}
		step := func(operands ...guest.Code) guest.Code {
			return guest.Seq(guest.Get(2), guest.Seq(operands...), o.Code, floatStores[o.to], guest.Code{0, 0},
				guest.Increase(2, int64(floatSizes[o.to])))
		}
		each := func(local uint32, body guest.Code) guest.Code {
			return guest.Seq(guest.Set(local, guest.Int(int64(at))), guest.Loop(
				body, guest.Increase(local, 16),
				guest.BrIf(0, guest.Op(wasm.OpI32Ne, guest.Get(local), guest.Int(int64(at+size))))))
		}
		body := step(load(0))
		if o.binary {
			body = each(1, step(load(0), load(1)))
		}
		code = append(code, guest.Set(2, guest.Int(out)), each(0, body), c.write(1, out, o.Results))
	}
	c.at = out + slices.MaxFunc(ops, func(a, b FloatOp) int { return a.Results - b.Results }).Results
	return c.main(code...)
}
