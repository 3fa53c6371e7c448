package hostile

import (
	"slices"

	"plasm/lib/job"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// instantiation is what engines do differently before a module's first instruction,
// or because of it.
func instantiation() []Case {
	table, memory := traps(job.TrapTable), traps(job.TrapMemory)
	one := part{wasm.SectionTable, list([]byte{0x70, 0, 1})}
	active := func(offset guest.Code, functions ...byte) part {
		return part{
			wasm.SectionElement,
			list(slices.Concat([]byte{0}, offset, []byte{wasm.OpEnd}, sized(functions)[:1], functions)),
		}
	}
	data := func(offset int) part {
		return part{
			wasm.SectionData,
			list(slices.Concat([]byte{0}, guest.Int(int64(offset)), []byte{wasm.OpEnd, 1, 'a'})),
		}
	}
	start := part{wasm.SectionStart, leb(0)}
	failing := [][]byte{body(guest.Code{wasm.OpUnreachable}), body(nil)}
	nothing := [][]byte{body(nil)}
	sum := guest.Seq(guest.Int(-2), guest.Int(3), guest.Code{wasm.OpI32Add})
	cases := []Case{
		{
			Name: "one-behind", Module: func() []byte { return crowd(nothing, one, active(guest.Int(1), 0)) },
			Want: table,
		},
		{Name: "negative", Module: func() []byte { return crowd(nothing, one, active(guest.Int(-1), 0)) }, Want: table},
		{Name: "empty-beyond", Module: func() []byte { return crowd(nothing, one, active(guest.Int(2))) }, Want: table},
		{
			Name: "empty-behind", Module: func() []byte { return crowd(nothing, one, active(guest.Int(1))) },
			Want: exits(0),
		},
		{Name: "sum", Module: func() []byte { return crowd(nothing, one, active(sum, 0)) }, Want: table},
		{
			Name: "before-start", Module: func() []byte { return crowd(failing, one, start, active(guest.Int(1), 0)) },
			Want: table,
		},
		{
			Name:   "before-data",
			Module: func() []byte { return crowd(nothing, one, active(guest.Int(1), 0), data(1<<16)) }, Want: table,
		},
		{
			Name:   "data-behind",
			Module: func() []byte { return crowd(nothing, one, active(guest.Int(0), 0), data(1<<16)) }, Want: memory,
		},
		{Name: "data-at-end", Module: func() []byte { return crowd(nothing, data(1<<16-1)) }, Want: exits(0)},
		{Name: "init-active", Module: initActive, Want: refused("memory.init of an active data segment in function 0")},
		{Name: "own-global", Module: ownGlobal, Want: bad("global 0 in a constant is not imported")},
	}
	for i := range cases {
		cases[i].Name = "instantiate-" + cases[i].Name
		if c := cases[i]; c.Want.Code == "" {
			c.Name, c.Fuel = c.Name+"-fuel", 1000
			cases = append(cases, c)
		}
	}
	return cases
}

// initActive copies from a segment that is gone when the module begins. The section
// that says how many segments there are stands before the code.
func initActive() []byte {
	code := guest.Seq(guest.Int(0), guest.Int(0), guest.Int(1), guest.Code{0xfc, 8, 0, 0})
	segment := slices.Concat([]byte{0}, guest.Int(0), []byte{wasm.OpEnd, 1, 'a'})
	return raw(
		part{wasm.SectionType, list([]byte{0x60, 0, 0})},
		part{wasm.SectionFunction, list([]byte{0})},
		part{wasm.SectionMemory, list([]byte{0, 1})},
		part{wasm.SectionExport, list(slices.Concat(named("_start"), []byte{0, 0}))},
		part{12, leb(1)},
		part{wasm.SectionCode, list(sized(body(code)))},
		part{wasm.SectionData, list(segment)},
	)
}

// ownGlobal has a constant of a global that the module itself has.
func ownGlobal() []byte {
	first := slices.Concat([]byte{byte(guest.I32), 0}, guest.Int(1), []byte{wasm.OpEnd})
	second := []byte{byte(guest.I32), 0, 0x23, 0, wasm.OpEnd}
	return crowd([][]byte{body(nil)}, part{wasm.SectionGlobal, list(first, second)})
}
