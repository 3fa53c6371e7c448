package meter

import (
	"bytes"
	"slices"

	"plasm/lib/job"
	"plasm/lib/wasm"
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
		m: m, options: o, out: slices.Clone([]byte(wasm.Header)),
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
		if s.id != wasm.SectionCustom {
			w.between(written, sectionRank(s.id))
			written = sectionRank(s.id)
		}
		w.section(s, bodies)
	}
	w.between(written, sectionRank(wasm.SectionData)+1)
	return within("bytes after rewriting", place{}, len(w.out), w.m.limits.RewrittenBytes)
}

// between writes the sections that the module has not and the copy needs, from
// behind one rank to before another.
func (w *writer) between(after, before int) {
	for _, id := range []byte{wasm.SectionGlobal, wasm.SectionExport} {
		if rank := sectionRank(id); w.options.Fuel && rank > after && rank < before {
			w.section(section{id: id}, nil)
		}
	}
}

// section writes one section.
func (w *writer) section(s section, bodies []byte) {
	switch {
	case s.id == wasm.SectionCustom:
		r := w.m.read(s.span, false)
		if name := r.Name(); bytes.HasPrefix(name, []byte(".debug")) {
			return
		}
		w.append(s.id, w.m.data[s.start:s.end])
	case s.id == wasm.SectionCode:
		w.append(s.id, bodies)
	case !w.options.Fuel:
		w.append(s.id, w.m.data[s.start:s.end])
	case s.id == wasm.SectionStart:
	case s.id == wasm.SectionType:
		w.extend(s, len(w.types), w.addedTypes())
	case s.id == wasm.SectionGlobal:
		w.extend(s, 2, addedGlobals())
	case s.id == wasm.SectionExport:
		n, added := w.addedExports()
		w.extend(s, n, added)
	default:
		w.append(s.id, w.m.data[s.start:s.end])
	}
}

// append writes a section with that content.
func (w *writer) append(id byte, content []byte) {
	w.out = wasm.AppendSection(w.out, id, content)
}

// extend writes a section that is a list, with n items more at its end.
func (w *writer) extend(s section, n int, added []byte) {
	r := w.m.read(s.span, false)
	if s.end > s.start {
		n += int(r.U32())
	}
	w.append(s.id, slices.Concat(appendNumber(nil, n), w.m.data[r.Pos:s.end], added))
}

func (w *writer) addedTypes() []byte {
	var out []byte
	for _, results := range w.types {
		out = append(appendNumber(append(out, wasm.FuncForm, 0), len(results)), results...)
	}
	return out
}

func addedGlobals() []byte {
	fuel := append(code{wasm.I64, 1}.i64(0), wasm.OpEnd)
	return slices.Concat(fuel, append(code{wasm.I32, 1}.i32(StackUnits), wasm.OpEnd))
}

func (w *writer) addedExports() (n int, out []byte) {
	add := func(name string, kind byte, number int) {
		n++
		out = append(appendNumber(out, len(name)), name...)
		out = appendNumber(append(out, kind), number)
	}
	add(FuelGlobal, wasm.KindGlobal, w.fuelGlobal)
	add(StackGlobal, wasm.KindGlobal, w.stackGlobal)
	if w.m.start >= 0 {
		add(StartExport, wasm.KindFunc, w.m.start)
	}
	return n, out
}
