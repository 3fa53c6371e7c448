package guest

import (
	"math"
	"strings"

	"plasm/lib/wasm"
)

// traps are guests that do what WebAssembly forbids. Each but those that trap
// while they are instantiated writes "before\n" first.
func traps() map[string]func() []byte {
	return map[string]func() []byte{
		"unreachable": func() []byte { return trapping(Op(wasm.OpUnreachable)) },
		"divzero":     func() []byte { return trapping(Op(wasm.OpDrop, Op(wasm.OpI32DivS, Int(1), Int(0)))) },
		"overflow": func() []byte {
			return trapping(Op(wasm.OpDrop,
				Op(wasm.OpI32DivS, Int(math.MinInt32), Int(-1))))
		},
		"conversion": func() []byte {
			return trapping(Op(wasm.OpDrop,
				Op(wasm.OpI32TruncF32S, Float(float32(math.NaN())))))
		},
		"oob-load":  func() []byte { return trapping(Op(wasm.OpDrop, Load(wasm.OpI32Load, 0, Int(-4)))) },
		"oob-store": func() []byte { return trapping(Store(wasm.OpI32Store, 0, Int(65533), Int(1))) },
		// Behind the end of a memory of one page, by an offset of almost 4 GiB.
		"oob-offset": func() []byte { return trapping(Op(wasm.OpDrop, Load(wasm.OpI32Load, math.MaxUint32, Int(-4)))) },
		// The function calls itself without end.
		"stackoverflow": func() []byte {
			p := newProgram("fd_write")
			p.define("down", FuncType{}, nil, func() Code { return p.call("down") })
			return p.main(p.print(stdout, "before\n"), p.call("down"))
		},
		// A table of two elements: the first a function of another type, the
		// second empty, the third not there.
		"indirect-mismatch": func() []byte { return indirect(0) },
		"indirect-null":     func() []byte { return indirect(1) },
		"indirect-oob":      func() []byte { return indirect(2) },
		// A data segment that ends behind the memory: a trap while instantiating.
		"oob-data": func() []byte {
			p := newProgram()
			p.Data = []Data{{Offset: Int(65530), Bytes: make([]byte, 16)}}
			return p.main()
		},
		// An element segment that ends behind the table.
		"oob-elem": func() []byte {
			p := newProgram()
			p.Table = &Limits{Min: 1}
			p.Elems = []Elem{{Offset: Int(1), Funcs: []uint32{0}}}
			return p.main()
		},
		// Three functions deep, with names: of one line and otherwise.
		"named-trap": func() []byte {
			p := newProgram("fd_write")
			p.define("inner", FuncType{}, nil, func() Code { return Op(wasm.OpUnreachable) })
			p.define("middle", FuncType{}, nil, func() Code { return p.call("inner") })
			p.define("outer", FuncType{}, nil, func() Code { return p.call("middle") })
			p.Customs = []Custom{{Name: "name", Bytes: names(
				"fd_write", "core::panic", "\x1b[31mred\nplasm-run: lies\xff\u202e", strings.Repeat("long", 100),
				"_start")}}
			return p.main(p.print(stdout, "before\n"), p.call("outer"))
		},
		// Calls fd_write although it has no memory.
		"no-memory": func() []byte {
			p := newProgram("fd_write")
			p.Memory, p.Exports = nil, nil
			return p.main(Op(wasm.OpDrop, p.call("fd_write", Int(stdout), Int(0), Int(1), Int(8))))
		},
	}
}

func trapping(trap Code) []byte {
	p := newProgram("fd_write")
	return p.main(p.print(stdout, "before\n"), trap)
}

// indirect calls the element of the table as a function without parameters.
func indirect(element int64) []byte {
	p := newProgram("fd_write")
	p.define("other", FuncType{Params: []ValType{I32}}, nil, func() Code { return nil })
	p.Table = &Limits{Min: 2}
	p.Elems = []Elem{{Offset: Int(0), Funcs: []uint32{p.index["other"]}}}
	// Types are numbered as functions are: that of _start comes next.
	return p.main(p.print(stdout, "before\n"), CallIndirect(p.index["other"]+1, Int(element)))
}

// names is the content of a name section for functions numbered from 0 on.
func names(functions ...string) []byte {
	list := leb(uint32(len(functions)))
	for i, name := range functions {
		list = append(append(list, leb(uint32(i))...), text(name)...)
	}
	return append([]byte{1}, sized(list)...)
}
