package engine

import (
	"strconv"

	"plasm/lib/job"
	"plasm/lib/wasm"
)

// nameSection is what the custom section is called that names functions, and
// functionNames the part of it that does (WebAssembly core specification 2.0, appendix
// «Name Section»).
const (
	nameSection   = "name"
	functionNames = 1
)

// Trace names functions of a module as job.TraceName does, at most job.MaxTrace of them; one
// without a name is called $N by its index. It is nil where the module has no name section,
// and where that cannot be read. The section is no part of what makes a module valid:
// its bytes are a stranger's.
func Trace(module []byte, functions []uint32) []string {
	list, ok := findNames(module)
	if !ok || len(functions) == 0 {
		return nil
	}
	functions = functions[:min(len(functions), job.MaxTrace)]
	named := make(map[uint32]string, len(functions))
	for _, index := range functions {
		named[index] = ""
	}
	r := wasm.NewReader(list)
	for n := r.U32(); n > 0 && r.OK(); n-- {
		index, name := r.U32(), r.Bytes(r.Count("bytes of a name"))
		if _, wanted := named[index]; wanted && r.OK() {
			named[index] = job.TraceName(string(name[:min(len(name), 4*job.MaxTraceName)]))
		}
	}
	trace := make([]string, 0, len(functions))
	for _, index := range functions {
		name := named[index]
		if name == "" {
			name = "$" + strconv.FormatUint(uint64(index), 10)
		}
		trace = append(trace, name)
	}
	return trace
}

// WithoutNames returns a module without its name sections, for an engine that refuses one
// whose names are not what they should be: they make no module invalid.
func WithoutNames(module []byte) []byte {
	all, damage := wasm.Sections(module)
	if damage != nil {
		return module
	}
	rest, from := []byte(nil), 0
	for _, s := range all {
		if _, ok := names(module, s); ok {
			rest = append(rest, module[from:s.At]...)
			from = s.End
		}
	}
	if from == 0 {
		return module
	}
	return append(rest, module[from:]...)
}

// names returns what follows the name of a name section.
func names(module []byte, s wasm.Section) (*wasm.Reader, bool) {
	r := wasm.NewReader(module[s.Start:s.End])
	is := s.ID == wasm.SectionCustom && string(r.Bytes(r.Count("bytes of a name"))) == nameSection
	return r, is
}

// findNames returns the names of functions in the first name section that has some.
func findNames(module []byte) ([]byte, bool) {
	all, damage := wasm.Sections(module)
	if damage != nil {
		return nil, false
	}
	for _, s := range all {
		r, ok := names(module, s)
		if !ok {
			continue
		}
		for r.Left() > 0 {
			id, content := r.Byte(), r.Bytes(r.Count("bytes of names"))
			if id == functionNames && r.OK() {
				return content, true
			}
		}
	}
	return nil, false
}
