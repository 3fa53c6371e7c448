package meter

import (
	"bytes"
	"slices"

	"plasm/lib/job"
)

// Options say what Rewrite does. The zero value does what is done to every module:
// funcref takes the place of externref (see externref.go), every NaN that min or max
// makes gets the canonical bits, as engines of one machine give it others, and some
// operations are computed in other ways (see mended.go).
type Options struct {
	Fuel         bool   // count fuel and call depth
	CanonicalNaN bool   // give every NaN that an operation makes the canonical bits
	Limits       Limits // as for Check

	// Remainders computes every integer remainder from a quotient, for an engine whose
	// own are wrong. It costs no fuel.
	Remainders bool
	// Zeros counts the zeros at both ends of an integer by counting ones, likewise.
	Zeros bool
}

func (o *Options) none() bool { return !o.Fuel && !o.CanonicalNaN && !o.Remainders && !o.Zeros }

// Rewrite holds a module against the limits, as Check does and with its errors,
// and returns a copy that counts fuel, has canonical NaNs, or both, and otherwise
// computes what the module does. Debugging information is left out, as its
// offsets would be wrong.
//
// Rewrite does not validate. Validate the module that goes in: then the copy is
// valid. Of an invalid one the copy may be anything, but for this: no
// instruction of the module's own refers to something that the rewriting added.
func Rewrite(module []byte, o Options) ([]byte, error) {
	m, err := parse(module, o.Limits)
	if err == nil && m.externs {
		m, err = m.withoutExternRef()
	}
	if err != nil {
		return nil, err
	}
	w := &writer{
		m: m, options: o, out: slices.Clone([]byte(header)),
		plan:       planner{walk: &walk{m: m}, options: o},
		typeOf:     map[string]int{},
		fuelGlobal: m.globals, stackGlobal: m.globals + 1,
	}
	if err := w.module(); err != nil {
		return nil, err
	}
	return w.out, nil
}

// writer writes the copy.
type writer struct {
	m           *module
	options     Options
	plan        planner
	scratch     scratch
	out         []byte
	body        code           // of the function at hand
	types       [][]byte       // results of block types that are added
	typeOf      map[string]int // and which of them has which results
	fuelGlobal  int
	stackGlobal int
}

func (w *writer) module() *job.Error {
	if w.options.none() && !w.m.mended {
		w.out = bytes.Clone(w.m.data)
		return nil
	}
	// Bodies come first: only from them is known which types they need.
	bodies, err := w.bodies()
	if err != nil {
		return err
	}
	written := 0 // the rank of the last section that is written
	for _, s := range w.m.sections {
		if s.id != sectionCustom {
			w.between(written, sectionRank(s.id))
			written = sectionRank(s.id)
		}
		w.section(s, bodies)
	}
	w.between(written, sectionRank(sectionData)+1)
	return within("bytes after rewriting", place{}, len(w.out), w.m.limits.RewrittenBytes)
}

// between writes the sections that the module has not and the copy needs, from
// behind one rank to before another.
func (w *writer) between(after, before int) {
	for _, id := range []byte{sectionGlobal, sectionExport} {
		if rank := sectionRank(id); w.options.Fuel && rank > after && rank < before {
			w.section(section{id: id}, nil)
		}
	}
}

// section writes one section.
func (w *writer) section(s section, bodies []byte) {
	switch {
	case s.id == sectionCustom:
		r := reader{data: w.m.data, pos: s.start, end: s.end}
		if name := r.name(); bytes.HasPrefix(name, []byte(".debug")) {
			return
		}
		w.append(s.id, w.m.data[s.start:s.end])
	case s.id == sectionCode:
		w.append(s.id, bodies)
	case !w.options.Fuel:
		w.append(s.id, w.m.data[s.start:s.end])
	case s.id == sectionStart:
	case s.id == sectionType:
		w.extend(s, len(w.types), w.addedTypes())
	case s.id == sectionGlobal:
		w.extend(s, 2, addedGlobals())
	case s.id == sectionExport:
		n, added := w.addedExports()
		w.extend(s, n, added)
	default:
		w.append(s.id, w.m.data[s.start:s.end])
	}
}

// append writes a section with that content.
func (w *writer) append(id byte, content []byte) {
	w.out = appendNumber(append(w.out, id), len(content))
	w.out = append(w.out, content...)
}

// extend writes a section that is a list, with n items more at its end.
func (w *writer) extend(s section, n int, added []byte) {
	r := reader{data: w.m.data, pos: s.start, end: s.end}
	if s.end > s.start {
		n += int(r.u32())
	}
	w.append(s.id, slices.Concat(appendNumber(nil, n), w.m.data[r.pos:s.end], added))
}

func (w *writer) addedTypes() []byte {
	var out []byte
	for _, results := range w.types {
		out = append(appendNumber(append(out, typeFunc, 0), len(results)), results...)
	}
	return out
}

func addedGlobals() []byte {
	fuel := append(code{typeI64, 1}.i64(0), opEnd)
	return slices.Concat(fuel, append(code{typeI32, 1}.i32(StackUnits), opEnd))
}

func (w *writer) addedExports() (n int, out []byte) {
	add := func(name string, kind byte, number int) {
		n++
		out = append(appendNumber(out, len(name)), name...)
		out = appendNumber(append(out, kind), number)
	}
	add(FuelGlobal, kindGlobal, w.fuelGlobal)
	add(StackGlobal, kindGlobal, w.stackGlobal)
	if w.m.start >= 0 {
		add(StartExport, kindFunc, w.m.start)
	}
	return n, out
}
