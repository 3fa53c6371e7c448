package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"plasm/lib/job"
	"plasm/lib/wasm"
)

// What a component has behind the magic (Component Model binary format, «Component
// Definitions»): version 0x0d of layer 1.
const component = "\x0d\x00\x01\x00"

// CheckHeader tells what a file is that is not a core module.
func CheckHeader(module []byte) error {
	bad := func(message, hint string) error {
		return &job.Error{Code: job.CodeBadModule, Message: message, Hint: hint}
	}
	const build = "compile the program for the target wasm32-wasip1"
	switch {
	case len(module) == 0:
		return bad("not a WebAssembly module: the file is empty", build)
	case !bytes.HasPrefix(module, []byte(wasm.Magic[:min(len(module), len(wasm.Magic))])):
		return bad(fmt.Sprintf("not a WebAssembly module: it begins with %q, not %q", module[:min(8, len(module))],
			wasm.Magic), build)
	case len(module) < wasm.HeaderSize:
		return bad(fmt.Sprintf("truncated module: %d bytes", len(module)), "")
	case string(module[4:8]) == component:
		return bad("a WebAssembly component, not a core module", build+", or take the core module out of the component")
	case string(module[:8]) != wasm.Header:
		return bad(fmt.Sprintf("WebAssembly binary version %d, not 1", binary.LittleEndian.Uint32(module[4:8])), build)
	}
	return nil
}
