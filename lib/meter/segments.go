package meter

import "plasm/lib/job"

// constant reads a constant expression.
func (m *module) constant(r *reader) {
	var in instruction
	for m.constantStep(r, &in) {
	}
}

// constantStep reads an instruction of a constant expression, and reports whether it
// is not the last.
func (m *module) constantStep(r *reader, in *instruction) bool {
	if r.err != nil {
		return false
	}
	m.decode(r, in)
	switch in.code {
	case opEnd:
		return false
	case opGlobalGet:
		if in.index >= m.imports { // WebAssembly 2.0; wazero takes it
			r.fail(in.at, "global %d in a constant is not imported", in.index)
		}
	case opI32Const, opI64Const, opF32Const, opF64Const, opV128Const, opRefNull, opRefFunc,
		opI32Add, opI32Sub, opI32Mul, opI64Add, opI64Sub, opI64Mul:
	default:
		r.fail(in.at, "opcode %s in a constant", in.name())
	}
	return r.err == nil
}

// addSegments reads how many segments follow.
func (m *module) addSegments(r *reader, what string) (int, *job.Error) {
	n := r.count(what)
	m.segments += n
	return n, within("segments of data and elements", place{}, m.segments, m.limits.Segments)
}

func (m *module) readData(r *reader) *job.Error {
	n, err := m.addSegments(r, "data segments")
	if err != nil {
		return err
	}
	for i := range n {
		at := r.pos
		flags := r.u32()
		if flags > 2 {
			r.fail(at, "a data segment of the unknown form %d", flags)
		}
		if flags == 2 {
			r.u32() // a memory
		}
		var offset uint32
		if flags != 1 {
			offset = m.offset(r)
		}
		size := r.count("bytes of data")
		r.skip(size)
		if flags == 1 || r.err != nil {
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
	at := r.pos
	form := r.u32()
	if form > 7 {
		r.fail(at, "an element segment of the unknown form %d", form)
	}
	active := form&elementPassive == 0
	var table int
	var offset uint32
	if active {
		if form&elementNames != 0 {
			table = int(r.u32())
		}
		offset = m.offset(r)
	}
	if form&(elementPassive|elementNames) != 0 {
		elementKind(r, form)
	}
	n := r.count("elements")
	if active && table < len(m.tables) { // else an engine refuses it
		m.hold(offset, n, uint64(m.tables[table].min), job.TrapTable)
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
	at := r.pos
	if kind := r.byte(); kind != 0 {
		r.fail(at, "elements of the unknown kind %d", kind)
	}
}
