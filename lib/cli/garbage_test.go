package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// The first collection is late, and the others are not.
func TestCollectLate(t *testing.T) { //nolint:paralleltest // there is one collector
	before := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	now := func() int {
		p := debug.SetGCPercent(100)
		debug.SetGCPercent(p)
		return p
	}
	CollectLate(func(string) string { return "50" })
	if p := now(); p != 100 {
		t.Errorf("GOGC is set, and passed over: %d", p)
	}
	CollectLate(func(string) string { return "" })
	if p := now(); p != firstCollection {
		t.Errorf("%d", p)
	}
	for end := time.Now().Add(30 * time.Second); now() != 100 && time.Now().Before(end); {
		runtime.GC()
		runtime.Gosched()
	}
	if p := now(); p != 100 {
		t.Errorf("after a collection %d", p)
	}
}
