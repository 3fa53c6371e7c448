package meter

import (
	"plasm/lib/job"
	"plasm/lib/wasm"
)

// constant reads a constant expression.
func (m *module) constant(r *reader) {
	var in instruction
	for m.constantStep(r, &in) {
	}
}

// constantStep reads an instruction of a constant expression, and reports whether it
// is not the last.
func (m *module) constantStep(r *reader, in *instruction) bool {
	if !r.OK() {
		return false
	}
	m.decode(r, in)
	switch in.code {
	case wasm.OpEnd:
		return false
	case wasm.OpGlobalGet:
		if in.index >= m.imports { // WebAssembly 2.0; wazero takes it
			r.Fail(in.at, "global %d in a constant is not imported", in.index)
		}
	case wasm.OpI32Const, wasm.OpI64Const, wasm.OpF32Const, wasm.OpF64Const, wasm.OpV128Const, wasm.OpRefNull,
		wasm.OpRefFunc,
		wasm.OpI32Add, wasm.OpI32Sub, wasm.OpI32Mul, wasm.OpI64Add, wasm.OpI64Sub, wasm.OpI64Mul:
	default:
		r.Fail(in.at, "opcode %s in a constant", in.name())
	}
	return r.OK()
}

// addSegments reads how many segments follow.
func (m *module) addSegments(r *reader, what string) (int, *job.Error) {
	n := r.Count(what)
	m.segments += n
	return n, within("segments of data and elements", place{}, m.segments, m.limits.Segments)
}

func (m *module) readData(r *reader) *job.Error {
	n, err := m.addSegments(r, "data segments")
	if err != nil {
		return err
	}
	for i := range n {
		at := r.Pos
		flags := r.U32()
		if flags > 2 {
			r.Fail(at, "a data segment of the unknown form %d", flags)
		}
		if flags == 2 {
			r.U32() // a memory
		}
		var offset uint32
		if flags != 1 {
			offset = m.offset(r)
		}
		size := r.Count("bytes of data")
		r.Skip(size)
		if flags == 1 || !r.OK() {
			continue
		}
		m.hold(offset, size, m.pages<<16, job.TrapMemory)
		if err := m.checkInit(i); err != nil {
			return err
		}
	}
	return nil
}

// The bits of an element segment's form.
const (
	elementPassive     = 1 // or declared, where it names no table
	elementNames       = 2 // an active one names its table; another one is declared
	elementExpressions = 4
)

func (m *module) readElements(r *reader) *job.Error {
	n, err := m.addSegments(r, "element segments")
	if err != nil {
		return err
	}
	for range n {
		m.readElement(r)
	}
	return nil
}

func (m *module) readElement(r *reader) {
	at := r.Pos
	form := r.U32()
	if form > 7 {
		r.Fail(at, "an element segment of the unknown form %d", form)
	}
	active := form&elementPassive == 0
	var table int
	var offset uint32
	if active {
		if form&elementNames != 0 {
			table = int(r.U32())
		}
		offset = m.offset(r)
	}
	if form&(elementPassive|elementNames) != 0 {
		elementKind(r, form)
	}
	n := r.Count("elements")
	if active && table < len(m.tables) { // else an engine refuses it
		m.hold(offset, n, uint64(m.tables[table].Min), job.TrapTable)
	}
	for range n {
		if form&elementExpressions != 0 {
			m.constant(r)
		} else {
			m.function(r)
		}
	}
}

// elementKind reads what a segment holds: a reference type before expressions,
// 0 for functions before numbers.
func elementKind(r *reader, form uint32) {
	if form&elementExpressions != 0 {
		r.refType()
		return
	}
	at := r.Pos
	if kind := r.Byte(); kind != 0 {
		r.Fail(at, "elements of the unknown kind %d", kind)
	}
}
