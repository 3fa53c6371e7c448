package meter

import (
	"plasm/lib/job"
	"plasm/lib/wasm"
)

// Instantiation is what is known of a module's instantiation without an engine. A
// module may import functions only, so that every offset is a constant.
type Instantiation struct {
	Trap        string // what instantiating ends in, one of job's traps; "": nothing, but for the start function
	MemoryBytes uint64 // the size of linear memory at the beginning
}

// Instantiate reads how a module that has passed Check will be instantiated: the
// active segments in the order of the specification, elements before data, hold
// against the table's or memory's first size. A segment without content traps too
// when it begins beyond the end. Function bodies are not read.
//
// Engines differ here: wazero goes on when an element segment is out of bounds, and
// looks at data first.
func Instantiate(data []byte) (Instantiation, error) {
	limits := DefaultLimits()
	limits.ModuleBytes = len(data)
	m := &module{data: data, limits: limits, start: -1, headOnly: true, prepared: true}
	if err := m.parse(); err != nil {
		return Instantiation{}, err
	}
	return Instantiation{m.trap, m.pages << 16}, nil
}

// hold notes that an active segment of so many items goes to offset, where there
// is room for so many. The first one that is out of bounds counts.
func (m *module) hold(offset uint32, items int, room uint64, trap string) {
	if m.trap == "" && uint64(offset)+uint64(items) > room {
		m.trap = trap
	}
}

// initialised notes a memory.init, and checkInits refuses it of an active segment,
// which is gone when the module begins: all that it could do is trap. wazero
// keeps such a segment.
func (m *module) initialised(segment uint32, function int) {
	if m.inits == nil {
		m.inits = map[uint32]int{}
	}
	if _, again := m.inits[segment]; !again {
		m.inits[segment] = function
	}
}

func (m *module) checkInit(segment int) *job.Error {
	function, is := m.inits[uint32(segment)]
	if !is {
		return nil
	}
	return refused("memory.init of an active data segment", place{"function", function}, "1", 0)
}

// offset reads the constant expression that says where an active segment goes.
func (m *module) offset(r *reader) uint32 {
	var stack []uint32
	var in instruction
	for m.constantStep(r, &in) {
		n := len(stack)
		switch {
		case in.code == wasm.OpI32Const:
			stack = append(stack, uint32(in.value))
		case n >= 2 && (in.code == wasm.OpI32Add || in.code == wasm.OpI32Sub || in.code == wasm.OpI32Mul):
			stack = append(stack[:n-2], arithmetic(in.code, stack[n-2], stack[n-1]))
		default: // not valid as an offset
			r.Fail(in.at, "opcode %s in an offset", in.name())
		}
	}
	if len(stack) != 1 {
		r.Fail(r.Pos, "an offset leaves %d values", len(stack))
		return 0
	}
	return stack[0]
}

func arithmetic(code int, a, b uint32) uint32 {
	switch code {
	case wasm.OpI32Add:
		return a + b
	case wasm.OpI32Sub:
		return a - b
	}
	return a * b
}
