package meter

import (
	"plasm/lib/job"
	"plasm/lib/wasm"
)

// readBodies reads the code section and holds every body against the limits.
func (m *module) readBodies(r *reader) *job.Error {
	n := r.Count("bodies")
	if n > len(m.funcs)-m.imported {
		r.Fail(r.Pos, "%d bodies for %d functions", n, len(m.funcs)-m.imported)
		return nil
	}
	w := &walk{m: m}
	for range n {
		size := r.Count("bytes of a body")
		body := span{r.Pos, r.Pos + size}
		r.Skip(size)
		if !r.OK() {
			return r.err()
		}
		w.function = m.imported + len(m.bodies)
		if err := w.check(body); err != nil {
			return err
		}
		m.bodies = append(m.bodies, functionBody{body, w.values})
	}
	return nil
}

// walk goes over bodies, one after the other.
type walk struct {
	m        *module
	r        reader
	in       instruction
	function int // its number
	locals   int // parameters included
	blocks   int
	open     []openBlock // the function's body, then the blocks around
	inLoops  int
	deepest  int // most loops inside each other
	targets  int // of all br_table
	values   int // see values.go; but for those of locals where control flow joins
}

// openBlock is a block that has begun and not ended.
type openBlock struct {
	loop  bool
	block blockType
}

// where names the function at hand.
func (w *walk) where() place { return place{"function", w.function} }

// begin reads the locals of a body.
func (w *walk) begin(body span) {
	w.r = w.m.read(body, true)
	t := &w.m.types[w.m.funcs[w.function]]
	w.locals = len(t.params)
	w.blocks, w.targets, w.deepest, w.inLoops, w.values = 0, 0, 0, 0, 0
	w.open = append(w.open[:0], openBlock{block: blockType{0, len(t.results)}})
	for range w.r.Count("groups of locals") {
		// Far below what an int holds, as there are fewer groups than bytes.
		w.locals += int(w.r.U32())
		w.r.valueType()
	}
}

// check reads one body, from which every limit of a function is known.
func (w *walk) check(body span) *job.Error {
	l := &w.m.limits
	if err := within("bytes", w.where(), body.end-body.start, l.BodyBytes); err != nil {
		return err
	}
	w.begin(body)
	if w.r.OK() {
		if err := within("locals", w.where(), w.locals, l.Locals); err != nil {
			return err
		}
	}
	return w.checkCode()
}

// checkCode reads the instructions of a body up to its end.
func (w *walk) checkCode() *job.Error {
	for {
		w.m.decode(&w.r, &w.in)
		if !w.r.OK() {
			return w.r.err()
		}
		w.countValues()
		w.m.mended = w.m.mended || w.in.op.uneven || w.in.op.mended
		switch w.in.code {
		case wasm.OpBlock, wasm.OpLoop, wasm.OpIf:
			if err := w.openBlock(); err != nil {
				return err
			}
		case wasm.OpEnd:
			if len(w.open) == 1 {
				return w.finish()
			}
			w.closeBlock()
		default:
			if err := w.checkOperands(len(w.open)); err != nil {
				return err
			}
		}
	}
}

// openBlock begins a block, and closeBlock ends it.
func (w *walk) openBlock() *job.Error {
	loop := w.in.code == wasm.OpLoop
	w.blocks++
	w.open = append(w.open, openBlock{loop, w.in.block})
	if loop {
		w.inLoops++
		w.deepest = max(w.deepest, w.inLoops)
	}
	if err := within("nested blocks", w.where(), len(w.open)-1, w.m.limits.Nesting); err != nil {
		return err
	}
	return within("nested loops", w.where(), w.inLoops, w.m.limits.LoopNesting)
}

func (w *walk) closeBlock() {
	last := len(w.open) - 1
	if w.open[last].loop {
		w.inLoops--
	}
	w.open = w.open[:last]
}

// checkOperands checks what only the walk can: labels, locals, tables that grow.
func (w *walk) checkOperands(depth int) *job.Error {
	in := &w.in
	switch in.op.imm {
	case immLocal:
		if in.index >= w.locals {
			w.r.Fail(in.at, "local %d of %d", in.index, w.locals)
		}
	case immLabel:
		w.checkLabel(in.index, depth)
	case immLabels:
		if err := within("br_table targets", w.where(), in.index, w.m.limits.BranchTargets); err != nil {
			return err
		}
		w.targets += in.index
		for _, label := range in.targets {
			w.checkLabel(label, depth)
		}
	case immSegmentMemory:
		w.m.initialised(uint32(in.index), w.function)
	case immTable, immMemory:
		switch in.code {
		case wasm.OpTableGrow:
			w.m.grown[in.index] = true
		case wasm.OpMemoryFill, wasm.OpTableFill:
			w.blocks += 2 // wazero makes a loop of it
		}
	default:
	}
	return nil
}

func (w *walk) checkLabel(label, depth int) {
	if label >= depth {
		w.r.Fail(w.in.at, "label %d in %d blocks", label, depth)
	}
}

// finish holds the sums against the limits.
func (w *walk) finish() *job.Error {
	if w.r.OK() && w.r.Left() > 0 {
		w.r.Fail(w.r.Pos, "%d bytes behind a body's end", w.r.Left())
	}
	if !w.r.OK() {
		return w.r.err()
	}
	l := &w.m.limits
	if err := within("blocks", w.where(), w.blocks, l.Blocks); err != nil {
		return err
	}
	if err := within("br_table targets of all", w.where(), w.targets, l.FunctionTargets); err != nil {
		return err
	}
	if err := within("nested loops times locals", w.where(), w.deepest*w.locals, l.LoopLocals); err != nil {
		return err
	}
	if err := within("blocks times locals", w.where(), w.blocks*w.locals, l.BlockLocals); err != nil {
		return err
	}
	w.values += w.locals + w.blocks*w.locals
	return within("values", w.where(), w.values, l.Values)
}
