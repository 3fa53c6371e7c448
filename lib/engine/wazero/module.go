package wazero

import (
	"fmt"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// Section IDs and import kinds (WebAssembly core specification 2.0, section 5.5).
const (
	sectionCustom = 0
	sectionImport = 2
	sectionMemory = 5
	sectionExport = 7
	sectionCode   = 10

	importFunc   = 0
	importTable  = 1
	importMemory = 2
	importGlobal = 3
)

const pageSize = 64 << 10

// section is one section of a module: its ID, its content, and where in the
// module the whole section begins and ends.
type section struct {
	id         byte
	content    []byte
	start, end int
}

// sections splits a module that has passed engine.CheckHeader.
func sections(module []byte) ([]section, error) {
	var found []section
	r := reader{data: module, at: engine.HeaderSize}
	for r.at < len(module) {
		start := r.at
		id := r.byte()
		content := r.take(r.u32())
		if r.bad {
			return nil, truncated(start)
		}
		found = append(found, section{id: id, content: content, start: start, end: r.at})
	}
	return found, nil
}

func truncated(at int) error {
	return &job.Error{Code: job.CodeBadModule, Message: fmt.Sprintf("truncated or damaged module: the section at byte %d does not end", at)}
}

// imported is one import.
type imported struct {
	module, name string
	kind         byte
	minPages     uint32 // of a memory
}

func (i imported) String() string {
	kinds := map[byte]string{importFunc: "function", importTable: "table", importMemory: "memory", importGlobal: "global"}
	kind, ok := kinds[i.kind]
	if !ok {
		kind = "unknown thing"
	}
	return fmt.Sprintf("the %s %q of %q", kind, i.name, i.module)
}

// imports reads an import section. What it cannot read ends the list: the
// engine's own decoder has the last word on what is valid.
func imports(content []byte) []imported {
	var found []imported
	r := reader{data: content}
	for n := r.u32(); n > 0 && !r.bad; n-- {
		i := imported{module: string(r.take(r.u32())), name: string(r.take(r.u32())), kind: r.byte()}
		switch i.kind {
		case importFunc:
			r.u32()
		case importTable:
			r.byte()
			r.limits()
		case importMemory:
			i.minPages = r.limits()
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

// minMemory reads the smallest size, in pages, that a memory section asks for.
func minMemory(content []byte) uint32 {
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
