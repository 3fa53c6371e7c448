package engine

import (
	"fmt"

	"plasm/lib/job"
	"plasm/lib/wasm"
)

// module is what is looked at in a module. What cannot be read ends a list, and so do
// types other than functions': the engine's own decoder has the last word on what is
// valid, and nothing that is missing here is passed.
type module struct {
	types      []funcType
	imports    []imported
	functions  []uint32 // the types of the module's own functions
	exports    map[string]uint32
	firstPages uint32 // with which memory begins
}

type funcType struct{ params, results []byte }

func parse(code []byte) (*module, error) {
	if err := CheckHeader(code); err != nil {
		return nil, err
	}
	all, damage := wasm.Sections(code)
	if damage != nil {
		return nil, &job.Error{Code: job.CodeBadModule, Message: fmt.Sprintf("truncated or damaged module: %v", damage)}
	}
	m := &module{}
	for _, s := range all {
		r := wasm.NewReader(code[s.Start:s.End])
		switch s.ID {
		case wasm.SectionType:
			m.types = types(r)
		case wasm.SectionImport:
			m.imports = imports(r)
		case wasm.SectionFunction:
			m.functions = indices(r)
		case wasm.SectionMemory:
			m.firstPages = firstMemory(r)
		case wasm.SectionExport:
			m.exports = exports(r)
		}
	}
	return m, nil
}

// typeOf returns type i.
func (m *module) typeOf(i uint32) (funcType, bool) {
	if uint64(i) >= uint64(len(m.types)) {
		return funcType{}, false
	}
	return m.types[i], true
}

// exported returns the type of the function that is exported under a name.
func (m *module) exported(name string) (funcType, bool) {
	i, ok := m.exports[name]
	if !ok {
		return funcType{}, false
	}
	for _, imp := range m.imports {
		if imp.kind != wasm.KindFunc {
			continue
		}
		if i == 0 {
			return m.typeOf(imp.index)
		}
		i--
	}
	if uint64(i) >= uint64(len(m.functions)) {
		return funcType{}, false
	}
	return m.typeOf(m.functions[i])
}

func types(r *wasm.Reader) []funcType {
	var found []funcType
	for range r.Count("types") {
		form := r.Byte()
		t := funcType{params: r.Bytes(r.Count("parameters")), results: r.Bytes(r.Count("results"))}
		if !r.OK() || form != wasm.FuncForm {
			break
		}
		found = append(found, t)
	}
	return found
}

func indices(r *wasm.Reader) []uint32 {
	var found []uint32
	for range r.Count("functions") {
		i := r.U32()
		if !r.OK() {
			break
		}
		found = append(found, i)
	}
	return found
}

// exports returns the exported functions.
func exports(r *wasm.Reader) map[string]uint32 {
	found := map[string]uint32{}
	for range r.Count("exports") {
		name := string(r.Bytes(r.Count("bytes of a name")))
		kind, i := r.Byte(), r.U32()
		if kind == wasm.KindFunc && r.OK() {
			found[name] = i
		}
	}
	return found
}

// imported is one import.
type imported struct {
	module, name string
	kind         byte
	index        uint32 // of a function's type
}

func (i imported) String() string {
	kinds := map[byte]string{
		wasm.KindFunc: "function", wasm.KindTable: "table", wasm.KindMemory: "memory", wasm.KindGlobal: "global",
	}
	kind, ok := kinds[i.kind]
	if !ok {
		kind = "unknown thing"
	}
	return fmt.Sprintf("the %s %q of %q", kind, i.name, i.module)
}

// imports reads an import section, up to the first import that is no function: no command
// has such.
func imports(r *wasm.Reader) []imported {
	var found []imported
	for range r.Count("imports") {
		i := imported{
			module: string(r.Bytes(r.Count("bytes of a name"))), name: string(r.Bytes(r.Count("bytes of a name"))),
			kind: r.Byte(),
		}
		if i.kind == wasm.KindFunc {
			i.index = r.U32()
		}
		if !r.OK() {
			break
		}
		found = append(found, i)
		if i.kind != wasm.KindFunc {
			break
		}
	}
	return found
}

// firstMemory reads from a memory section how many pages memory begins with.
func firstMemory(r *wasm.Reader) uint32 {
	if r.Count("memories") == 0 {
		return 0
	}
	return r.Limits("memory").Min
}
