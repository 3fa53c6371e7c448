package meter

import "plasm/lib/wasm"

// A compiler in SSA form numbers every value that a function has. How many there are
// is bounded here from above, for compilers that work as Cranelift and wazero do:
//
//   - A parameter is a value, and a local one: its zero.
//   - A block, loop or if has a value for each parameter and each result: they are
//     parameters of the basic blocks that it becomes.
//   - A local may have a value in each basic block where control flow joins, of
//     which a block, loop or if has one.
//   - A branch, return, else or end hands on the values of its label: each may be
//     converted on the way, and each takes memory. A br_table does it for each target.
//     Those of branches count twice, for the time that they take.
//   - A call has a value for each parameter and result. They count four times: the
//     registers and the stack that they travel in take a compiler more time than
//     values take it otherwise. Behind a call wazero reads every mutable global
//     anew, in two values each.
//   - Any other instruction has as many values as valuesOf says.
//
// What an optimising pass adds comes on top of that: the limit leaves it room up to
// 2^24, where Cranelift's numbers end.
const (
	valuesPlain    = 2  // the operation, and the widening of a comparison
	valuesVector   = 8  // conversions between shapes of lanes
	valuesMemory   = 8  // the bounds check and the address, then the access
	valuesCall     = 8  // the callee and its context
	valuesTable    = 32 // the bounds check, a barrier, an element made on first use
	valuesIndirect = 40 // of call_indirect: the element of a table, and its type
	valuesBulk     = 32 // bounds checks, and a call of the host

	// valuesEdit is for what Rewrite puts at one place, with the values that its own
	// locals have where control flow joins.
	valuesEdit = 32
)

// valuesOf returns how many values an instruction has that neither branches nor
// calls, and neither begins nor ends a block.
func valuesOf(in *instruction) int {
	switch in.op.imm {
	case immLocal:
		return 0
	case immI32, immI64, imm4, imm8:
		return 1
	case immAddress, immAddressLane, immGlobal:
		return valuesMemory
	case immTable, immFunc:
		return valuesTable
	case immMemory, immSegment, immSegmentMemory, immSegmentTable, immMemories, immTables:
		return valuesBulk
	default:
	}
	switch {
	case in.code>>8 == wasm.PrefixSIMD:
		return valuesVector
	case in.op.pushes == 0: // nop, drop, unreachable
		return 0
	}
	return valuesPlain
}

// countValues counts the values of the instruction at hand, in the blocks that are open
// before it.
func (w *walk) countValues() {
	in := &w.in
	switch in.code {
	case wasm.OpBlock, wasm.OpLoop, wasm.OpIf:
		w.values += in.block.params + in.block.results + valuesPlain
	case wasm.OpElse, wasm.OpEnd, wasm.OpReturn:
		label := 0
		if in.code == wasm.OpReturn {
			label = len(w.open) - 1
		}
		w.values += w.open[len(w.open)-1-label].block.results
	case wasm.OpBr, wasm.OpBrIf:
		w.values += 2 * w.handedOn(in.index)
	case wasm.OpBrTable:
		for _, label := range in.targets {
			w.values += 2 * w.handedOn(label)
		}
	case wasm.OpCall, wasm.OpReturnCall:
		w.values += w.callValues(w.m.funcs[in.index], valuesCall)
	case wasm.OpCallIndirect, wasm.OpReturnCallIndirect:
		w.values += w.callValues(in.index, valuesIndirect)
	default:
		w.values += valuesOf(in)
	}
}

// handedOn is how many values a branch to a label hands on.
func (w *walk) handedOn(label int) int {
	if label >= len(w.open) {
		return 0 // checkLabel refuses it
	}
	to := &w.open[len(w.open)-1-label]
	if to.loop {
		return to.block.params
	}
	return to.block.results
}

func (w *walk) callValues(number, callee int) int {
	t := &w.m.types[number]
	return callee + 4*(len(t.params)+len(t.results)) + 2*w.m.mutable
}

// addedValues is how many values what is planned adds to a function. The two globals
// that Rewrite adds are read anew behind each call, whose reload is an edit.
func (p *planner) addedValues() int { return valuesEdit * (len(p.edits) + 2) }
