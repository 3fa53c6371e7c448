package cli

import (
	"runtime"
	"runtime/debug"
)

// firstCollection is when the heap is first collected, in percent of Go's own 4 MiB.
const firstCollection = 800

// CollectLate has the first garbage collection wait until the heap has 32 MiB, and
// the others come as ever. Most commands end before, and one that has read a module
// of 5 MB would look through all that its packages hold, while it starts. What GOGC
// asks for stays.
func CollectLate(getenv func(string) string) {
	if getenv("GOGC") != "" {
		return
	}
	usual := debug.SetGCPercent(firstCollection)
	runtime.AddCleanup(&struct{ p *int }{}, func(percent int) { debug.SetGCPercent(percent) }, usual)
}
