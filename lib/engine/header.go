package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"plasm/lib/job"
)

// HeaderSize is the length of what a module begins with: magic and version, in
// bytes.
const HeaderSize = 8

var (
	magic     = []byte("\x00asm")
	core      = []byte{1, 0, 0, 0}
	component = []byte{0x0d, 0, 1, 0}
)

// CheckHeader tells what a file is that is not a core module.
func CheckHeader(module []byte) error {
	bad := func(message, hint string) error {
		return &job.Error{Code: job.CodeBadModule, Message: message, Hint: hint}
	}
	const build = "compile the program for the target wasm32-wasip1"
	switch {
	case len(module) == 0:
		return bad("not a WebAssembly module: the file is empty", build)
	case !bytes.HasPrefix(module, magic[:min(len(module), len(magic))]):
		return bad(fmt.Sprintf("not a WebAssembly module: it begins with %q, not %q", module[:min(8, len(module))], magic), build)
	case len(module) < HeaderSize:
		return bad(fmt.Sprintf("truncated module: %d bytes", len(module)), "")
	case bytes.Equal(module[4:8], component):
		return bad("a WebAssembly component, not a core module", build+", or take the core module out of the component")
	case !bytes.Equal(module[4:8], core):
		return bad(fmt.Sprintf("WebAssembly binary version %d, not 1", binary.LittleEndian.Uint32(module[4:8])), build)
	}
	return nil
}
