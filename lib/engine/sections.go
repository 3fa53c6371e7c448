package engine

import (
	"fmt"

	"plasm/lib/job"
)

// Section IDs, import kinds and the form of a function's type (WebAssembly core
// specification 2.0, sections 5.3.6 and 5.5).
const (
	SectionCustom   = 0
	sectionType     = 1
	sectionImport   = 2
	sectionFunction = 3
	sectionMemory   = 5
	sectionExport   = 7
	SectionCode     = 10

	importFunc   = 0
	importTable  = 1
	importMemory = 2
	importGlobal = 3

	formFunc = 0x60
)

// Section is one section of a module: its ID, its content, and where in the module the
// whole section begins and ends.
type Section struct {
	ID         byte
	Content    []byte
	Start, End int
}

// Sections splits a module, which CheckHeader has passed, into its sections. The error is
// a *job.Error with CodeBadModule.
func Sections(module []byte) ([]Section, error) {
	var found []Section
	r := reader{data: module, at: HeaderSize}
	for r.at < len(module) {
		start := r.at
		id := r.byte()
		content := r.take(r.u32())
		if r.bad {
			return nil, &job.Error{
				Code:    job.CodeBadModule,
				Message: fmt.Sprintf("truncated or damaged module: the section at byte %d does not end", start),
			}
		}
		found = append(found, Section{ID: id, Content: content, Start: start, End: r.at})
	}
	return found, nil
}

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
	all, err := Sections(code)
	if err != nil {
		return nil, err
	}
	m := &module{}
	for _, s := range all {
		switch s.ID {
		case sectionType:
			m.types = types(s.Content)
		case sectionImport:
			m.imports = imports(s.Content)
		case sectionFunction:
			m.functions = indices(s.Content)
		case sectionMemory:
			m.firstPages = firstMemory(s.Content)
		case sectionExport:
			m.exports = exports(s.Content)
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
		if imp.kind != importFunc {
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

func types(content []byte) []funcType {
	var found []funcType
	r := reader{data: content}
	for n := r.u32(); n > 0 && !r.bad; n-- {
		form := r.byte()
		t := funcType{params: r.take(r.u32()), results: r.take(r.u32())}
		if r.bad || form != formFunc {
			break
		}
		found = append(found, t)
	}
	return found
}

func indices(content []byte) []uint32 {
	var found []uint32
	r := reader{data: content}
	for n := r.u32(); n > 0; n-- {
		i := r.u32()
		if r.bad {
			break
		}
		found = append(found, i)
	}
	return found
}

// exports returns the exported functions.
func exports(content []byte) map[string]uint32 {
	found := map[string]uint32{}
	r := reader{data: content}
	for n := r.u32(); n > 0 && !r.bad; n-- {
		name := string(r.take(r.u32()))
		kind, i := r.byte(), r.u32()
		if kind == importFunc && !r.bad {
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
	kinds := map[byte]string{importFunc: "function", importTable: "table", importMemory: "memory", importGlobal: "global"}
	kind, ok := kinds[i.kind]
	if !ok {
		kind = "unknown thing"
	}
	return fmt.Sprintf("the %s %q of %q", kind, i.name, i.module)
}

// imports reads an import section.
func imports(content []byte) []imported {
	var found []imported
	r := reader{data: content}
	for n := r.u32(); n > 0 && !r.bad; n-- {
		i := imported{module: string(r.take(r.u32())), name: string(r.take(r.u32())), kind: r.byte()}
		switch i.kind {
		case importFunc:
			i.index = r.u32()
		case importTable:
			r.byte()
			r.limits()
		case importMemory:
			r.limits()
		case importGlobal:
			r.byte()
			r.byte()
		default: // a tag or a later invention, whose length is not known here
			return append(found, i)
		}
		if !r.bad {
			found = append(found, i)
		}
	}
	return found
}

// firstMemory reads from a memory section how many pages memory begins with.
func firstMemory(content []byte) uint32 {
	r := reader{data: content}
	if r.u32() == 0 {
		return 0
	}
	return r.limits()
}

// reader reads a stranger's bytes; past their end it turns bad and gives zeros.
type reader struct {
	data []byte
	at   int
	bad  bool
}

func (r *reader) byte() byte {
	b := r.take(1)
	if r.bad {
		return 0
	}
	return b[0]
}

func (r *reader) take(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.data)-r.at) {
		r.bad = true
		return nil
	}
	b := r.data[r.at : r.at+int(n)]
	r.at += int(n)
	return b
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if v > 1<<32-1 {
				r.bad = true
			}
			return uint32(v)
		}
	}
	r.bad = true
	return 0
}

// limits reads a limits field and returns its minimum.
func (r *reader) limits() uint32 {
	flags := r.byte()
	low := r.u32()
	if flags&1 != 0 {
		r.u32()
	}
	return low
}

// AppendU32 appends v as an unsigned LEB128 number.
func AppendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}
