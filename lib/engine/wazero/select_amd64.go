package wazero

import (
	"fmt"
	_ "unsafe" // for go:linkname
)

// wazero 1.12.0 computes wrong numbers on amd64 where a select of floats or vectors
// meets a shortage of registers: its register allocator takes the conditional move of
// such a select for one that only writes its second operand, which it also leaves as
// it was when the condition does not hold. Between the two instructions of the select,
// another value may then be loaded into that register. This is wazero's issue 2534,
// mended upstream and in no release. The integer twin of that instruction, cmove, is
// described rightly; mendSelect describes the other one alike. Code in the cache of
// compiled modules was made after the mend, as the cache's key says.

// The kinds of instruction and of operands in wazero's amd64 backend, by their numbers
// there.
const (
	kindCMov    = 20 // cmove
	kindXMMCMov = 51 // xmmCMov
	kinds       = 59

	defNone    = 1 // defines no operand
	defSecond  = 2 // defines the second
	useFirst   = 2 // uses the first
	useBothReg = 3 // uses both, the second in a register
)

// What wazero's register allocator takes an instruction of each kind to define and to
// use.
var (
	//go:linkname defKinds github.com/tetratelabs/wazero/internal/engine/wazevo/backend/isa/amd64.defKinds
	defKinds [kinds]byte
	//go:linkname useKinds github.com/tetratelabs/wazero/internal/engine/wazevo/backend/isa/amd64.useKinds
	useKinds [kinds]byte
)

// mendSelect has to run before anything is compiled. It returns an error when the
// linked wazero is not the one that it knows.
func mendSelect() error {
	was := [4]byte{defKinds[kindCMov], useKinds[kindCMov], defKinds[kindXMMCMov], useKinds[kindXMMCMov]}
	switch was {
	case [4]byte{defNone, useBothReg, defSecond, useFirst}:
		defKinds[kindXMMCMov], useKinds[kindXMMCMov] = defNone, useBothReg
	case [4]byte{defNone, useBothReg, defNone, useBothReg}: // done
	default:
		return fmt.Errorf("wazero %s: its tables of operands are not those of 1.12.0: %v", version, was)
	}
	return nil
}
