package meter_test

import (
	"slices"

	"plasm/lib/wasm"
	"plasm/test/guest"
)

// sequence is statements, which leave nothing.
func (g *generator) sequence(depth int) guest.Code {
	var out guest.Code
	for range g.pick(6) {
		out = append(out, g.statement(depth)...)
	}
	return out
}

func (g *generator) statement(depth int) guest.Code {
	if depth <= 0 || len(g.data) == 0 {
		return nil
	}
	switch g.pick(12) {
	case 0:
		t := g.someType()
		if l, ok := g.local(t); ok {
			return guest.Set(uint32(l), g.value(t, depth-1))
		}
	case 1:
		return g.block(nil, depth-1)
	case 2:
		return g.store(depth - 1)
	case 3:
		return guest.Op(wasm.OpDrop, g.value(g.someType(), depth-1))
	case 4:
		return g.callFor(nil, depth-1)
	case 5:
		return g.branchIf(depth - 1)
	case 6:
		return g.bulk(depth - 1)
	case 7:
		return guest.Seq(g.value(i64, depth-1), guest.Code{0x24, 1})
	case 8:
		if g.pick(3) == 1 {
			return g.leave(depth - 1)
		}
	case 9:
		return guest.Code{0x01}
	case 10:
		return guest.Seq(g.address(0), guest.Code{0xd2, byte(g.pick(generated)), 0x26, 0})
	}
	return g.block(nil, depth-1)
}

// store writes one value to memory.
func (g *generator) store(depth int) guest.Code {
	t := g.someType()
	opcode := map[guest.ValType]guest.Code{i32: {0x36}, i64: {0x37}, f32: {0x38}, f64: {0x39}, v128: {0xfd, 0x0b}}[t]
	return guest.Seq(g.address(depth), g.value(t, depth), opcode, guest.Code{0, byte(g.pick(30))})
}

func (g *generator) bulk(depth int) guest.Code {
	operands := guest.Seq(g.address(depth), g.address(depth), g.address(depth))
	switch g.pick(4) {
	case 0:
		return guest.Seq(operands, guest.Code{0xfc, 10, 0, 0})
	case 1:
		return guest.Seq(operands, guest.Code{0xfc, 11, 0})
	case 2:
		small := func() guest.Code { return guest.Int(int64(g.pick(10))) }
		return guest.Seq(small(), small(), small(), guest.Code{0xfc, 14, 0, 0})
	default:
		return guest.Seq(guest.Int(int64(g.pick(10))), g.constant(guest.FuncRef), guest.Int(int64(g.pick(4))),
			guest.Code{0xfc, 17, 0})
	}
}

// block leaves the results, from a block, loop or if, sometimes with parameters.
func (g *generator) block(results types, depth int) guest.Code {
	var params types
	kind := guest.Code{0x40}
	switch lent := g.lender(results); {
	case lent >= 0 && g.pick(2) == 1:
		params = g.types[lent].Params
		kind = guest.Code{byte(lent)}
	case len(results) == 1:
		kind = guest.Code{byte(results[0])}
	}
	before := g.values(params, depth)
	shape := g.pick(4)
	operands := results
	if shape == 1 {
		operands = params
	}
	condition := guest.Code(nil)
	if shape >= 2 {
		condition = g.value(i32, depth)
	}
	g.labels = append(g.labels, label{operands})
	inside := func() guest.Code {
		var drops guest.Code
		for range params {
			drops = append(drops, wasm.OpDrop)
		}
		return guest.Seq(drops, g.sequence(depth), g.values(results, depth))
	}
	var out guest.Code
	switch shape {
	case 0:
		out = guest.Seq(guest.Code{0x02}, kind, inside())
	case 1:
		out = guest.Seq(guest.Code{0x03}, kind, g.step(), inside())
	case 2:
		if len(results) == 0 && len(params) == 0 {
			out = guest.Seq(condition, guest.Code{0x04}, kind, inside())
			break
		}
		fallthrough
	default:
		out = guest.Seq(condition, guest.Code{0x04}, kind, inside(), guest.Code{0x05}, inside())
	}
	g.labels = g.labels[:len(g.labels)-1]
	return guest.Seq(before, out, guest.Code{0x0b})
}

// lender is a type with those results whose number fits one byte, or -1.
func (g *generator) lender(results types) int {
	for i := range lenders {
		if n := generated + i; slices.Equal(g.types[n].Results, results) {
			return n
		}
	}
	return -1
}

// callFor calls a function with those results, directly or not.
func (g *generator) callFor(results types, depth int) guest.Code {
	for range generated {
		f := g.pick(generated)
		if !slices.Equal(g.types[f].Results, results) {
			continue
		}
		args := g.values(g.types[f].Params, depth)
		if g.pick(2) == 0 {
			return guest.Call(uint32(f), args)
		}
		return guest.Seq(args, guest.CallIndirect(uint32(f), guest.Int(int64(g.pick(6)))))
	}
	return g.block(results, depth)
}

// leave goes away for good, which leaves any type.
func (g *generator) leave(depth int) guest.Code {
	switch g.pick(6) {
	case 0:
		return guest.Code{wasm.OpUnreachable}
	case 1:
		return append(g.values(g.labels[0].operands, depth), wasm.OpReturn)
	case 2:
		return g.tailCall(depth)
	case 3:
		to := g.pick(len(g.labels))
		var labels []byte
		for i, l := range g.labels {
			if slices.Equal(l.operands, g.labels[to].operands) {
				labels = append(labels, byte(len(g.labels)-1-i))
			}
		}
		out := guest.Seq(g.values(g.labels[to].operands, depth), g.value(i32, depth))
		return guest.Seq(out, guest.Code{0x0e, byte(len(labels) - 1)}, labels)
	default:
		to := g.pick(len(g.labels))
		return guest.Seq(g.values(g.labels[to].operands, depth), guest.Br(uint32(len(g.labels)-1-to)))
	}
}

func (g *generator) tailCall(depth int) guest.Code {
	for f := range generated {
		if !slices.Equal(g.types[f].Results, g.labels[0].operands) {
			continue
		}
		args := g.values(g.types[f].Params, depth)
		if g.pick(2) == 0 {
			return append(args, 0x12, byte(f))
		}
		return guest.Seq(args, guest.Int(int64(g.pick(5))), guest.Code{0x13, byte(f), 0})
	}
	return guest.Code{wasm.OpUnreachable}
}

// branchIf goes to a label or not.
func (g *generator) branchIf(depth int) guest.Code {
	to := g.pick(len(g.labels))
	operands := g.labels[to].operands
	out := guest.Seq(g.values(operands, depth), guest.BrIf(uint32(len(g.labels)-1-to), g.value(i32, depth)))
	for range operands {
		out = append(out, wasm.OpDrop)
	}
	return out
}
