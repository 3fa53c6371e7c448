package meter

import (
	"fmt"

	"plasm/lib/wasm"
)

// instruction is one instruction. What a decode leaves in targets is good until
// the next one.
type instruction struct {
	at      int // offset of its first byte
	code    int // the opcode; behind a prefix byte that byte, then the number
	number  uint32
	op      *operation
	index   int   // its function, type, local, global, table, label, or segment of data
	value   int32 // of i32.const
	targets []int // labels of br_table, the default last
	block   blockType
}

// blockType is the number of values that a block takes and leaves.
type blockType struct{ params, results int }

// name names an opcode as the specification does.
func (in *instruction) name() string {
	if in.code > 0xff {
		return fmt.Sprintf("0x%02x 0x%02x", in.code>>8, in.number)
	}
	return fmt.Sprintf("0x%02x", in.code)
}

// family says which proposal an unknown opcode is of, as far as the number tells.
func (in *instruction) family() string {
	switch {
	case in.code>>8 == wasm.PrefixSIMD && in.number >= 0x100:
		return " (relaxed SIMD)"
	case in.code == 0xfe:
		return " (threads)"
	case in.code == 0xfb, in.code == 0xd3, in.code == 0xd5, in.code == 0xd6, in.code == 0x14, in.code == 0x15:
		return " (garbage collection)"
	case in.code >= 0x06 && in.code <= 0x0a, in.code == 0x18, in.code == 0x19, in.code == 0x1f:
		return " (exceptions)"
	}
	return ""
}

// decode reads one instruction. It holds every number against what the module has
// of that kind, as far as the pass adds things of the kind: nothing in the
// module can name those.
func (m *module) decode(r *reader, in *instruction) {
	in.at = r.Pos
	first := r.Byte()
	in.code = int(first)
	switch first {
	case wasm.PrefixMisc:
		m.prefixed(r, in, miscTable)
	case wasm.PrefixSIMD:
		m.prefixed(r, in, simdTable)
	default:
		in.op = &plainTable[first]
	}
	if !in.op.known {
		if r.OK() {
			r.Fail(in.at, "unknown opcode %s%s", in.name(), in.family())
		}
		return
	}
	if in.op.imm != immNone {
		m.immediates(r, in)
	}
}

// prefixed reads the number behind a prefix byte.
func (m *module) prefixed(r *reader, in *instruction, t *table) {
	in.number = r.U32()
	in.code = in.code<<8 | int(in.number&0xff)
	if in.number > 0xff {
		in.op = &operation{}
		return
	}
	in.op = &t[in.number]
}

func (m *module) immediates(r *reader, in *instruction) {
	switch in.op.imm {
	case immLocal, immLabel: // the walk knows how many there are
		in.index = int(r.U32())
	case immI32:
		in.value = int32(r.Signed(32))
	case immI64:
		r.Signed(64)
	case immAddress:
		m.address(r)
	case immBlock:
		m.blockType(r, in)
	case immFunc:
		in.index = m.function(r)
	case immGlobal:
		at := r.Pos
		if in.index = int(r.U32()); in.index >= m.globals {
			r.Fail(at, "global %d of %d", in.index, m.globals)
		}
	case immLabels:
		m.labels(r, in)
	case imm4:
		r.Skip(4)
	case imm8:
		r.Skip(8)
	case imm16:
		r.Skip(16)
	default:
		m.rareImmediates(r, in)
	}
}

func (m *module) rareImmediates(r *reader, in *instruction) {
	switch in.op.imm { //nolint:exhaustive // the others are read above
	case immIndirect:
		in.index = m.typeIndex(r)
		m.table(r)
	case immTypes:
		r.valueTypes("types")
	case immTable:
		in.index = m.table(r)
	case immMemory:
		zero(r)
	case immMemories:
		zero(r)
		zero(r)
	case immTables:
		m.table(r)
		m.table(r)
	case immLane:
		r.Byte()
	case immAddressLane:
		m.address(r)
		r.Byte()
	case immRefType:
		r.refType()
	case immSegment:
		r.U32()
	case immSegmentMemory:
		in.index = int(r.U32())
		zero(r)
	case immSegmentTable:
		r.U32()
		m.table(r)
	}
}

// address reads alignment and offset. A larger alignment is another proposal's.
func (m *module) address(r *reader) {
	at := r.Pos
	if align := r.U32(); align > 4 {
		r.Fail(at, "alignment 2^%d", align)
	}
	r.U32()
}

// table reads the number of a table.
func (m *module) table(r *reader) int {
	at := r.Pos
	n := int(r.U32())
	if n >= len(m.tables) {
		r.Fail(at, "table %d of %d", n, len(m.tables))
		return 0
	}
	return n
}

// zero reads the number of the only memory.
func zero(r *reader) {
	at := r.Pos
	if n := r.Byte(); n != 0 {
		r.Fail(at, "memory %d", n)
	}
}

// blockType reads the type of a block: none, one result, or the number of a type.
func (m *module) blockType(r *reader, in *instruction) {
	at := r.Pos
	n := r.Signed(33)
	switch {
	case n >= int64(len(m.types)):
		r.Fail(at, "type %d of %d", n, len(m.types))
	case n >= 0:
		t := m.types[n]
		in.block = blockType{len(t.params), len(t.results)}
	case n == wasm.NoResult-0x80:
		in.block = blockType{}
	case n >= -0x40 && wasm.IsValueType(byte(n+0x80)):
		in.block = blockType{0, 1}
		if byte(n+0x80) == wasm.ExternRef {
			r.externRef(at)
		}
	default:
		r.Fail(at, "unknown type of a block")
	}
}

// labels reads the targets of a br_table; each takes a byte at least. What is
// above the limit is refused after the walk, from their number.
func (m *module) labels(r *reader, in *instruction) {
	in.targets = in.targets[:0]
	n := r.Count("targets")
	in.index = n
	if n > m.limits.BranchTargets {
		return
	}
	for range n + 1 {
		in.targets = append(in.targets, int(r.U32()))
	}
}
