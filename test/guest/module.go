package guest

import "plasm/lib/wasm"

// ValType is the type of a value.
type ValType byte

// The types that guests here use.
const (
	I32     ValType = wasm.I32
	I64     ValType = wasm.I64
	F32     ValType = wasm.F32
	V128    ValType = wasm.V128
	FuncRef ValType = wasm.FuncRef
)

// FuncType is the type of a function.
type FuncType struct{ Params, Results []ValType }

// Limits are the bounds of a memory in pages of 64 KiB, or of a table in
// elements. A Max of 0 is none.
type Limits struct {
	Min, Max uint32
	Shared   bool // needs a Max, and the threads proposal
}

// Global is a global variable with a constant initial value.
type Global struct {
	Type    ValType
	Mutable bool
	Init    Code
}

// Kind is the kind of an import or export.
type Kind byte

// The kinds.
const (
	KindFunc   Kind = wasm.KindFunc
	KindTable  Kind = wasm.KindTable
	KindMemory Kind = wasm.KindMemory
	KindGlobal Kind = wasm.KindGlobal
	KindTag    Kind = wasm.KindTag
)

// Import is one import. Kind says which of the fields below it counts.
type Import struct {
	Module, Name string
	Kind         Kind
	Func         FuncType
	Limits       Limits // of a table or memory
	Global       Global // without Init
}

// Func is one function with its body. Locals come after the parameters.
type Func struct {
	Type   FuncType
	Locals []ValType
	Body   Code
}

// Export is one export.
type Export struct {
	Name  string
	Kind  Kind
	Index uint32
}

// Elem is an active element segment of table 0.
type Elem struct {
	Offset Code
	Funcs  []uint32
}

// Data is an active data segment of memory 0.
type Data struct {
	Offset Code
	Bytes  []byte
}

// Custom is a custom section, written behind all others.
type Custom struct {
	Name  string
	Bytes []byte
}

// Builder is a module to be. Its functions are numbered from the imported ones on.
// Nothing is checked: a guest may be as wrong as its test needs it.
type Builder struct {
	Imports []Import
	Funcs   []Func
	Table   *Limits // of function references
	Memory  *Limits
	Globals []Global
	Exports []Export
	Start   *uint32
	Elems   []Elem
	Data    []Data
	Customs []Custom
}

// Bytes writes the module in the binary format. Each function has a type of its
// own; sections without content are left out.
func (m *Builder) Bytes() []byte {
	out := []byte(wasm.Header)
	section := func(id byte, present bool, content []byte) {
		if present {
			out = wasm.AppendSection(out, id, content)
		}
	}
	types := m.types()
	section(wasm.SectionType, len(types) > 0, vector(types, funcType))
	section(wasm.SectionImport, len(m.Imports) > 0, m.imports())
	section(wasm.SectionFunction, len(m.Funcs) > 0, m.functions())
	if m.Table != nil {
		section(wasm.SectionTable, true, append([]byte{1, byte(FuncRef)}, limits(*m.Table)...))
	}
	if m.Memory != nil {
		section(wasm.SectionMemory, true, append([]byte{1}, limits(*m.Memory)...))
	}
	section(wasm.SectionGlobal, len(m.Globals) > 0, vector(m.Globals, func(g Global) []byte {
		return append(append(globalType(g), g.Init...), wasm.OpEnd)
	}))
	section(wasm.SectionExport, len(m.Exports) > 0, vector(m.Exports, func(e Export) []byte {
		return append(append(text(e.Name), byte(e.Kind)), leb(e.Index)...)
	}))
	if m.Start != nil {
		section(wasm.SectionStart, true, leb(*m.Start))
	}
	section(wasm.SectionElement, len(m.Elems) > 0, vector(m.Elems, func(e Elem) []byte {
		head := append(append([]byte{0}, e.Offset...), wasm.OpEnd)
		return append(head, vector(e.Funcs, leb)...)
	}))
	section(wasm.SectionCode, len(m.Funcs) > 0, vector(m.Funcs, body))
	section(wasm.SectionData, len(m.Data) > 0, vector(m.Data, func(d Data) []byte {
		return append(append(append([]byte{0}, d.Offset...), wasm.OpEnd), sized(d.Bytes)...)
	}))
	for _, c := range m.Customs {
		section(wasm.SectionCustom, true, append(text(c.Name), c.Bytes...))
	}
	return out
}

// types lists the types of the imported functions, then those of our own.
func (m *Builder) types() []FuncType {
	var types []FuncType
	for i := range m.Imports {
		if m.Imports[i].Kind == KindFunc {
			types = append(types, m.Imports[i].Func)
		}
	}
	for _, f := range m.Funcs {
		types = append(types, f.Type)
	}
	return types
}

// imports writes the content of the import section.
func (m *Builder) imports() []byte {
	var next uint32 // number of the next function's type
	return vector(m.Imports, func(i Import) []byte {
		out := append(append(text(i.Module), text(i.Name)...), byte(i.Kind))
		switch i.Kind {
		case KindFunc:
			next++
			return append(out, leb(next-1)...)
		case KindTable:
			return append(append(out, byte(FuncRef)), limits(i.Limits)...)
		case KindMemory:
			return append(out, limits(i.Limits)...)
		case KindGlobal:
			return append(out, globalType(i.Global)...)
		default: // a tag: an exception without values
			return append(out, 0, 0)
		}
	})
}

// functions writes the content of the function section.
func (m *Builder) functions() []byte {
	next := uint32(len(m.types()))
	next -= uint32(len(m.Funcs)) // the types before those are of imported functions
	return vector(m.Funcs, func(Func) []byte {
		next++
		return leb(next - 1)
	})
}

func funcType(t FuncType) []byte {
	one := func(v ValType) []byte { return []byte{byte(v)} }
	return append(append([]byte{0x60}, vector(t.Params, one)...), vector(t.Results, one)...)
}

func globalType(g Global) []byte {
	if g.Mutable {
		return []byte{byte(g.Type), 1}
	}
	return []byte{byte(g.Type), 0}
}

func limits(l Limits) []byte {
	var flags byte
	if l.Max > 0 {
		flags = 1
	}
	if l.Shared {
		flags |= 2
	}
	out := append([]byte{flags}, leb(l.Min)...)
	if l.Max > 0 {
		out = append(out, leb(l.Max)...)
	}
	return out
}

func body(f Func) []byte {
	locals := vector(f.Locals, func(t ValType) []byte { return []byte{1, byte(t)} })
	return sized(append(append(locals, f.Body...), wasm.OpEnd))
}
