package wasi

import (
	"math"
	"time"
)

// Epoch is when the real time of a deterministic job starts:
// 2000-01-01T00:00:00Z, in nanoseconds since 1970.
const Epoch int64 = 946_684_800_000_000_000

// tick is how far a deterministic clock advances at each look, and the
// resolution that it reports, in nanoseconds.
const tick int64 = 1000

// Clock is a guest's time. It is used by one goroutine, the guest's.
type Clock interface {
	// Realtime returns nanoseconds since 1970.
	Realtime() int64
	// Monotonic returns nanoseconds since the guest's start.
	Monotonic() int64
	// Sleep lets d nanoseconds pass; none when d is not positive.
	Sleep(d int64)
	// Slept tells the clock that the guest has already waited d nanoseconds,
	// for input that did not come.
	Slept(d int64)
	// Resolution returns what clock_res_get reports, in nanoseconds.
	Resolution() int64
}

// NewClock returns the real clock, or the deterministic one.
func NewClock(real bool) Clock {
	if real {
		return &realClock{start: time.Now()}
	}
	return &virtualClock{}
}

// virtualClock counts the guest's own doings: both of its readings are one
// counter that advances by a tick at each look and by the length of each sleep,
// which does not wait. It stops at the end of time instead of wrapping.
type virtualClock struct{ now int64 }

func (c *virtualClock) Realtime() int64   { return Epoch + c.look() }
func (c *virtualClock) Monotonic() int64  { return c.look() }
func (c *virtualClock) Resolution() int64 { return tick }

func (c *virtualClock) look() int64 {
	now := c.now
	c.Sleep(tick)
	return now
}

func (c *virtualClock) Sleep(d int64) {
	const end = math.MaxInt64 - Epoch
	if d > 0 {
		c.now += min(d, end-c.now)
	}
}

func (c *virtualClock) Slept(d int64) { c.Sleep(d) }

// realClock is the host's.
type realClock struct{ start time.Time }

func (c *realClock) Realtime() int64   { return time.Now().UnixNano() }
func (c *realClock) Monotonic() int64  { return int64(time.Since(c.start)) }
func (c *realClock) Resolution() int64 { return 1 }
func (c *realClock) Sleep(d int64)     { time.Sleep(time.Duration(d)) }
func (c *realClock) Slept(int64)       {}
