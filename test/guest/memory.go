package guest

import "plasm/lib/wasm"

// memories are guests that are about linear memory.
func memories() map[string]func() []byte {
	return map[string]func() []byte{
		// Grows memory page by page until it cannot, and writes how many pages
		// there are then.
		"grow": func() []byte {
			p := newProgram("fd_write")
			p.numbers()
			return p.main(
				Block(Loop(
					BrIf(1, failed(MemoryGrow(Int(1)))),
					Br(0),
				)),
				p.printInt(MemorySize()),
			)
		},
		// The same, and writes to each page, so that it is really there.
		"grow-touch": func() []byte {
			p := newProgram("fd_write")
			p.numbers()
			const at = 0
			return p.main(
				Block(Loop(
					BrIf(1, failed(MemoryGrow(Int(1)))),
					Increase(at, 1<<16),
					Store(wasm.OpI32Store, 0, Get(at), Int(1)),
					Br(0),
				)),
				p.printInt(MemorySize()),
			)
		},
	}
}

// failed is whether memory.grow has answered -1.
func failed(grow Code) Code { return Op(wasm.OpI32Eq, grow, Int(-1)) }

// growTo grows memory to n pages in one step and writes how many there are then;
// it exits with 1 when it cannot.
func growTo(n uint32) []byte {
	p := newProgram("fd_write", "proc_exit")
	p.numbers()
	return p.main(
		Set(0, failed(MemoryGrow(Int(int64(n)-1)))),
		p.printInt(MemorySize()),
		p.call("proc_exit", Get(0)),
	)
}

// minMemory has n pages from the beginning, and writes how many there are; without
// any it traps.
func minMemory(n uint32) []byte {
	p := newProgram("fd_write")
	p.numbers()
	p.Memory.Min = n
	p.Data = nil
	return p.main(p.printInt(MemorySize()))
}
