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

// Clock is a guest's time: the host's, or the deterministic one, which counts the guest's
// own doings. Both readings of that are one counter that advances by a tick at each look and
// by the length of each sleep, which does not wait. It stops at the end of time instead of
// wrapping. A clock is used by one goroutine, the guest's.
type Clock struct {
	real  bool      // it is the host's
	start time.Time // of that
	now   int64     // of the deterministic one, in nanoseconds
}

// NewClock returns the real clock, or the deterministic one.
func NewClock(real bool) *Clock {
	if real {
		return &Clock{real: true, start: time.Now()}
	}
	return &Clock{}
}

// Realtime returns nanoseconds since 1970.
func (c *Clock) Realtime() int64 {
	if c.real {
		return time.Now().UnixNano()
	}
	return Epoch + c.look()
}

// Monotonic returns nanoseconds since the guest's start.
func (c *Clock) Monotonic() int64 {
	if c.real {
		return int64(time.Since(c.start))
	}
	return c.look()
}

func (c *Clock) look() int64 {
	now := c.now
	c.pass(tick)
	return now
}

// pass moves the deterministic clock on.
func (c *Clock) pass(d int64) {
	const end = math.MaxInt64 - Epoch
	c.now += min(d, end-c.now)
}

// Sleep lets d nanoseconds pass; none when d is not positive.
func (c *Clock) Sleep(d int64) {
	switch {
	case c.real:
		time.Sleep(time.Duration(d))
	case d > 0:
		c.pass(d)
	}
}

// Slept tells the clock that the guest has already waited d nanoseconds, for input that did
// not come.
func (c *Clock) Slept(d int64) {
	if !c.real {
		c.Sleep(d)
	}
}

// Resolution returns what clock_res_get reports, in nanoseconds.
func (c *Clock) Resolution() int64 {
	if c.real {
		return 1
	}
	return tick
}
