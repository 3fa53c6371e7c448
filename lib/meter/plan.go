package meter

import (
	"plasm/lib/job"
	"plasm/lib/wasm"
)

// region is instructions that are paid for together.
type region struct {
	cost int64
	dead bool // its beginning is never reached
}

// edit is a change of a body at one place.
type edit struct {
	kind editKind
	at   int // offset in the module
	to   int // offset from which on the body goes on: behind what is replaced
	arg  int
}

type editKind byte

const (
	editCharge    editKind = iota // the cost of region arg
	editLength                    // the topmost operand is a length of the kind arg
	editNaN                       // the topmost operand may be a NaN, of the shape arg
	editReturn                    // return, from arg blocks
	editRelease                   // the frame is given back, before a tail call
	editReload                    // what is left may have changed: a call came back
	editRemainder                 // the remainder whose opcode is arg
	editMended                    // the operation whose opcode is arg, for every job
	editZeros                     // the count of zeros whose opcode is arg
)

// planner finds what to change in the body of a function.
type planner struct {
	*walk
	options Options

	frames  []frame
	regions []region
	edits   []edit
	region  int // the current one
	height  int // operands
	highest int
	calls   bool // does it call?
	loops   bool // has it a loop?
	nans    [nanF64x2 + 1]bool
	lengths bool
	narrow  bool // does an edit need locals of i32?
	wide    bool // does one need locals of i64?
	vector  bool // does one need a second local of v128?
}

func (p *planner) fail(at int, format string, args ...any) { p.r.Fail(at, format, args...) }

func (p *planner) edit(kind editKind, at, to, arg int) {
	p.edits = append(p.edits, edit{kind, at, to, arg})
}

// begin begins a region behind the instruction at hand.
func (p *planner) begin() {
	p.region = len(p.regions)
	p.regions = append(p.regions, region{dead: p.top().dead})
	if p.options.Fuel {
		p.edit(editCharge, p.r.Pos, p.r.Pos, p.region)
	}
}

// plan goes over one body and returns where its instructions are.
func (p *planner) plan(body span) (span, *job.Error) {
	p.walk.begin(body)
	t := p.m.types[p.m.funcs[p.function]]
	p.frames = append(p.frames[:0], frame{code: wasm.OpBlock, block: blockType{0, len(t.results)}})
	p.regions, p.edits = p.regions[:0], p.edits[:0]
	p.height, p.highest = 0, 0
	p.calls, p.loops, p.lengths, p.narrow, p.wide, p.vector = false, false, false, false, false, false
	p.nans = [nanF64x2 + 1]bool{}
	code := span{p.r.Pos, body.end}
	p.begin()
	for p.r.OK() {
		p.m.decode(&p.r, &p.in)
		if !p.r.OK() {
			break
		}
		if p.in.code == wasm.OpEnd && len(p.frames) == 1 {
			code.end = p.in.at
			return code, nil
		}
		p.step()
	}
	return code, p.r.err()
}

// step takes one instruction.
func (p *planner) step() {
	in := &p.in
	p.regions[p.region].cost += int64(in.op.cost)
	p.pop(int(in.op.pops))
	if in.op.length != lengthNone && p.options.Fuel {
		p.edit(editLength, in.at, in.at, int(in.op.length))
		p.lengths = true
	}
	p.grow(int(in.op.pushes))
	if in.op.uneven || in.op.nan != nanNone && p.options.CanonicalNaN {
		p.edit(editNaN, p.r.Pos, p.r.Pos, int(in.op.nan))
		p.nans[in.op.nan] = true
	}
	switch {
	case in.code <= wasm.OpReturnCallIndirect:
		p.control()
	case in.op.mended:
		p.mended()
	default:
		p.integer()
	}
}

// mended takes an operation that is rewritten for every job.
func (p *planner) mended() {
	switch p.in.code {
	case wasm.OpF32ConvertI64U:
		p.wide, p.nans[nanF32] = true, true
	case wasm.OpF64ConvertI64U:
		p.wide, p.nans[nanF64] = true, true
	case wasm.OpF32Copysign:
		p.narrow = true
	case wasm.OpF64Copysign:
		p.wide = true
	case wasm.OpV128Bitselect:
		p.vector, p.nans[nanF64x2] = true, true
	}
	p.edit(editMended, p.in.at, p.r.Pos, p.in.code)
}

// integer takes an instruction that an engine may compute wrongly.
func (p *planner) integer() {
	kind, asked := editRemainder, p.options.Remainders
	switch p.in.code {
	case wasm.OpI32RemS, wasm.OpI32RemU, wasm.OpI64RemS, wasm.OpI64RemU:
	case wasm.OpI32Clz, wasm.OpI32Ctz, wasm.OpI64Clz, wasm.OpI64Ctz:
		kind, asked = editZeros, p.options.Zeros
	default:
		return
	}
	if !asked {
		return
	}
	if p.in.code < wasm.OpI64Clz {
		p.narrow = true
	} else {
		p.wide = true
	}
	p.edit(kind, p.in.at, p.r.Pos, p.in.code)
}

// control takes an instruction that has to do with blocks, branches and calls.
func (p *planner) control() {
	in := &p.in
	switch in.code {
	case wasm.OpUnreachable:
		p.leave()
	case wasm.OpBlock:
		p.push(wasm.OpBlock, in.block)
	case wasm.OpLoop, wasm.OpIf:
		p.push(in.code, in.block)
		p.begin()
		p.loops = p.loops || in.code == wasm.OpLoop
	case wasm.OpElse:
		p.elseArm()
	case wasm.OpEnd:
		p.endBlock()
	case wasm.OpBr:
		p.branch(in.index)
		p.leave()
	case wasm.OpBrIf:
		p.branch(in.index)
		p.begin()
	case wasm.OpBrTable:
		for _, label := range in.targets {
			p.branch(label)
		}
		p.leave()
	case wasm.OpReturn:
		p.edit(editReturn, in.at, p.r.Pos, len(p.frames)-1)
		p.branch(len(p.frames) - 1)
		p.leave()
	case wasm.OpCall, wasm.OpCallIndirect, wasm.OpReturnCall, wasm.OpReturnCallIndirect:
		p.call()
	}
}

func (p *planner) call() {
	in := &p.in
	number := in.index
	if in.code == wasm.OpCall || in.code == wasm.OpReturnCall {
		number = p.m.funcs[in.index]
		if in.index < p.m.imported {
			p.regions[p.region].cost += costFarCall - costCall
		}
	}
	t := p.m.types[number]
	p.pop(len(t.params))
	p.calls = true
	if in.code == wasm.OpReturnCall || in.code == wasm.OpReturnCallIndirect {
		p.edit(editRelease, in.at, in.at, 0)
		p.branch(len(p.frames) - 1)
		p.leave()
		return
	}
	p.grow(len(t.results))
	p.edit(editReload, p.r.Pos, p.r.Pos, 0)
}
