package engine

import (
	"strconv"

	"plasm/lib/job"
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
	names, ok := findNames(module)
	if !ok || len(functions) == 0 {
		return nil
	}
	functions = functions[:min(len(functions), job.MaxTrace)]
	named := make(map[uint32]string, len(functions))
	for _, index := range functions {
		named[index] = ""
	}
	r := reader{data: names}
	for n := r.u32(); n > 0 && !r.bad; n-- {
		index, name := r.u32(), r.take(r.u32())
		if _, wanted := named[index]; wanted && !r.bad {
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
	if len(module) < HeaderSize {
		return module
	}
	all, err := Sections(module)
	if err != nil {
		return module
	}
	rest, from := []byte(nil), 0
	for _, s := range all {
		if _, ok := s.names(); ok {
			rest = append(rest, module[from:s.Start]...)
			from = s.End
		}
	}
	if from == 0 {
		return module
	}
	return append(rest, module[from:]...)
}

// names returns what follows the name of a name section.
func (s *Section) names() (reader, bool) {
	r := reader{data: s.Content}
	is := s.ID == SectionCustom && string(r.take(r.u32())) == nameSection
	return r, is
}

// findNames returns the names of functions in the first name section that has some.
func findNames(module []byte) ([]byte, bool) {
	if len(module) < HeaderSize {
		return nil, false
	}
	all, err := Sections(module)
	if err != nil {
		return nil, false
	}
	for _, s := range all {
		r, ok := s.names()
		if !ok {
			continue
		}
		for !r.bad && r.at < len(r.data) {
			id, content := r.byte(), r.take(r.u32())
			if id == functionNames && !r.bad {
				return content, true
			}
		}
	}
	return nil, false
}
