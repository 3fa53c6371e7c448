package hostile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"plasm/lib/wasm"
	"plasm/test/guest"
)

// malformed are modules that are wrong, or right in an unusual way.
func malformed() []Case {
	return slices.Concat(misnamed(), oddImports(), oddStarts(), exported(), overstated(), disordered())
}

// notUTF8 are names that are not.
func notUTF8() []string {
	return []string{"\xff", "a\xc0\xae", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}
}

// misnamed are modules with names that are no UTF-8, wherever names can be.
func misnamed() []Case {
	var all []Case
	for i, name := range notUTF8() {
		add := func(where string, want Want, module func() []byte) {
			all = append(all, Case{Name: fmt.Sprintf("utf8-%s-%d", where, i), Want: want, Module: module})
		}
		add("module", bad(""), func() []byte { return importing(named(name), named("f"), []byte{0, 0}) })
		add("import", bad(""),
			func() []byte { return importing(named("wasi_snapshot_preview1"), named(name), []byte{0, 0}) })
		add("export", bad(""), func() []byte {
			return crowd([][]byte{body(nil)}, part{wasm.SectionExport, list(
				slices.Concat(named("_start"), []byte{0, 0}), slices.Concat(named(name), []byte{0, 0}))})
		})
		add("custom", bad(""),
			func() []byte { return crowd([][]byte{body(nil)}, part{wasm.SectionCustom, named(name)}) })
		// They make no module invalid.
		add("names", exits(0), func() []byte {
			functions := sized(list(slices.Concat(leb(0), named(name))))
			return append(crowd([][]byte{body(nil)}),
				append([]byte{wasm.SectionCustom}, sized(named("name"), []byte{1}, functions)...)...)
		})
	}
	return all
}

// importing is a module with one import, given by its parts.
func importing(parts ...[]byte) []byte {
	return crowd([][]byte{body(nil)}, part{wasm.SectionImport, list(slices.Concat(parts...))},
		part{wasm.SectionExport, list(slices.Concat(named("_start"), []byte{0, 1}))})
}

// oddImports import what there is not.
func oddImports() []Case {
	odd := func(name string, want Want, kind ...byte) Case {
		return Case{
			Name: "import-" + name, Want: want,
			Module: func() []byte { return importing(named("env"), named("x"), kind) },
		}
	}
	return []Case{
		odd("tag", bad(""), 4, 0, 0),
		odd("kind-255", bad(""), 0xff, 0, 0),
		odd("no-such-type", bad(""), 0, 99),
		odd("externref-table", bad(""), 1, 0x6f, 0, 1),
		odd("huge-table", refused("minimum in table 0"), 1, 0x70, 0, 0xff, 0xff, 0xff, 0xff, 0x0f),
		odd("huge-memory", bad(""), 2, 0, 0xff, 0xff, 0xff, 0xff, 0x0f),
		odd("vector-global", bad(""), 3, byte(guest.V128), 1),
		odd("no-such-value", bad(""), 3, 0x00, 0),
		{Name: "import-thousands", Want: refused("imports: 100000, more than"), Module: func() []byte {
			one := slices.Concat(named("wasi_snapshot_preview1"), named("sched_yield"), []byte{0, 0})
			return crowd([][]byte{body(nil)}, part{wasm.SectionImport, list(slices.Repeat([][]byte{one}, 100_000)...)})
		}},
		{Name: "import-long-name", Want: bad(""), Module: func() []byte {
			return importing(named("wasi_snapshot_preview1"), named(strings.Repeat("n", 1<<20)), []byte{0, 0})
		}},
		{Name: "import-terminal", Want: bad(""), Module: func() []byte {
			return importing(named("\x1b]0;owned\a\x1b[2J\u202e"), named("\r\n\u2028\x00"), []byte{0, 0})
		}},
		{Name: "import-all-types", Want: bad(""), Module: func() []byte {
			return crowd([][]byte{body(nil)},
				part{wasm.SectionType, list([]byte{0x60, 0, 0},
					slices.Concat([]byte{0x60}, leb(7), []byte{0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f},
						[]byte{1, 0x6f}))},
				part{
					wasm.SectionImport,
					list(slices.Concat(named("wasi_snapshot_preview1"), named("fd_write"), []byte{0, 1})),
				},
				part{wasm.SectionExport, list(slices.Concat(named("_start"), []byte{0, 1}))})
		}},
	}
}

// oddStarts have start sections that name what cannot be called.
func oddStarts() []Case {
	start := func(name string, content []byte, want Want) Case {
		return Case{Name: "start-" + name, Want: want, Module: func() []byte {
			return crowd([][]byte{body(nil)}, part{wasm.SectionStart, content})
		}}
	}
	return []Case{
		start("nowhere", leb(7), bad("")),
		start("far", []byte{0xff, 0xff, 0xff, 0xff, 0x0f}, bad("")),
		start("empty", nil, bad("")),
		start("long", []byte{0, 0}, bad("")),
		{Name: "start-twice", Want: bad(""), Module: func() []byte {
			one := []byte{wasm.SectionStart, 1, 0}
			module := crowd([][]byte{body(nil)}, part{wasm.SectionStart, leb(0)})
			return slices.Insert(module, bytes.Index(module, one), one...)
		}},
		{Name: "start-import", Want: bad(""), Module: func() []byte { // proc_exit takes a number
			c := newCommand("proc_exit")
			start := uint32(0)
			c.Start = &start
			return c.main()
		}},
	}
}

// exported have many exports, or one twice.
func exported() []Case {
	many := func(n int) []byte {
		all := slices.Repeat([][]byte{slices.Concat(named("_start"), []byte{0, 0})}, n)
		for i := 1; i < n; i++ {
			all[i] = slices.Concat(named(fmt.Sprintf("export %d", i)), []byte{0, 0})
		}
		return crowd([][]byte{body(nil)}, part{wasm.SectionExport, list(all...)})
	}
	return append(
		sizes("exports", many, map[int]Want{
			10_000:  exits(0),
			100_000: refused("exports: 100000, more than the 10000"),
		}),
		Case{Name: "export-twice", Want: bad(""), Module: func() []byte {
			one := slices.Concat(named("_start"), []byte{0, 0})
			return crowd([][]byte{body(nil)}, part{wasm.SectionExport, list(one, one)})
		}},
		Case{Name: "export-reserved", Want: bad(`names that begin with "plasm:" are taken`), Module: func() []byte {
			return crowd([][]byte{body(nil)}, part{wasm.SectionExport, list(
				slices.Concat(named("_start"), []byte{0, 0}), slices.Concat(named("plasm:memory"), []byte{0, 0}))})
		}},
		// wasmtime takes names of up to 100 000 bytes.
		Case{
			Name: "export-long-name", Want: exits(0), Differs: map[string]Want{"wasmtime": bad("")},
			Module: func() []byte {
				one := slices.Concat(named("_start"), []byte{0, 0})
				return crowd([][]byte{body(nil)},
					part{wasm.SectionExport, list(one, slices.Concat(named(strings.Repeat("e", 1<<20)), []byte{0, 0}))})
			},
		},
	)
}

// overstated are modules of a few bytes in which a number promises billions.
func overstated() []Case {
	most := []byte{0xff, 0xff, 0xff, 0xff, 0x0f}
	var all []Case
	for id := range byte(wasm.SectionData + 1) {
		all = append(all,
			Case{
				Name: fmt.Sprintf("count-%d", id), Want: bad(""),
				Module: func() []byte { return crowd([][]byte{body(nil)}, part{id, most}) },
			},
			Case{Name: fmt.Sprintf("length-%d", id), Want: bad(""), Module: func() []byte {
				return slices.Concat([]byte(wasm.Header), []byte{id}, most)
			}},
		)
	}
	return append(all,
		Case{
			Name: "count-locals", Want: bad(""),
			Module: func() []byte { return crowd([][]byte{slices.Concat(most, most)}) },
		},
		Case{Name: "locals-overflow", Want: refused("locals in function 0"), Module: func() []byte {
			return alone(nil, append(slices.Clone(most), 0x7f), append(slices.Clone(most), 0x7f))
		}},
		Case{
			Name: "count-targets", Want: bad(""),
			Module: func() []byte { return alone(guest.Seq(guest.Int(0), guest.Code{0x0e}, guest.Code(most))) },
		},
		Case{Name: "long-number", Want: bad(""), Module: func() []byte {
			return crowd([][]byte{body(nil)}, part{wasm.SectionStart, []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x00}})
		}},
		Case{Name: "types-too-many", Want: refused("types: 20001, more than the 20000"), Module: func() []byte {
			return crowd([][]byte{body(nil)}, part{
				wasm.SectionType,
				list(slices.Repeat([][]byte{{0x60, 0, 0}}, 20_001)...),
			})
		}},
		Case{Name: "parameters-too-many", Want: refused("parameters in type 0"), Module: func() []byte {
			return crowd([][]byte{body(nil)}, part{
				wasm.SectionType,
				list(slices.Concat([]byte{0x60}, list(slices.Repeat([][]byte{{0x7f}}, 100_000)...), []byte{0})),
			})
		}},
		Case{Name: "segments-too-many", Want: refused("segments"), Module: func() []byte {
			return crowd([][]byte{body(nil)}, part{wasm.SectionData, list(slices.Repeat([][]byte{{1, 0}}, 250_001)...)})
		}},
		Case{Name: "segments", Want: exits(0), Module: func() []byte {
			return crowd([][]byte{body(nil)}, part{wasm.SectionData, list(slices.Repeat([][]byte{{1, 0}}, 100_000)...)})
		}},
	)
}

// disordered are sections where they do not belong.
func disordered() []Case {
	twice := func(id byte) func() []byte {
		return func() []byte {
			return slices.Concat(crowd([][]byte{body(nil)}), []byte{id}, sized(leb(0)))
		}
	}
	return []Case{
		{Name: "section-13", Want: bad(""), Module: twice(13)},
		{Name: "section-255", Want: bad(""), Module: twice(255)},
		{Name: "types-last", Want: bad(""), Module: twice(wasm.SectionType)},
		{Name: "code-twice", Want: bad(""), Module: twice(wasm.SectionCode)},
		{Name: "no-code", Want: bad(""), Module: func() []byte {
			return raw(part{wasm.SectionType, list([]byte{0x60, 0, 0})}, part{wasm.SectionFunction, list(leb(0))},
				part{wasm.SectionExport, list(slices.Concat(named("_start"), []byte{0, 0}))})
		}},
		{Name: "customs", Want: exits(0), Module: func() []byte {
			one := append([]byte{wasm.SectionCustom}, sized(named("x"))...)
			return append(crowd([][]byte{body(nil)}), slices.Repeat(one, 100_000)...)
		}},
		{Name: "two-memories", Want: bad(""), Module: func() []byte {
			return crowd([][]byte{body(nil)}, part{wasm.SectionMemory, list([]byte{0, 1}, []byte{0, 1})})
		}},
		{Name: "memory64", Want: bad(""), Module: func() []byte {
			return crowd([][]byte{body(nil)}, part{wasm.SectionMemory, list([]byte{4, 1})})
		}},
		{
			Name: "exceptions", Want: bad("unknown opcode 0x06 (exceptions)"),
			Module: func() []byte { return alone(guest.Code{0x06, 0x40, wasm.OpEnd}) },
		},
		{
			Name: "exceptions-table", Want: bad("unknown opcode 0x1f (exceptions)"),
			Module: func() []byte { return alone(guest.Code{0x1f, 0x40, 0, wasm.OpEnd}) },
		},
		{
			Name: "exceptions-throw", Want: bad("unknown opcode 0x08 (exceptions)"),
			Module: func() []byte { return alone(guest.Code{0x08, 0}) },
		},
		{Name: "exceptions-tag", Want: bad("unknown section 13 (exceptions)"), Module: func() []byte {
			return raw(part{wasm.SectionType, list([]byte{0x60, 0, 0})}, part{wasm.SectionFunction, list([]byte{0})},
				part{wasm.SectionTag, list([]byte{0, 0})},
				part{wasm.SectionExport, list(slices.Concat(named("_start"), []byte{0, 0}))},
				part{wasm.SectionCode, list(sized(body(nil)))})
		}},
		{Name: "threads", Want: bad(""), Module: func() []byte {
			return alone(guest.Seq(guest.Int(0), guest.Code{0xfe, 0x10, 2, 0, wasm.OpDrop}))
		}},
		{Name: "relaxed-simd", Want: bad(""), Module: func() []byte {
			zero := append(guest.Code{0xfd, 12}, make(guest.Code, 16)...)
			return alone(guest.Seq(zero, zero, guest.Code{0xfd, 0x80, 2, wasm.OpDrop}))
		}},
	}
}
