package guest

import (
	"slices"

	"plasm/lib/wasm"
)

// References returns a guest with externref in every place where a type can be: it
// holds null in all of them, and traps where it finds something else. With twins, two
// of its types differ in externref and funcref only.
func References(twins bool) []byte {
	const externRef = 0x6f
	section := func(id byte, content ...[]byte) []byte {
		return append([]byte{id}, sized(slices.Concat(content...))...)
	}
	types := []FuncType{{}, {Params: []ValType{externRef}, Results: []ValType{externRef}}}
	if twins {
		types = append(types, FuncType{Params: []ValType{FuncRef}, Results: []ValType{FuncRef}})
	}
	null := Code{0xd0, externRef}
	isNull := func(c Code) Code { return If(Op(0x45, Op(0xd1, c)), Code{wasm.OpUnreachable}) }
	main := Seq(
		Int(0), Int(0), Int(2), Code{0xfc, 12, 1, 1}, // table.init from the passive segment
		Set(0, Code{0x23, 0}), // from the global
		Code{0x02, externRef}, Get(0), Code{wasm.OpEnd}, Code{0x24, 0},
		isNull(Seq(null, Get(0), Int(1), Code{0x1c, 1, externRef}, Int(0), Code{0x11, 1, 0})), // select, call_indirect
		isNull(Seq(Int(0), Code{0x25, 1})), // table.get
		// table.grow, which was 4 long
		If(Op(0x47, Seq(null, Int(3), Code{0xfc, 15, 1}), Int(4)), Code{wasm.OpUnreachable}),
	)
	return slices.Concat(
		[]byte(wasm.Header),
		section(wasm.SectionType, vector(types, funcType)),
		section(wasm.SectionFunction, []byte{2, 0, 1}),
		section(wasm.SectionTable, []byte{2, byte(FuncRef), 0, 1, externRef, 1, 4, 8}),
		section(wasm.SectionGlobal, []byte{1, externRef, 1}, null, []byte{wasm.OpEnd}),
		section(wasm.SectionExport, []byte{1}, text("_start"), []byte{byte(KindFunc), 0}),
		section(wasm.SectionElement, []byte{2}, []byte{0, 0x41, 0, wasm.OpEnd, 1, 1}, []byte{5, externRef, 2}, null,
			[]byte{wasm.OpEnd}, null, []byte{wasm.OpEnd}),
		section(wasm.SectionCode, []byte{2}, body(Func{Locals: []ValType{externRef}, Body: main}),
			body(Func{Body: Get(0)})),
	)
}
