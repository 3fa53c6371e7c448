package meter

import (
	"bytes"

	"plasm/lib/job"
	"plasm/lib/wasm"
)

func (m *module) readTypes(r *reader) *job.Error {
	n := r.Count("types")
	if err := within("types", place{}, n, m.limits.Types); err != nil {
		return err
	}
	for i := range n {
		at := r.Pos
		if form := r.Byte(); form != wasm.FuncForm {
			r.Fail(at, "a type of the unknown form 0x%02x", form)
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
	n := r.Count("imports")
	if err := within("imports", place{}, n, m.limits.Imports); err != nil {
		return err
	}
	for range n {
		r.Name()
		r.Name()
		at := r.Pos
		switch kind := r.Byte(); kind {
		case wasm.KindFunc:
			m.funcs = append(m.funcs, m.typeIndex(r))
			m.imported++
		case wasm.KindTable:
			if err := m.readTable(r); err != nil {
				return err
			}
		case wasm.KindMemory:
			m.readMemory(r)
		case wasm.KindGlobal:
			m.globalType(r)
			m.globals++
			m.imports++
		default:
			r.Fail(at, "an import of the unknown kind %d", kind)
		}
	}
	return nil
}

func (m *module) readFunctions(r *reader) *job.Error {
	n := r.Count("functions")
	if err := within("functions", place{}, n+m.imported, m.limits.Functions); err != nil {
		return err
	}
	for range n {
		m.funcs = append(m.funcs, m.typeIndex(r))
	}
	return nil
}

func (m *module) readTables(r *reader) *job.Error {
	n := r.Count("tables")
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
	t := r.Limits("table")
	where := place{"table", len(m.tables)}
	if err := within("minimum", where, int(t.Min), m.limits.TableElements); err != nil && r.OK() {
		return err
	}
	m.tables = append(m.tables, t)
	m.grown = append(m.grown, false)
	return within("tables", place{}, len(m.tables), m.limits.Tables)
}

func (m *module) readMemories(r *reader) {
	for range r.Count("memories") {
		m.readMemory(r)
	}
}

// readMemory has no limit to hold the size against: how much memory there may
// be is up to the job.
func (m *module) readMemory(r *reader) {
	at := r.Pos
	m.pages = uint64(r.Limits("memory").Min)
	m.memories++
	if m.memories > 1 {
		r.Fail(at, "a second memory")
	}
}

// globalType reads the type of a global.
func (m *module) globalType(r *reader) {
	at := r.Pos
	t, mutable := r.GlobalType()
	if t == wasm.ExternRef {
		r.externRef(at)
	}
	if mutable {
		m.mutable++
	}
}

func (m *module) readGlobals(r *reader) *job.Error {
	n := r.Count("globals")
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
	n := r.Count("exports")
	if err := within("exports", place{}, n, m.limits.Exports); err != nil {
		return err
	}
	for range n {
		at := r.Pos
		if name := r.Name(); bytes.HasPrefix(name, []byte(reserved)) && !m.prepared {
			r.Fail(at, "an export is named %.80q, and names that begin with %q are taken", name, reserved)
		}
		at = r.Pos
		if kind := r.Byte(); kind > wasm.KindGlobal {
			r.Fail(at, "an export of the unknown kind %d", kind)
		}
		r.U32() // the engine holds it against what there is
	}
	return nil
}
