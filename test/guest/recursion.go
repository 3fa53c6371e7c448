package guest

import (
	"slices"

	"plasm/lib/wasm"
)

// Recursion is a function that calls itself, with frames of one size: so many locals
// and operands of a type, all of which live across the call.
type Recursion struct {
	Name             string
	Type             ValType
	Locals, Operands int
}

// Recursions lists frames of all sizes.
func Recursions() []Recursion {
	return []Recursion{
		{"smallest", I64, 0, 0},
		{"a local", I64, 1, 0},
		{"vectors", V128, 4, 4},
		{"100 locals", I64, 100, 0},
		{"1000 operands", I64, 0, 1000},
		{"1000 vectors as operands", V128, 0, 1000},
		{"9999 locals", I64, 9999, 0},
		{"9999 vectors", V128, 9999, 0},
		{"vectors everywhere", V128, 5000, 5000},
	}
}

// Module returns a module whose run(n) calls itself n deep and returns n, and the
// units of stack that a call takes when fuel is counted.
func (r Recursion) Module() (module []byte, units int) {
	zero, add := Long(3), Code{0x7c}
	if r.Type == V128 {
		zero = append(append(Code{0xfd, 12}, 1), make(Code, 15)...)
		add = Code{0xfd, 0xce, 1}
	}
	// No two of them are the same, or a compiler would keep one.
	next := Seq(Code{0x23, 0}, zero, add, Code{0x24, 0, 0x23, 0})
	var code Code
	for i := range r.Locals {
		code = append(code, Set(uint32(i+1), next)...)
	}
	for range r.Operands {
		code = append(code, next...)
	}
	code = append(code, Set(0, Op(wasm.OpI32Add, Call(0, Op(wasm.OpI32Sub, Get(0), Int(1))), Int(1)))...)
	// All of them are used, or a compiler would keep none.
	if r.Operands > 0 {
		for range r.Operands - 1 {
			code = append(code, add...)
		}
		code = append(code, 0x24, 0)
	}
	for i := range r.Locals {
		code = append(code, Seq(Get(uint32(i+1)), Code{0x23, 0}, add, Code{0x24, 0})...)
	}
	b := Builder{
		Funcs: []Func{{
			Type:   FuncType{Params: []ValType{I32}, Results: []ValType{I32}},
			Locals: slices.Repeat([]ValType{r.Type}, r.Locals),
			Body:   Seq(If(Get(0), code), Get(0)),
		}},
		Globals: []Global{{Type: r.Type, Mutable: true, Init: zero}},
		Exports: []Export{{Name: "run"}},
	}
	return b.Bytes(), 4 + 1 + r.Locals + r.Operands + 2
}
