package cli

import (
	"runtime"

	"plasm/lib/limit"
)

// Limits is what every command needs of its resource limits: below it the Go runtime
// can end the process in the middle, with a trace. A plasm-run and a plasmd start
// workers besides, and a worker says itself what it needs.
func Limits() limit.Need {
	return limit.Need{
		AddressSpace: 3 << 29, // 1.3 GiB are reserved at the start
		Data:         256 << 20,
		Stack:        256 << 10, // the C library's, in another engine's worker
		Files:        64,
		Threads:      48 + uint64(runtime.NumCPU()),
		CPU:          2,
		Signals:      64 + 2*uint64(runtime.NumCPU()),
	}
}
