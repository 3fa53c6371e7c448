package meter

import (
	"bytes"

	"plasm/lib/job"
)

// Section IDs. The data count section stands before the code section.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
)

const header = "\x00asm\x01\x00\x00\x00"

// span is a part of the module's bytes.
type span struct{ start, end int }

type section struct {
	id byte
	span
}

// funcType is the type of a function; its lists are parts of the module.
type funcType struct{ params, results []byte }

// module is what one pass over the bytes found. Every list has grown with what
// was read, never with what a number claimed.
type module struct {
	data     []byte
	limits   Limits
	sections []section
	types    []funcType
	funcs    []int // the type of each function, imported ones first
	imported int   // how many functions are imported
	tables   []tableType
	memories int
	globals  int
	segments int
	start    int // number of the start function, or -1
	mutable  int // globals that can change
	bodies   []functionBody
	grown    []bool         // tables that table.grow names
	inits    map[uint32]int // data segments that memory.init names, and a function that does

	headOnly bool // bodies are passed over
	externs  bool // does externref occur?
	replace  bool // put funcref in its place
	mended   bool // is there an operation that is rewritten for every job?

	imports  int    // globals that are imported
	pages    uint64 // least size of memory
	trap     string // that instantiating ends in
	prepared bool   // it may come from Rewrite
}

// functionBody is where a function's body is, and how many values it has.
type functionBody struct {
	span
	values int
}

type tableType struct {
	min, max uint32
	bounded  bool
}

// parse reads a module and holds it against the limits.
func parse(data []byte, limits Limits) (*module, *job.Error) {
	m := &module{data: data, limits: limits.orDefault(), start: -1}
	err := m.parse()
	return m, err
}

func (m *module) parse() *job.Error {
	data := m.data
	if err := within("bytes", place{}, len(data), m.limits.ModuleBytes); err != nil {
		return err
	}
	if !bytes.HasPrefix(data, []byte(header)) {
		return bad(0, "it does not begin as a core module of version 1 does")
	}
	r := &reader{data: data, pos: len(header), end: len(data)}
	last := 0
	for r.left() > 0 {
		s := m.section(r)
		if r.err != nil {
			return r.err
		}
		if s.id != sectionCustom {
			rank := sectionRank(s.id)
			if rank <= last {
				return bad(s.start, "section %d is out of order", s.id)
			}
			last = rank
		}
		if err := m.read(s); err != nil {
			return err
		}
	}
	if !m.headOnly && len(m.bodies) != len(m.funcs)-m.imported {
		return bad(len(data), "%d functions have %d bodies", len(m.funcs)-m.imported, len(m.bodies))
	}
	if err := m.checkGrown(); err != nil {
		return err
	}
	return nil
}

// section reads the head of a section and passes over its content.
func (m *module) section(r *reader) section {
	at := r.pos
	id := r.byte()
	if id > sectionDataCount {
		r.fail(at, "unknown section %d%s", id, sectionFamily(id))
	}
	size := r.count("bytes of a section")
	s := section{id: id, span: span{r.pos, r.pos + size}}
	r.skip(size)
	m.sections = append(m.sections, s)
	return s
}

// sectionFamily says which proposal an unknown section is of, as family does.
func sectionFamily(id byte) string {
	if id == sectionDataCount+1 {
		return " (exceptions)"
	}
	return ""
}

// sectionRank is where a section stands among the others.
func sectionRank(id byte) int {
	switch id {
	case sectionCode, sectionData:
		return int(id) + 1
	case sectionDataCount:
		return sectionCode
	default:
		return int(id)
	}
}

// read reads the content of a section.
func (m *module) read(s section) *job.Error {
	r := &reader{data: m.data, pos: s.start, end: s.end, of: m}
	var err *job.Error
	switch s.id {
	case sectionCustom:
		r.name()
		r.pos = r.end
	case sectionType:
		err = m.readTypes(r)
	case sectionImport:
		err = m.readImports(r)
	case sectionFunction:
		err = m.readFunctions(r)
	case sectionTable:
		err = m.readTables(r)
	case sectionMemory:
		m.readMemories(r)
	case sectionGlobal:
		err = m.readGlobals(r)
	case sectionExport:
		err = m.readExports(r)
	case sectionStart:
		m.start = m.function(r)
	case sectionElement:
		err = m.readElements(r)
	case sectionCode:
		if m.headOnly {
			return nil
		}
		err = m.readBodies(r)
	case sectionData:
		err = m.readData(r)
	case sectionDataCount:
		r.u32()
	}
	if r.err == nil && err == nil && r.left() > 0 {
		r.fail(r.pos, "%d bytes are left in section %d", r.left(), s.id)
	}
	// What could not be read was met before what was refused: a number that
	// cannot be right says nothing about limits.
	if r.err != nil {
		return r.err
	}
	return err
}

// function reads the number of a function.
func (m *module) function(r *reader) int {
	at := r.pos
	n := int(r.u32())
	if n >= len(m.funcs) {
		r.fail(at, "function %d of %d", n, len(m.funcs))
		return 0
	}
	return n
}

// typeIndex reads the number of a type.
func (m *module) typeIndex(r *reader) int {
	at := r.pos
	n := int(r.u32())
	if n >= len(m.types) {
		r.fail(at, "type %d of %d", n, len(m.types))
		return 0
	}
	return n
}

// checkGrown holds the tables that grow against the limit. It needs the code.
func (m *module) checkGrown() *job.Error {
	for i, grown := range m.grown {
		if !grown {
			continue
		}
		t := m.tables[i]
		where := place{"growing table", i}
		if !t.bounded {
			return refused("maximum", where, "none", m.limits.TableElements)
		}
		if err := within("maximum", where, int(t.max), m.limits.TableElements); err != nil {
			return err
		}
	}
	return nil
}
