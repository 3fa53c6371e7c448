package hostile

import (
	"slices"

	"plasm/lib/wasm"
	"plasm/test/guest"
)

// valued are functions of many values in a compiler's SSA form, from few bytes: what
// has a wide type has a value for each of its parts, wherever control flow goes.
// Cranelift once packed the numbers of values into 24 bits, and took one value for
// another beyond.
func valued() []Case {
	loops := func(n int) []byte { return wide(repeat(n, guest.Code{0x03, 1, wasm.OpEnd})) }
	branches := func(n int) []byte {
		branch := guest.Seq(guest.Int(0), guest.Code{0x0d, 0})
		return wide(guest.Seq(guest.Code{0x02, 1}, repeat(n, branch), guest.Code{wasm.OpEnd}))
	}
	tables := func(n int) []byte {
		return wide(guest.Seq(guest.Code{0x02, 1}, guest.Int(0), guest.Code{0x0e}, leb(n), make([]byte, n+1),
			guest.Code{wasm.OpEnd}))
	}
	many := refused("values in function ")
	return slices.Concat(
		sizes("wide-loops", loops, map[int]Want{698: exits(0), 699: many, 8_388: many}),
		sizes("wide-branches", branches, map[int]Want{1_045: exits(0), 1_050: many}),
		sizes("wide-br-table", tables, map[int]Want{1_045: exits(0), 1_050: many}),
		sizes("wide-calls", wideCalls, map[int]Want{261: exits(0), 262: many}),
		sizes("mutable-globals", manyGlobals, map[int]Want{104: exits(0), 105: many, 100_000: many}),
		sizes("fills", fills, map[int]Want{5_000: exits(0), 5_001: refused("blocks in function 0")}),
	)
}

const wideness = 1000

// wideTypes are the function types 0, of none, and 1, of many parameters and results.
func wideTypes() part {
	many := slices.Concat(leb(wideness), slices.Repeat([]byte{byte(guest.I64)}, wideness))
	return part{wasm.SectionType, list([]byte{0x60, 0, 0}, slices.Concat([]byte{0x60}, many, many))}
}

// wide is a command whose code has values of type 1 before and behind it.
func wide(code guest.Code) []byte { return crowd([][]byte{body(between(code))}, wideTypes()) }

func between(code guest.Code) guest.Code {
	return guest.Seq(repeat(wideness, guest.Code{0x42, 0}), code, repeat(wideness, guest.Code{wasm.OpDrop}))
}

func wideCalls(n int) []byte {
	same := make(guest.Code, 0, 3*wideness)
	for i := range wideness {
		same = append(same, guest.Get(uint32(i))...)
	}
	bodies := [][]byte{body(same), body(between(repeat(n, guest.Call(0))))}
	return crowd(bodies, wideTypes(), part{wasm.SectionFunction, list([]byte{1}, []byte{0})})
}

// manyGlobals calls often, where wazero reads every mutable global anew.
func manyGlobals(n int) []byte {
	global := []byte{byte(guest.I64), 1, 0x42, 0, wasm.OpEnd}
	globals := part{wasm.SectionGlobal, slices.Concat(leb(10_000), slices.Repeat(global, 10_000))}
	return crowd([][]byte{body(nil), body(repeat(n, guest.Call(0)))}, globals)
}

// fills fills no memory, in a loop of wazero's each time.
func fills(n int) []byte {
	return alone(repeat(n, guest.Seq(guest.Int(0), guest.Int(0), guest.Int(0), guest.Code{0xfc, 0x0b, 0})))
}
