package hostile

import (
	"slices"

	"plasm/lib/wasm"
	"plasm/test/guest"
)

// leb writes n as unsigned LEB128.
func leb(n int) []byte { return wasm.AppendU32(nil, uint32(n)) }

// sized writes the length of content and content.
func sized(content ...[]byte) []byte {
	all := slices.Concat(content...)
	return wasm.AppendSized(nil, all)
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
	out := []byte(wasm.Header)
	for _, p := range parts {
		out = wasm.AppendSection(out, p.id, p.content)
	}
	return out
}

// group is so many locals of one type: a few bytes for any number of them.
func group(n int, t guest.ValType) []byte { return append(leb(n), byte(t)) }

// body writes a function's locals and code.
func body(code guest.Code, locals ...[]byte) []byte {
	return slices.Concat(list(locals...), code, []byte{wasm.OpEnd})
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
		{wasm.SectionType, list([]byte{0x60, 0, 0})},
		{wasm.SectionFunction, funcs},
		{wasm.SectionMemory, list([]byte{0, 1})},
		{wasm.SectionExport, list(slices.Concat(named("_start"), []byte{0}, leb(len(bodies)-1)))},
		{wasm.SectionCode, code},
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
