package meter

import (
	"bytes"

	"plasm/lib/job"
	"plasm/lib/wasm"
)

// span is a part of the module's bytes.
type span struct{ start, end int }

// section is a section of the module, and where its content is.
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
	tables   []wasm.Limits
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
	if !bytes.HasPrefix(data, []byte(wasm.Header)) {
		return badAt(0, "it does not begin as a core module of version 1 does")
	}
	r := m.read(span{wasm.HeaderSize, len(data)}, false)
	last := 0
	for r.Left() > 0 {
		s := m.section(&r)
		if !r.OK() {
			return r.err()
		}
		if s.id != wasm.SectionCustom {
			rank := sectionRank(s.id)
			if rank <= last {
				return badAt(s.start, "section %d is out of order", s.id)
			}
			last = rank
		}
		if err := m.content(s); err != nil {
			return err
		}
	}
	if !m.headOnly && len(m.bodies) != len(m.funcs)-m.imported {
		return badAt(len(data), "%d functions have %d bodies", len(m.funcs)-m.imported, len(m.bodies))
	}
	if err := m.checkGrown(); err != nil {
		return err
	}
	return nil
}

// section reads the head of a section and passes over its content.
func (m *module) section(r *reader) section {
	s := r.Section()
	if s.ID > wasm.SectionDataCount {
		r.Fail(s.At, "unknown section %d%s", s.ID, sectionFamily(s.ID))
	}
	found := section{id: s.ID, span: span{s.Start, s.End}}
	m.sections = append(m.sections, found)
	return found
}

// sectionFamily says which proposal an unknown section is of, as family does.
func sectionFamily(id byte) string {
	if id == wasm.SectionTag {
		return " (exceptions)"
	}
	return ""
}

// sectionRank is where a section stands among the others.
func sectionRank(id byte) int {
	switch id {
	case wasm.SectionCode, wasm.SectionData:
		return int(id) + 1
	case wasm.SectionDataCount:
		return wasm.SectionCode
	default:
		return int(id)
	}
}

// content reads the content of a section.
func (m *module) content(s section) *job.Error {
	reader := m.read(s.span, true)
	r := &reader
	var err *job.Error
	switch s.id {
	case wasm.SectionCustom:
		r.Name()
		r.Pos = r.End
	case wasm.SectionType:
		err = m.readTypes(r)
	case wasm.SectionImport:
		err = m.readImports(r)
	case wasm.SectionFunction:
		err = m.readFunctions(r)
	case wasm.SectionTable:
		err = m.readTables(r)
	case wasm.SectionMemory:
		m.readMemories(r)
	case wasm.SectionGlobal:
		err = m.readGlobals(r)
	case wasm.SectionExport:
		err = m.readExports(r)
	case wasm.SectionStart:
		m.start = m.function(r)
	case wasm.SectionElement:
		err = m.readElements(r)
	case wasm.SectionCode:
		if m.headOnly {
			return nil
		}
		err = m.readBodies(r)
	case wasm.SectionData:
		err = m.readData(r)
	case wasm.SectionDataCount:
		r.U32()
	}
	if r.OK() && err == nil && r.Left() > 0 {
		r.Fail(r.Pos, "%d bytes are left in section %d", r.Left(), s.id)
	}
	// What could not be read was met before what was refused: a number that
	// cannot be right says nothing about limits.
	if !r.OK() {
		return r.err()
	}
	return err
}

// function reads the number of a function.
func (m *module) function(r *reader) int {
	at := r.Pos
	n := int(r.U32())
	if n >= len(m.funcs) {
		r.Fail(at, "function %d of %d", n, len(m.funcs))
		return 0
	}
	return n
}

// typeIndex reads the number of a type.
func (m *module) typeIndex(r *reader) int {
	at := r.Pos
	n := int(r.U32())
	if n >= len(m.types) {
		r.Fail(at, "type %d of %d", n, len(m.types))
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
		if !t.Bounded {
			return refused("maximum", where, "none", m.limits.TableElements)
		}
		if err := within("maximum", where, int(t.Max), m.limits.TableElements); err != nil {
			return err
		}
	}
	return nil
}
