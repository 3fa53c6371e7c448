package hostile

import (
	"math"
	"slices"

	"plasm/lib/job"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// hoarders want memory, linear and other.
func hoarders() []Case {
	return []Case{
		{
			Name: "fill-once", Memory: 64, Want: exits(0),
			Module: func() []byte { return touching(guest.Int(1023), 64<<20) },
		},
		{Name: "grow-and-fill", Memory: 64, Want: exits(0), Module: growAndFill},
		{Name: "grow-refused", Memory: 64, Want: exits(0), Module: growRefused},
		{Name: "memory-min", Memory: 64, Want: exits(0), Module: func() []byte {
			return crowd([][]byte{body(guest.MemoryFill(guest.Int(0), guest.Int(1), guest.Int(64<<20)))},
				part{wasm.SectionMemory, list(append([]byte{0}, leb(1024)...))})
		}},
		{Name: "memory-min-all", Want: refused("memory begins at 65536 pages"), Module: func() []byte {
			return crowd([][]byte{body(nil)}, part{wasm.SectionMemory, list(append([]byte{0}, leb(1<<16)...))})
		}},
		{Name: "tables", Want: exits(0), Module: func() []byte { return fillTables(nil) }},
		{Name: "globals", Want: exits(0), Module: func() []byte { return globals(10_000) }},
		{
			Name: "globals-too-many", Want: refused("globals: 10001, more than"),
			Module: func() []byte { return globals(10_001) },
		},
		{Name: "wide-recursion", Want: traps(job.TrapStackOverflow), Module: func() []byte { return recursion(1000) }},
		{
			Name: "tables-and-stack", Memory: 256, Want: traps(job.TrapStackOverflow),
			Module: func() []byte { return fillTables(guest.Call(0)) },
		},
		// Each would have a careless host keep much beside linear memory.
		{Name: "grow-when-full", Memory: 64, Want: exits(0), Folder: true, Module: growWhenFull},
		{Name: "far-descriptor", Want: exits(8), Folder: true, Module: farDescriptor},
		{Name: "endless-name", Memory: 640, Want: exits(37), Folder: true, Module: endlessName},
	}
}

// touching grows memory by pages and fills all of its bytes.
func touching(pages guest.Code, bytes int64) []byte {
	return alone(guest.Seq(guest.Op(wasm.OpDrop, guest.MemoryGrow(pages)),
		guest.MemoryFill(guest.Int(0), guest.Int(1), guest.Int(bytes))))
}

// growAndFill grows memory page by page for as long as it can, and fills each page.
func growAndFill() []byte {
	const at = 0
	return alone(
		guest.Loop(
			guest.MemoryFill(guest.Get(at), guest.Int(1), guest.Int(memory)),
			guest.Increase(at, memory),
			guest.BrIf(0, guest.Op(wasm.OpI32Ne, guest.MemoryGrow(guest.Int(1)), guest.Int(-1))),
		), group(1, guest.I32))
}

// growRefused asks for one page more than there may be, which must be refused and
// leave everything as it was; then for all there may be, which must not.
func growRefused() []byte {
	c := newCommand("proc_exit")
	exit := func(code int, condition guest.Code) guest.Code { return guest.If(condition, c.call("proc_exit", code)) }
	grow := func(pages, want int64) guest.Code {
		return guest.Op(wasm.OpI32Ne, guest.MemoryGrow(guest.Int(pages)), guest.Int(want))
	}
	return c.main(
		exit(1, grow(1024, -1)), exit(2, grow(math.MaxUint32, -1)), exit(3, grow(65535, -1)),
		exit(4, guest.Op(wasm.OpI32Ne, guest.MemorySize(), guest.Int(1))),
		exit(5, grow(1023, 1)), exit(6, grow(1, -1)), exit(7, grow(0, 1024)),
		guest.Store(wasm.OpI32Store, 0, guest.Int(64<<20-4), guest.Int(1)),
	)
}

func globals(n int) []byte {
	one := []byte{byte(guest.V128), 1, 0xfd, 12}
	one = append(append(one, make([]byte, 16)...), wasm.OpEnd)
	all := make([][]byte, n)
	for i := range all {
		all[i] = one
	}
	return crowd([][]byte{body(nil)}, part{wasm.SectionGlobal, list(all...)})
}

// recursion calls itself without end, with so many values to keep each time.
func recursion(locals int) []byte {
	code := make([]guest.Code, 2*locals+1)
	code[locals] = guest.Call(0)
	for i := range uint32(locals) {
		code[i] = guest.Set(i, guest.Load(wasm.OpI64Load, 8*i, guest.Int(0)))
		code[2*locals-int(i)] = guest.Store(wasm.OpI64Store, 8*i, guest.Int(0), guest.Get(i))
	}
	return crowd([][]byte{body(guest.Seq(code...), group(locals, guest.I64)), body(guest.Call(0))})
}

// fillTables grows four tables to their million elements, a thousand at a time, so
// that an engine that copies a table when it grows has to. Then it does more, in
// which function 0 calls itself without end.
func fillTables(more guest.Code) []byte {
	grow := make([]guest.Code, 4, 5)
	for table := range grow {
		one := guest.Seq(guest.Code{0xd0, 0x70}, guest.Int(1000), guest.Code{0xfc, 15}, leb(table),
			guest.Code{wasm.OpDrop})
		grow[table] = times(1000, one)
	}
	table := slices.Concat([]byte{0x70, 1, 0}, leb(1_000_000))
	return crowd([][]byte{body(guest.Call(0)), body(guest.Seq(append(grow, more)...), group(8, guest.I32))},
		part{wasm.SectionTable, list(table, table, table, table)})
}

// growWhenFull gives a file ever larger descriptors, for which a host may keep a
// table, and each time asks for one page more, of which it has used few: it exits with 1
// when that is refused. The host would be short then, and not the job.
func growWhenFull() []byte {
	c := newCommand("path_open", "fd_renumber", "proc_exit")
	name, n := c.text(".")
	const fd, next = 0, 1
	return c.main(
		c.do("path_open", 3, 0, name, n, 0, int64(0), int64(0), 0, result),
		guest.Set(fd, guest.Load(wasm.OpI32Load, 0, guest.Int(result))),
		times(1000,
			guest.Increase(next, 1<<21), // 16 MiB, were there a table so large
			c.do("fd_renumber", guest.Get(fd), guest.Get(next)),
			guest.Set(fd, guest.Get(next)),
			guest.If(guest.Op(wasm.OpI32Eq, guest.MemoryGrow(guest.Int(1)), guest.Int(-1)), c.call("proc_exit", 1)),
		),
	)
}

// farDescriptor opens a file and gives it the largest descriptor, which is not open: EBADF.
func farDescriptor() []byte {
	c := newCommand("path_open", "fd_renumber", "proc_exit")
	name, n := c.text(".")
	return c.main(
		c.do("path_open", 3, 0, name, n, 0, int64(0), int64(0), 0, result),
		c.call("proc_exit", c.call("fd_renumber", guest.Load(wasm.OpI32Load, 0, guest.Int(result)), math.MaxInt32)),
	)
}

// endlessName opens a file whose name is as long as memory: ENAMETOOLONG.
func endlessName() []byte {
	c := newCommand("path_open", "proc_exit")
	const length = 640<<20 - memory
	return c.main(
		guest.Op(wasm.OpDrop, guest.MemoryGrow(guest.Int(640*16-1))),
		guest.MemoryFill(guest.Int(memory), guest.Int('a'), guest.Int(length)),
		c.call("proc_exit", c.call("path_open", 3, 0, memory, length, 1, int64(0), int64(0), 0, result)),
	)
}
