package limit

import "golang.org/x/sys/unix"

// Signals is the number of signals that may wait for all of a user's processes. With
// none the Go runtime waits for ever when it has all threads do something.
var Signals = Resource{"signals that wait", "-i", unix.RLIMIT_SIGPENDING, 1, ""}

// fewThreads is below which limit it is counted how many threads the user has.
const fewThreads = 2048

// lacksSystem finds a limit of what the user's processes have together that is too low.
func (n *Need) lacksSystem() lack {
	if l := lower(&Signals, n.Signals); l.of != nil {
		return l
	}
	now, _ := Processes.Get()
	uid := effectiveUser()
	if now >= fewThreads || n.Threads == 0 || uid == 0 { // the kernel does not hold root to it
		return lack{}
	}
	taken, err := Threads(uid, nil)
	if err != nil { // without /proc there is no count, and nothing to say
		return lack{}
	}
	return fewer(&Processes, now, now-min(taken, now), n.Threads)
}
