package meter

import (
	"plasm/lib/job"
	"plasm/lib/wasm"
)

// bodies writes the content of the code section.
func (w *writer) bodies() ([]byte, *job.Error) {
	out := appendNumber(nil, len(w.m.bodies))
	for i, body := range w.m.bodies {
		w.plan.function = w.m.imported + i
		instructions, err := w.plan.plan(body.span)
		if err != nil {
			return nil, err
		}
		values := body.values + w.plan.addedValues()
		if err := within("values after rewriting", w.plan.where(), values, w.m.limits.Values); err != nil {
			return nil, err
		}
		w.scratch = w.plan.scratch()
		w.function(body.span, instructions)
		out = append(appendNumber(out, len(w.body)), w.body...)
		if err := within("bytes after rewriting", place{}, len(out), w.m.limits.RewrittenBytes); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// function writes one body.
func (w *writer) function(body, instructions span) {
	p := &w.plan
	r := w.m.read(body, false)
	groups := int(r.U32())
	c := appendNumber(w.body[:0], groups+w.scratch.groups)
	c = append(c, w.m.data[r.Pos:instructions.start]...)
	c = append(c, w.scratch.decls...)
	units := p.frameUnits()
	if units > 0 {
		c = w.take(c, units)
		c = append(c, wasm.OpBlock)
		c = w.blockType(c, w.m.types[w.m.funcs[p.function]].results)
	}
	if w.options.Fuel {
		c = w.reload(c)
	}
	at := instructions.start
	for _, e := range p.edits {
		c = append(c, w.m.data[at:e.at]...)
		c = w.edit(c, e, units)
		at = e.to
	}
	c = append(c, w.m.data[at:instructions.end]...)
	if units > 0 {
		c = w.release(append(c, wasm.OpEnd), units)
	}
	c = append(c, wasm.OpEnd)
	w.body = c
}

// frameUnits is what a frame of the function takes off the stack budget.
func (p *planner) frameUnits() int {
	units := frameBase + p.locals + p.highest
	if !p.options.Fuel || (!p.calls && units <= leafUnits) {
		return 0
	}
	return units
}

func (w *writer) edit(c code, e edit, units int) code {
	switch e.kind {
	case editCharge:
		if r := w.plan.regions[e.arg]; r.cost > 0 && !r.dead {
			return w.charge(c, r.cost)
		}
	case editLength:
		return w.length(c, length(e.arg))
	case editNaN:
		return w.canonical(c, nan(e.arg))
	case editReturn:
		if units > 0 {
			// What gives the frame back stands behind the outermost block.
			return c.with(wasm.OpBr, e.arg)
		}
		return append(c, wasm.OpReturn)
	case editRelease:
		if units > 0 {
			return w.release(c, units)
		}
	case editRemainder:
		return w.remainder(c, e.arg)
	case editMended:
		return w.mended(c, e.arg)
	case editZeros:
		return w.zeros(c, e.arg)
	case editReload:
		if w.options.Fuel {
			return w.reload(c)
		}
	}
	return c
}

// blockType writes the type of a block with these results.
func (w *writer) blockType(c code, results []byte) code {
	switch len(results) {
	case 0:
		return append(c, wasm.NoResult)
	case 1:
		return append(c, results[0])
	}
	i, ok := w.typeOf[string(results)]
	if !ok {
		i = len(w.types)
		w.types = append(w.types, results)
		w.typeOf[string(results)] = i
	}
	return wasm.AppendSigned(c, int64(len(w.m.types)+i))
}
