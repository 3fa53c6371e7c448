package wasi

import (
	"math"
	"testing"
	"time"
)

func TestVirtualClockStarts(t *testing.T) {
	t.Parallel()
	start := time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	if got := NewClock(false).Realtime(); got != start {
		t.Errorf("real time starts at %d, want %d", got, start)
	}
	if got := NewClock(false).Monotonic(); got != 0 {
		t.Errorf("monotonic time starts at %d, want 0", got)
	}
	if got := NewClock(false).Resolution(); got != 1000 {
		t.Errorf("resolution is %d, want 1000", got)
	}
}

// TestVirtualClockAdvances looks at the two readings in turns: they are one
// counter, and nothing but the guest's own doings moves it.
func TestVirtualClockAdvances(t *testing.T) {
	t.Parallel()
	c := NewClock(false)
	look := func(wantMonotonic, wantReal int64) {
		t.Helper()
		if got := c.Monotonic(); got != wantMonotonic {
			t.Errorf("monotonic time is %d, want %d", got, wantMonotonic)
		}
		if got := c.Realtime(); got != Epoch+wantReal {
			t.Errorf("real time is the start and %d, want %d", got-Epoch, wantReal)
		}
	}
	look(0, 1000)
	look(2000, 3000)
	c.Sleep(1)
	look(4001, 5001)
	c.Sleep(int64(time.Hour))
	look(int64(time.Hour)+6001, int64(time.Hour)+7001)
	c.Sleep(0)
	c.Sleep(-1)
	c.Sleep(math.MinInt64)
	look(int64(time.Hour)+8001, int64(time.Hour)+9001)
	c.Slept(99)
	look(int64(time.Hour)+10100, int64(time.Hour)+11100)
}

// TestVirtualClockStops goes to the end of time by several ways.
func TestVirtualClockStops(t *testing.T) {
	t.Parallel()
	for _, steps := range [][]int64{
		{math.MaxInt64},
		{math.MaxInt64, math.MaxInt64, 1},
		{math.MaxInt64 - Epoch},
		{math.MaxInt64 - Epoch - 1},
		{math.MaxInt64 / 2, math.MaxInt64 / 2, math.MaxInt64 / 2},
	} {
		c := NewClock(false)
		for _, d := range steps {
			c.Sleep(d)
		}
		c.Realtime()
		for range 3 {
			if real, mono := c.Realtime(), c.Monotonic(); real != math.MaxInt64 || mono != math.MaxInt64-Epoch {
				t.Errorf("after %v it is %d and %d, want the end of time", steps, real, mono)
			}
		}
	}
}

func TestRealClock(t *testing.T) {
	t.Parallel()
	before := time.Now()
	c := NewClock(true)
	if got := c.Realtime(); got < before.UnixNano() || got > time.Now().UnixNano() {
		t.Errorf("real time is %d, not now", got)
	}
	first := c.Monotonic()
	c.Slept(int64(time.Hour)) // has passed already
	c.Sleep(int64(5 * time.Millisecond))
	c.Sleep(-1)
	second := c.Monotonic()
	if passed, most := second-first, int64(time.Since(before)); passed < int64(5*time.Millisecond) || passed > most {
		t.Errorf("a sleep of 5 ms took %d ns of monotonic time, and the test %d", passed, most)
	}
	if got := c.Resolution(); got != 1 {
		t.Errorf("resolution is %d, want 1", got)
	}
}
