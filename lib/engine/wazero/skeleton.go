package wazero

import (
	"bytes"
	"encoding/binary"

	"plasm/lib/engine"
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
	all, err := engine.Sections(module)
	if err != nil {
		return module
	}
	light := append([]byte{}, module[:engine.HeaderSize]...)
	for _, s := range all {
		switch s.ID {
		case engine.SectionCustom:
		case engine.SectionCode:
			n, size := binary.Uvarint(s.Content)
			if size <= 0 || n > uint64(len(s.Content)) {
				return module
			}
			code := append(engine.AppendU32(nil, uint32(n)), bytes.Repeat([]byte{3, 0, 0x00, 0x0b}, int(n))...) // size, no locals, unreachable, end
			light = append(engine.AppendU32(append(light, s.ID), uint32(len(code))), code...)
		default:
			light = append(light, module[s.Start:s.End]...)
		}
	}
	return light
}
