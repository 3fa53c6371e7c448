package sandbox

import (
	"sync"

	"golang.org/x/sys/unix"
)

// workers are all worker processes of this process: it is stopped as a whole, and
// they are to stop with it.
var workers herd

// herd is a set of worker processes.
type herd struct {
	mu     sync.Mutex
	alive  map[*process]struct{}
	paused bool
}

func (h *herd) add(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.alive == nil {
		h.alive = map[*process]struct{}{}
	}
	h.alive[p] = struct{}{}
	if h.paused {
		p.signal(unix.SIGSTOP)
	}
}

func (h *herd) remove(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.alive, p)
}

func (h *herd) pause(yes bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paused = yes
	sig := unix.SIGCONT
	if yes {
		sig = unix.SIGSTOP
	}
	for p := range h.alive {
		p.signal(sig)
	}
}

// Pause stops the workers of all supervisors of this process until Resume, because
// the process itself is about to be stopped. Their jobs' time goes on.
func Pause() { workers.pause(true) }

// Resume lets the workers go on.
func Resume() { workers.pause(false) }
