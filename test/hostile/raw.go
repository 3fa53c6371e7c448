package hostile

import (
	"encoding/binary"
	"slices"

	"plasm/test/guest"
)

// Section IDs (WebAssembly core specification 2.0, section 5.5).
const (
	customSection = iota
	typeSection
	importSection
	functionSection
	tableSection
	memorySection
	globalSection
	exportSection
	startSection
	elementSection
	codeSection
	dataSection
	tagSection = 13 // of exception handling; it stands behind the memories
)

const header = "\x00asm\x01\x00\x00\x00"

// end closes a body, a block and a constant expression.
const end = 0x0b

// leb writes n as unsigned LEB128.
func leb(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

// sized writes the length of content and content.
func sized(content ...[]byte) []byte {
	all := slices.Concat(content...)
	return slices.Concat(leb(len(all)), all)
}

// list writes the number of items and the items.
func list(items ...[]byte) []byte { return slices.Concat(leb(len(items)), slices.Concat(items...)) }

func named(s string) []byte { return sized([]byte(s)) }

// part is one section of a raw module.
type part struct {
	id      byte
	content []byte
}

// raw writes sections as they are given: whatever they say, in whatever order.
func raw(parts ...part) []byte {
	out := []byte(header)
	for _, p := range parts {
		out = append(append(out, p.id), sized(p.content)...)
	}
	return out
}

// group is so many locals of one type: a few bytes for any number of them.
func group(n int, t guest.ValType) []byte { return append(leb(n), byte(t)) }

// body writes a function's locals and code.
func body(code guest.Code, locals ...[]byte) []byte {
	return slices.Concat(list(locals...), code, []byte{end})
}

// crowd is a command of functions that all have the type without parameters and
// results; _start is the last one. extra are sections beside its own, which take
// the place of one of the same kind.
func crowd(bodies [][]byte, extra ...part) []byte {
	funcs, code := leb(len(bodies)), leb(len(bodies))
	for _, b := range bodies {
		funcs, code = append(funcs, 0), append(code, sized(b)...)
	}
	parts := []part{
		{typeSection, list([]byte{0x60, 0, 0})},
		{functionSection, funcs},
		{memorySection, list([]byte{0, 1})},
		{exportSection, list(slices.Concat(named("_start"), []byte{0}, leb(len(bodies)-1)))},
		{codeSection, code},
	}
	for _, e := range extra {
		at := slices.IndexFunc(parts, func(p part) bool { return p.id >= e.id })
		switch {
		case at < 0:
			parts = append(parts, e)
		case parts[at].id == e.id:
			parts[at] = e
		default:
			parts = slices.Insert(parts, at, e)
		}
	}
	return raw(parts...)
}

// alone is a command of one function.
func alone(code guest.Code, locals ...[]byte) []byte { return crowd([][]byte{body(code, locals...)}) }

// repeat is code, n times.
func repeat(n int, code guest.Code) guest.Code { return slices.Repeat(code, n) }

// nest is n times before, and as many times after.
func nest(n int, before, after guest.Code) guest.Code {
	return guest.Seq(repeat(n, before), repeat(n, after))
}
