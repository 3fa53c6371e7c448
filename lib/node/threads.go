package node

import (
	"runtime"
	"sync"

	"plasm/lib/capability"
)

// A slot's worker, the one that is kept ready for the next job and one that prepares a
// module have some thirty threads together, and one for each core where all are busy.
const (
	slotThreads = 64
	ownThreads  = 256 // that the node itself may come to have
	keptThreads = 32  // that it has from the start, beside those for each slot
	mostKept    = 512
)

// workerThreads returns how many threads all workers may have together. It leaves the
// node what it takes itself of what its control group may have.
func workerThreads(m capability.Machine, slots int64) uint64 {
	n := slots * max(slotThreads, m.Cores+slotThreads/2)
	if m.Tasks > 0 {
		n = min(n, max(m.Tasks-ownThreads, slotThreads))
	}
	return uint64(n)
}

// keepThreads starts the threads that the node is going to need, so that it goes on
// where none can be had later: the Go runtime, which ends the process then, starts none
// while another has nothing to do, and ends none. For each slot there are those that
// wait for its workers to end.
func keepThreads(slots int64) {
	n := min(keptThreads+runtime.NumCPU()+3*int(slots), mostKept)
	var there, gone sync.WaitGroup
	there.Add(n)
	for range n {
		gone.Go(func() {
			runtime.LockOSThread() // so that the others take threads of their own
			defer runtime.UnlockOSThread()
			there.Done()
			there.Wait()
		})
	}
	gone.Wait()
}
