package page

import (
	"sync"
	"time"
)

// Span is how far back a history goes.
const Span = time.Hour

// SampleEvery is the time between two samples of a history.
const SampleEvery = 15 * time.Second

// maxSamples is how many a history holds: an hour's, and one before.
const maxSamples = int(Span/SampleEvery) + 1

// Sample is what a node's jobs held at one moment.
type Sample struct {
	At       time.Time
	Slots    int   // held
	Waiting  int   // jobs
	MemoryMB int64 // held
	Ended    int64 // jobs, since the sample before
}

// History holds the samples of the last hour. Its zero value is empty; it is safe for
// concurrent use.
type History struct {
	mu      sync.Mutex
	samples []Sample // the oldest first
}

// Add adds the newest sample.
func (h *History) Add(s Sample) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.samples) == maxSamples {
		copy(h.samples, h.samples[1:])
		h.samples = h.samples[:maxSamples-1]
	}
	h.samples = append(h.samples, s)
}

// Samples returns those of the hour before now, the oldest first, and the one before
// them, which says how it began.
func (h *History) Samples(now time.Time) []Sample {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.samples {
		if now.Sub(h.samples[i].At) <= Span {
			return append([]Sample(nil), h.samples[max(i-1, 0):]...)
		}
	}
	return nil
}
