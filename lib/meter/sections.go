package meter

import (
	"bytes"

	"plasm/lib/job"
)

func (m *module) readTypes(r *reader) *job.Error {
	n := r.count("types")
	if err := within("types", place{}, n, m.limits.Types); err != nil {
		return err
	}
	for i := range n {
		at := r.pos
		if form := r.byte(); form != typeFunc {
			r.fail(at, "a type of the unknown form 0x%02x", form)
		}
		t := funcType{params: r.valueTypes("parameters"), results: r.valueTypes("results")}
		where := place{"type", i}
		if err := within("parameters", where, len(t.params), m.limits.Params); err != nil {
			return err
		}
		if err := within("results", where, len(t.results), m.limits.Results); err != nil {
			return err
		}
		m.types = append(m.types, t)
	}
	return nil
}

func (m *module) readImports(r *reader) *job.Error {
	n := r.count("imports")
	if err := within("imports", place{}, n, m.limits.Imports); err != nil {
		return err
	}
	for range n {
		r.name()
		r.name()
		at := r.pos
		switch kind := r.byte(); kind {
		case kindFunc:
			m.funcs = append(m.funcs, m.typeIndex(r))
			m.imported++
		case kindTable:
			if err := m.readTable(r); err != nil {
				return err
			}
		case kindMemory:
			m.readMemory(r)
		case kindGlobal:
			m.globalType(r)
			m.globals++
			m.imports++
		default:
			r.fail(at, "an import of the unknown kind %d", kind)
		}
	}
	return nil
}

// Kinds of imports and exports.
const (
	kindFunc = iota
	kindTable
	kindMemory
	kindGlobal
)

func (m *module) readFunctions(r *reader) *job.Error {
	n := r.count("functions")
	if err := within("functions", place{}, n+m.imported, m.limits.Functions); err != nil {
		return err
	}
	for range n {
		m.funcs = append(m.funcs, m.typeIndex(r))
	}
	return nil
}

func (m *module) readTables(r *reader) *job.Error {
	n := r.count("tables")
	if err := within("tables", place{}, n+len(m.tables), m.limits.Tables); err != nil {
		return err
	}
	for range n {
		if err := m.readTable(r); err != nil {
			return err
		}
	}
	return nil
}

func (m *module) readTable(r *reader) *job.Error {
	r.refType()
	at := r.pos
	flags := r.byte()
	if flags > 1 {
		r.fail(at, "unknown limits 0x%02x of a table", flags)
	}
	t := tableType{min: r.u32(), bounded: flags == 1}
	if t.bounded {
		t.max = r.u32()
	}
	where := place{"table", len(m.tables)}
	if err := within("minimum", where, int(t.min), m.limits.TableElements); err != nil && r.err == nil {
		return err
	}
	m.tables = append(m.tables, t)
	m.grown = append(m.grown, false)
	return within("tables", place{}, len(m.tables), m.limits.Tables)
}

func (m *module) readMemories(r *reader) {
	for range r.count("memories") {
		m.readMemory(r)
	}
}

// readMemory has no limit to hold the size against: how much memory there may
// be is up to the job.
func (m *module) readMemory(r *reader) {
	at := r.pos
	flags := r.byte()
	if flags > 1 {
		r.fail(at, "unknown limits 0x%02x of a memory", flags)
	}
	m.pages = uint64(r.u32())
	if flags == 1 {
		r.u32()
	}
	m.memories++
	if m.memories > 1 {
		r.fail(at, "a second memory")
	}
}

// globalType reads the type of a global.
func (m *module) globalType(r *reader) {
	r.valueType()
	at := r.pos
	mutable := r.byte()
	if mutable > 1 {
		r.fail(at, "unknown mutability %d", mutable)
	}
	m.mutable += int(mutable)
}

func (m *module) readGlobals(r *reader) *job.Error {
	n := r.count("globals")
	if err := within("globals", place{}, n+m.globals, m.limits.Globals); err != nil {
		return err
	}
	for range n {
		m.globalType(r)
		m.constant(r)
		m.globals++
	}
	return nil
}

func (m *module) readExports(r *reader) *job.Error {
	n := r.count("exports")
	if err := within("exports", place{}, n, m.limits.Exports); err != nil {
		return err
	}
	for range n {
		at := r.pos
		if name := r.name(); bytes.HasPrefix(name, []byte(reserved)) && !m.prepared {
			r.fail(at, "an export is named %.80q, and names that begin with %q are taken", name, reserved)
		}
		at = r.pos
		if kind := r.byte(); kind > kindGlobal {
			r.fail(at, "an export of the unknown kind %d", kind)
		}
		r.u32() // the engine holds it against what there is
	}
	return nil
}
