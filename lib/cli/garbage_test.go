package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// The first collection is late, and the others are not.
func TestCollectLate(t *testing.T) { //nolint:paralleltest // there is one collector
	before := debug.SetGCPercent(50)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	now := func() int {
		p := debug.SetGCPercent(usualCollection)
		debug.SetGCPercent(p)
		return p
	}
	collectLate()
	if p := now(); p != 50 {
		t.Errorf("what was asked for is passed over: %d", p)
	}
	debug.SetGCPercent(usualCollection)
	collectLate()
	collectLate()
	if p := now(); p != firstCollection {
		t.Errorf("%d", p)
	}
	for end := time.Now().Add(30 * time.Second); now() != usualCollection && time.Now().Before(end); {
		runtime.GC()
		runtime.Gosched()
	}
	if p := now(); p != usualCollection {
		t.Errorf("after a collection %d", p)
	}
}

// A command that stays collects often, unless asked for something else.
func TestCollectOften(t *testing.T) { //nolint:paralleltest // there is one collector
	before := debug.SetGCPercent(usualCollection)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	CollectOften()
	if p := debug.SetGCPercent(200); p != oftenCollection {
		t.Errorf("%d", p)
	}
	CollectOften()
	if p := debug.SetGCPercent(usualCollection); p != 200 {
		t.Errorf("what was asked for is passed over: %d", p)
	}
}
