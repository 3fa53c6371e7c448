package node

import (
	"os"
	"testing"

	"plasm/lib/capability"
)

// TestThreadsAreKept counts this process's threads: those that were started stay.
func TestThreadsAreKept(t *testing.T) {
	keepThreads(100)
	all, err := os.ReadDir("/proc/self/task")
	must(t, err)
	if len(all) < 300 {
		t.Errorf("%d threads", len(all))
	}
}

func TestWorkerThreads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cores, tasks, slots int64
		want                uint64
	}{
		{2, 0, 2, 128},
		{2, 4096, 2, 128},
		{64, 0, 64, 6144},
		{64, 4096, 64, 3840},
		{2, 300, 2, 64},
	} {
		if got := workerThreads(capability.Machine{Cores: test.cores, Tasks: test.tasks},
			test.slots); got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
}
