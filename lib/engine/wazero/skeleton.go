package wazero

import (
	"bytes"

	"plasm/lib/wasm"
)

// skeleton returns module without what is read only to be compiled: each
// function body is replaced by one that traps, and custom sections, such as the
// names for stack traces, are left out.
//
// Decoding and validating function bodies is nine tenths of what wazero does to
// load a module whose machine code is in the cache already, and is wasted: the
// bodies were validated when they were compiled, and nothing reads them again.
// The machine code does not depend on which bytes it is filed under. So Compile
// files it under the skeleton, and Load decodes the skeleton.
//
// A module that it cannot take apart is returned as it is, for wazero to refuse.
func skeleton(module []byte) []byte {
	all, damage := wasm.Sections(module)
	if damage != nil {
		return module
	}
	light := append([]byte{}, module[:wasm.HeaderSize]...)
	for _, s := range all {
		switch s.ID {
		case wasm.SectionCustom:
		case wasm.SectionCode:
			r := wasm.NewReader(module[s.Start:s.End])
			n := r.Count("bodies")
			if !r.OK() {
				return module
			}
			light = wasm.AppendSection(light, s.ID,
				append(wasm.AppendU32(nil, uint32(n)), bytes.Repeat(trapping, n)...))
		default:
			light = append(light, module[s.At:s.End]...)
		}
	}
	return light
}

// trapping is a body: its size, no locals, unreachable, end.
var trapping = []byte{3, 0, wasm.OpUnreachable, wasm.OpEnd}
