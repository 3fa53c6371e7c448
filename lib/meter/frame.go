package meter

import "plasm/lib/wasm"

// frame is a block that has begun and not ended. The outermost one is the
// function's body.
type frame struct {
	code     int // wasm.OpBlock, wasm.OpLoop or wasm.OpIf
	block    blockType
	base     int  // operands below its own
	before   int  // the region that was current at its beginning
	reach    int  // the outermost frame that a branch inside goes to, by number
	targeted bool // does a branch go to its label?
	dead     bool // nothing of what follows in it is ever run
}

// push begins a block. Its parameters are operands already.
func (p *planner) push(code int, t blockType) {
	p.pop(t.params)
	p.frames = append(p.frames, frame{
		code: code, block: t, base: p.height, before: p.region, reach: len(p.frames), dead: p.top().dead,
	})
	p.grow(t.params)
}

func (p *planner) top() *frame { return &p.frames[len(p.frames)-1] }

// pop takes n operands away. Dead code may take what is not there.
func (p *planner) pop(n int) {
	p.height -= n
	if top := p.top(); p.height < top.base {
		if !top.dead {
			p.fail(p.in.at, "%d operands are missing", top.base-p.height)
		}
		p.height = top.base
	}
}

// grow adds n operands.
func (p *planner) grow(n int) {
	p.height += n
	p.highest = max(p.highest, p.height)
}

// branch notes a branch to a label.
func (p *planner) branch(label int) {
	to := len(p.frames) - 1 - label
	if to < 0 {
		p.fail(p.in.at, "label %d in %d blocks", label, len(p.frames))
		return
	}
	p.frames[to].targeted = true
	top := p.top()
	top.reach = min(top.reach, to)
}

// leave ends the code that runs in a frame: up to its else or end nothing more
// is run.
func (p *planner) leave() {
	top := p.top()
	p.height = top.base
	top.dead = true
	p.begin()
}

// elseArm begins the second arm of an if.
func (p *planner) elseArm() {
	top := p.top()
	if top.code != wasm.OpIf {
		p.fail(p.in.at, "else without if")
		return
	}
	top.code = wasm.OpElse
	top.dead = p.frames[len(p.frames)-2].dead
	p.height = top.base
	p.grow(top.block.params)
	p.begin()
}

// endBlock ends a block that is not the function's body, and says which region
// goes on behind it.
func (p *planner) endBlock() {
	f := *p.top()
	number := len(p.frames) - 1
	p.frames = p.frames[:number]
	p.height = f.base
	p.grow(f.block.results)
	around := p.top()
	around.reach = min(around.reach, f.reach)
	switch joins := f.targeted || f.code == wasm.OpIf || f.code == wasm.OpElse; {
	case f.reach >= number:
		p.region = f.before
	case f.code == wasm.OpLoop || !joins:
		around.dead = f.dead
	default:
		p.begin()
	}
}
