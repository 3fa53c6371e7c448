package cli

import (
	"runtime"
	"runtime/debug"
)

const (
	usualCollection = 100 // Go's own, in percent: the first when the heap has 4 MiB
	firstCollection = 800 // 32 MiB
	oftenCollection = 50

	// largeModule is from which size on, in bytes, a module would make Go look through
	// all that the packages hold, while the command starts.
	largeModule = 1 << 20
)

// collectLate has the first garbage collection wait until the heap has 32 MiB, and
// the others come as ever. Most commands end before. It takes a fifth of a
// millisecond. What GOGC asks for stays.
func collectLate() {
	if before := debug.SetGCPercent(firstCollection); before != usualCollection {
		debug.SetGCPercent(before)
		return
	}
	runtime.AddCleanup(&struct{ p *int }{}, func(percent int) { debug.SetGCPercent(percent) }, usualCollection)
}

// CollectOften has garbage collected when the heap has grown by half, and not only
// when it has doubled: for a command that stays, whose memory others want. What GOGC
// asks for stays.
func CollectOften() {
	if before := debug.SetGCPercent(oftenCollection); before != usualCollection {
		debug.SetGCPercent(before)
	}
}
