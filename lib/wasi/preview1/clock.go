package preview1

import "plasm/lib/wasi"

// Clocks (witx: clockid). A processor's time is nobody's here: it would be the machine's.
const (
	clockRealtime  = 0
	clockMonotonic = 1
)

// clockResGet is clock_res_get(id, resolution): it writes the clock's resolution in
// nanoseconds, 8 bytes. EINVAL: there is no such clock. EFAULT.
func clockResGet(g *Guest, mem memory, args []uint64) wasi.Errno {
	if args[0] > clockMonotonic {
		return wasi.EINVAL
	}
	return mem.putU64(args[1], uint64(g.host.Clock.Resolution()))
}

// clockTimeGet is clock_time_get(id, precision, time): it writes nanoseconds since 1970,
// or since the program's start, 8 bytes. precision does not count. EINVAL: there is no
// such clock. EFAULT.
func clockTimeGet(g *Guest, mem memory, args []uint64) wasi.Errno {
	b, errno := mem.slice(args[2], 8)
	now, ok := g.now(args[0])
	switch {
	case !ok:
		return wasi.EINVAL
	case errno != wasi.Success:
		return errno
	}
	le.PutUint64(b, uint64(now))
	return wasi.Success
}

// now returns what a clock says.
func (g *Guest) now(id uint64) (int64, bool) {
	switch id {
	case clockRealtime:
		return g.host.Clock.Realtime(), true
	case clockMonotonic:
		return g.host.Clock.Monotonic(), true
	}
	return 0, false
}
