package hostile

import (
	"fmt"
	"maps"
	"slices"

	"plasm/lib/job"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// compiling are modules of which compiling is the attack: what is known to be
// slow or large in engines, far beyond the static limits and close below them.
func compiling() []Case {
	return slices.Concat(large(), nested(), tracked(), branching(), tabled(), valued())
}

// sizes makes a case of each size of one kind of module.
func sizes(kind string, module func(n int) []byte, wants map[int]Want) []Case {
	all := make([]Case, 0, len(wants))
	for _, n := range slices.Sorted(maps.Keys(wants)) {
		all = append(all, Case{
			Name: fmt.Sprintf("%s-%d", kind, n), Module: func() []byte { return module(n) },
			Want: wants[n],
		})
	}
	return all
}

// large are functions: many, or one long one.
func large() []Case {
	tiny := func(n int) []byte { return crowd(slices.Repeat([][]byte{body(nil)}, n)) }
	straight := func(n int) []byte {
		return alone(guest.Seq(guest.Int(3), repeat(n, guest.Seq(guest.Int(77777), guest.Code{wasm.OpI32Mul})),
			guest.Code{wasm.OpDrop}))
	}
	calls := func(n int) []byte { return crowd([][]byte{body(nil), body(repeat(n, guest.Call(0)))}) }
	live := func(n int) []byte {
		load := guest.Load(wasm.OpI32Load, 0, guest.Int(0))
		return alone(guest.Seq(repeat(n, load), repeat(n, guest.Code{wasm.OpDrop})))
	}
	return slices.Concat(
		sizes("functions", tiny, map[int]Want{
			100_000: exits(0),
			300_000: refused("functions: 300000, more than the 100000"),
		}),
		sizes("straight", straight, map[int]Want{
			100_000: exits(0), 104_000: exits(0),
			400_000: refused("bytes in function 0"),
		}),
		sizes("call-list", calls, map[int]Want{100_000: exits(0)}),
		sizes("live-values", live, map[int]Want{50_000: exits(0)}),
	)
}

// nested are blocks, ifs and loops, inside each other and behind each other.
func nested() []Case {
	ifs := func(n int) []byte { return alone(repeat(n, guest.If(guest.Int(1)))) }
	blocks := func(n int) []byte { return alone(nest(n, guest.Code{0x02, 0x40}, guest.Code{wasm.OpEnd})) }
	loops := func(n int) []byte { return alone(nest(n, guest.Code{0x03, 0x40}, guest.Code{wasm.OpEnd})) }
	return slices.Concat(
		sizes("ifs", ifs, map[int]Want{2_000: exits(0), 10_000: exits(0), 40_000: refused("blocks in function 0")}),
		sizes("nested-blocks", blocks, map[int]Want{
			2_000: exits(0), 10_000: exits(0),
			100_000: refused("nested blocks in function 0"),
		}),
		sizes("nested-loops", loops, map[int]Want{
			100: exits(0), 500: refused("nested loops in function 0"), 2_000: refused("nested loops in function 0"),
			10_000: refused("nested loops in function 0"),
		}),
	)
}

// tracked are locals, which a compiler follows through each block.
func tracked() []Case {
	empty := func(n int) []byte { return alone(nil, group(n, guest.I64)) }
	// touch reads and writes a local, another one each time.
	touch := func(n, locals int) guest.Code {
		at := uint32(n % locals)
		return guest.Set(at, guest.Op(wasm.OpI32Add, guest.Get(at), guest.Int(1)))
	}
	ifs := func(n int) []byte {
		code := make([]guest.Code, n)
		for i := range code {
			code[i] = guest.If(guest.Get(uint32(i*7%1000)), touch(i, 1000))
		}
		return alone(guest.Loop(code...), group(1000, guest.I32))
	}
	loops := func(n int) []byte {
		code := touch(n, 2000)
		for i := range n {
			code = guest.Loop(touch(i, 2000), code, guest.BrIf(0, guest.Op(wasm.OpI32Eqz, guest.Get(uint32(i)))))
		}
		return alone(code, group(2000, guest.I32))
	}
	blocks, nested := refused("blocks times locals in function 0"), refused("nested loops times locals in function 0")
	return slices.Concat(
		sizes("locals", empty, map[int]Want{
			10_000: exits(0), 50_000: refused("locals in function 0"), 1_000_000: refused("locals in function 0"),
			50_000_000: refused("locals in function 0"),
		}),
		sizes("locals-ifs", ifs, map[int]Want{100: exits(0), 500: exits(0), 2_000: blocks, 8_000: blocks}),
		sizes("locals-loops", loops, map[int]Want{
			5: exits(0), 20: nested, 50: nested, 200: refused("nested loops in function 0"),
			800: refused("nested loops in function 0"),
		}),
	)
}

// branching are br_tables: one large one, or a hundred.
func branching() []Case {
	table := func(n int) guest.Code {
		return guest.Block(guest.Seq(guest.Int(0), guest.Code{0x0e}, leb(n), make([]byte, n+1)))
	}
	one := func(n int) []byte { return alone(table(n)) }
	many := func(n int) []byte { return alone(repeat(n, table(10_000))) }
	single, together := refused("br_table targets in function 0"), refused("br_table targets of all in function 0")
	return slices.Concat(
		sizes("br-table", one, map[int]Want{
			1_000: exits(0), 9_999: exits(0), 20_000: single, 50_000: single, 100_000: single,
			1_000_000: refused("in function 0"),
		}),
		sizes("br-tables", many, map[int]Want{5: exits(0), 100: {Code: job.CodeModuleRefused, Says: "in function 0"}}),
		sizes("br-tables-together", func(n int) []byte { return alone(repeat(n, table(5_000))) },
			map[int]Want{20: together}),
	)
}

// tabled are tables and the like that are large before an instruction runs.
func tabled() []Case {
	least := func(n int) []byte {
		return crowd([][]byte{body(nil)}, part{wasm.SectionTable, list(slices.Concat([]byte{0x70, 0}, leb(n)))})
	}
	growing := func(limits []byte) func() []byte {
		grow := guest.Seq(guest.Code{0xd0, 0x70}, guest.Int(66_000_000), guest.Code{0xfc, 15, 0},
			guest.Code{wasm.OpDrop})
		return func() []byte {
			return crowd([][]byte{body(grow)}, part{wasm.SectionTable, list(append([]byte{0x70}, limits...))})
		}
	}
	return append(
		sizes("table-min", least, map[int]Want{
			1_000_000:   exits(0),
			100_000_000: refused("minimum in table 0: 100000000, more than"),
		}),
		// 531 MB in 53 bytes.
		Case{Name: "table-grow-unbounded", Module: growing([]byte{0, 0}), Want: refused("maximum in growing table 0")},
		Case{
			Name: "table-grow-far", Module: growing(slices.Concat([]byte{1, 0}, leb(66_000_000))),
			Want: refused("maximum in growing table 0"),
		},
		Case{Name: "table-grow-beyond", Module: growing(slices.Concat([]byte{1, 0}, leb(1_000_000))), Want: exits(0)},
	)
}
