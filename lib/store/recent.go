package store

import (
	"slices"
	"sync"

	"plasm/lib/job"
)

// What is held in memory of modules: a job after the other of one module is the
// rule, and reading and digesting 5 MB takes as long as a small job.
const (
	maxRecentBytes = 16 << 20
	maxRecent      = 64
)

// recent holds the modules that were used last, verified when they came into memory,
// so that nothing that happens to their files since then concerns them. It knows
// nothing of requesters: who may have a module, the shelf says. It is safe for
// concurrent use.
type recent struct {
	mu    sync.Mutex
	items []loaded // the last used last
	bytes int64
}

type loaded struct {
	digest job.Digest
	module []byte
}

// get returns a module, or nil.
func (r *recent) get(digest job.Digest) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.index(digest)
	if i < 0 {
		return nil
	}
	h := r.items[i]
	r.items = append(slices.Delete(r.items, i, i+1), h)
	return h.module
}

// put adds a module, and lets go of others where there is no more room.
func (r *recent) put(digest job.Digest, module []byte) {
	size := int64(len(module))
	if size > maxRecentBytes {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.index(digest) >= 0 {
		return
	}
	for len(r.items) == maxRecent || r.bytes+size > maxRecentBytes {
		r.bytes -= int64(len(r.items[0].module))
		r.items = slices.Delete(r.items, 0, 1)
	}
	r.items = append(r.items, loaded{digest, module})
	r.bytes += size
}

func (r *recent) index(digest job.Digest) int {
	return slices.IndexFunc(r.items, func(h loaded) bool { return h.digest == digest })
}
