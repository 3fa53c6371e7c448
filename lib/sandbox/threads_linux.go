package sandbox

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"plasm/lib/limit"
)

// threads bounds how many threads the workers of this process may have, all together:
// what the user has elsewhere, and as many as it allows. The limit is set on workers
// alone, so that one that was taken over does not keep this process from starting
// threads. The kernel holds nobody to it whom it takes for root.
type threads struct {
	allowed uint64 // 0: no bound
	counted time.Time
	others  uint64 // that the user had then, without workers
}

// countEvery is for how long a count of the user's threads is good.
const countEvery = 5 * time.Second

// bound sets the bound on a worker that has just been started. It is used from one
// goroutine.
func (t *threads) bound(pid int) {
	if t.allowed == 0 || os.Geteuid() == 0 {
		return
	}
	if time.Since(t.counted) > countEvery {
		self := os.Getpid()
		others, err := limit.Threads(os.Geteuid(), func(_, parent int) bool { return parent == self })
		if err != nil {
			return
		}
		t.counted, t.others = time.Now(), others
	}
	_, most := limit.Processes.Get()
	n := min(t.others+t.allowed, most)
	_ = unix.Prlimit(pid, unix.RLIMIT_NPROC, &unix.Rlimit{Cur: n, Max: n}, nil) // a worker that is gone needs none
}
