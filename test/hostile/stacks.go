package hostile

import (
	"math"
	"slices"

	"plasm/lib/job"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// stacks run out of stack in every way that there is, and end as a trap: it is never
// the worker that dies.
func stacks() []Case {
	overflows := traps(job.TrapStackOverflow)
	wide := func(locals int) func() []byte { return func() []byte { return keeping(locals) } }
	hosted := func(start bool, name string, args ...any) func() []byte {
		return func() []byte { return recursionInHost(start, name, args...) }
	}
	return []Case{
		{Name: "recursion-indirect", Want: overflows, Module: func() []byte {
			return crowd([][]byte{body(guest.CallIndirect(0, guest.Int(0)))},
				part{wasm.SectionTable, list([]byte{0x70, 0, 1})},
				part{
					wasm.SectionElement,
					list(slices.Concat([]byte{0}, guest.Int(0), []byte{wasm.OpEnd}, list(leb(0)))),
				})
		}},
		{Name: "recursion-mutual", Want: overflows, Module: func() []byte {
			return crowd([][]byte{
				body(guest.Seq(guest.Call(1), guest.Code{0x01})),
				body(guest.Seq(guest.Call(0), guest.Code{0x01})),
			})
		}},
		{Name: "recursion-growing", Memory: 64, Want: overflows, Module: func() []byte {
			return alone(guest.Seq(guest.Op(wasm.OpDrop, guest.MemoryGrow(guest.Int(1))), guest.Call(0)))
		}},
		// Frames that are larger than what lies between a stack and what is next to it.
		{Name: "recursion-100-vectors", Want: overflows, Module: wide(100)},
		{Name: "recursion-3000-vectors", Want: overflows, Module: wide(3000)},
		{Name: "recursion-9999-vectors", Want: overflows, Module: wide(9999)},
		// Functions of the host, called anywhere up to the end of the stack.
		{Name: "recursion-clock", Want: overflows, Module: hosted(false, "clock_time_get", 1, int64(1), result)},
		{Name: "recursion-entropy", Want: overflows, Module: hosted(false, "random_get", buffer, 8)},
		{
			Name: "recursion-write", OutputLimit: 1 << 30, Want: overflows,
			Module: hosted(false, "fd_write", 1, iovec, 1, result),
		},
		{Name: "recursion-read", Want: overflows, Module: hosted(false, "fd_read", 0, iovec, 1, result)},
		{
			Name: "recursion-open", Folder: true, Want: overflows,
			Module: hosted(false, "path_open", 3, 0, buffer, 8, 0, int64(0), int64(0), 0, result),
		},
		{Name: "start-recursion-clock", Want: overflows, Module: hosted(true, "clock_time_get", 1, int64(1), result)},
		{
			Name: "start-recursion-write", OutputLimit: 1 << 30, Want: overflows,
			Module: hosted(true, "fd_write", 1, iovec, 1, result),
		},
	}
}

// keeping calls itself without end, with so many vectors to keep each time.
func keeping(locals int) []byte {
	load := func(i uint32) guest.Code {
		return guest.Seq(guest.Int(0), guest.Code{0xfd, 0, 0}, leb(int(i)))
	}
	code := make([]guest.Code, 0, 2*locals+1)
	for i := range uint32(locals) {
		code = append(code, guest.Set(i, load(i)))
	}
	code = append(code, guest.Call(0))
	for i := range uint32(locals) {
		code = append(code, guest.Seq(guest.Int(0), guest.Get(i), guest.Code{0xfd, 0x0b, 0}, leb(int(i))))
	}
	return crowd([][]byte{body(guest.Seq(code...), group(locals, guest.V128)), body(guest.Call(0))})
}

// recursionInHost calls itself without end, and each time a function of the host: in
// _start or in the start function.
func recursionInHost(start bool, name string, args ...any) []byte {
	c := newCommand(name)
	c.define("down", guest.Store(wasm.OpI32Store, 0, guest.Int(iovec), guest.Int(buffer)),
		guest.Store(wasm.OpI32Store, 4, guest.Int(iovec), guest.Int(8)), c.do(name, args...), guest.Call(1))
	if !start {
		return c.main(guest.Call(1))
	}
	return started(c, guest.Call(1))
}

// spaces are memories of 4 GiB, of which the last page cannot be had, and data of many
// megabytes.
func spaces() []Case {
	const most = 1<<16 - 1 // pages
	trapUnless := func(condition guest.Code) guest.Code {
		return guest.If(guest.Op(wasm.OpI32Eqz, condition), guest.Code{wasm.OpUnreachable})
	}
	is := func(value guest.Code, want int64) guest.Code {
		return trapUnless(guest.Op(wasm.OpI32Eq, value, guest.Int(want)))
	}
	touch := func(at int64) guest.Code {
		return guest.Seq(guest.Store(wasm.OpI32Store, 0, guest.Int(at), guest.Int(7)),
			is(guest.Load(wasm.OpI32Load, 0, guest.Int(at)), 7))
	}
	return []Case{
		{Name: "space-by-pages", Memory: 4096, Want: exits(0), Module: func() []byte {
			return alone(guest.Seq(
				guest.Loop(guest.BrIf(0, guest.Op(wasm.OpI32Ne, guest.MemoryGrow(guest.Int(1)), guest.Int(-1)))),
				is(guest.MemorySize(), most), touch(most<<16-4)))
		}},
		{Name: "space-at-once", Memory: 4096, Want: exits(0), Module: func() []byte {
			return alone(guest.Seq(is(guest.MemoryGrow(guest.Int(most)), -1),
				is(guest.MemoryGrow(guest.Int(most-1)), 1), touch(most<<16-4)))
		}},
		{Name: "space-from-the-start", Memory: 4096, Want: exits(0), Module: func() []byte {
			return spaced(most, touch(most<<16-4))
		}},
		{Name: "space-beyond", Memory: 4096, Want: traps(job.TrapMemory), Module: func() []byte {
			return spaced(most, touch(most<<16))
		}},
		{
			Name: "space-last-loads", Memory: 4096, Want: exits(0),
			Module: func() []byte { return spaced(most, lastLoads(most<<16)) },
		},
		{Name: "space-load-across", Memory: 4096, Want: traps(job.TrapMemory), Module: func() []byte {
			return spaced(most, dropped(guest.Load(wasm.OpI32Load, most<<16-4, guest.Int(1))))
		}},
		{Name: "space-load-at-4-gib", Memory: 4096, Want: traps(job.TrapMemory), Module: func() []byte {
			return spaced(most, dropped(guest.Load(wasm.OpI32Load, 0, guest.Int(-4))))
		}},
		{Name: "space-load-at-8-gib", Memory: 4096, Want: traps(job.TrapMemory), Module: func() []byte {
			return spaced(most, dropped(guest.Load(wasm.OpI32Load, math.MaxUint32, guest.Int(-1))))
		}},
		{Name: "space-too-large", Memory: 4096, Want: refused("memory begins at 65536 pages"), Module: func() []byte {
			return spaced(1<<16, nil)
		}},
		{Name: "data-of-12-mb", Memory: 16, Want: exits(0), Module: func() []byte {
			data := slices.Concat([]byte{0}, guest.Int(0), []byte{wasm.OpEnd},
				sized(slices.Repeat([]byte("text"), 3<<20)))
			return crowd([][]byte{body(is(guest.Load(wasm.OpI32Load, 0, guest.Int(12<<20-4)), 0x74786574))},
				part{wasm.SectionMemory, list(append([]byte{0}, leb(256)...))}, part{wasm.SectionData, list(data)})
		}},
	}
}

// spaced is a command whose memory begins with so many pages.
func spaced(pages int, code guest.Code) []byte {
	return crowd([][]byte{body(code)}, part{wasm.SectionMemory, list(append([]byte{0}, leb(pages)...))})
}

func dropped(code guest.Code) guest.Code { return guest.Op(wasm.OpDrop, code) }

// lastLoads has each width of load end where memory does, by its address and by its
// offset.
func lastLoads(size int64) guest.Code {
	code := make(guest.Code, 0, 256)
	for _, load := range []struct {
		opcode guest.Code
		width  int64
	}{
		{guest.Code{0x2c}, 1},
		{guest.Code{0x2e}, 2},
		{guest.Code{0x28}, 4},
		{guest.Code{0x2a}, 4},
		{guest.Code{0x29}, 8},
		{guest.Code{0x2b}, 8},
		{guest.Code{0xfd, 0}, 16},
	} {
		at := size - load.width
		code = append(code, dropped(guest.Seq(guest.Int(at), load.opcode, guest.Code{0, 0}))...)
		code = append(code, dropped(guest.Seq(guest.Int(0), load.opcode, guest.Code{0}, leb(int(at))))...)
	}
	return code
}
