package cli

import (
	"runtime"

	"plasm/lib/limit"
)

// Limits is what every command needs of its resource limits: limit.Start, and what
// this machine's size adds. A plasm-run and a plasmd start workers besides, and a
// worker says itself what it needs.
func Limits() limit.Need {
	need := limit.Start
	need.Threads += uint64(runtime.NumCPU())
	need.Signals = 64 + 2*uint64(runtime.NumCPU())
	return need
}
