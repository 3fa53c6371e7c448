package batch

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// HedgeAuto is three times the median of the last answers, once there are ten.
const HedgeAuto = time.Duration(-1)

const (
	hedgeAfter   = 10  // answers that HedgeAuto needs
	hedgeTimes   = 3   // of their median
	hedgeAnswers = 255 // that the median is of
)

// pace says when an attempt is slow. It is safe for concurrent use.
type pace struct {
	fixed time.Duration // or HedgeAuto

	mu     sync.Mutex
	took   []time.Duration // of the last answers, in a ring
	at     int
	enough chan struct{} // closed when there are hedgeAfter
}

// newPace returns nil where nothing is hedged.
func newPace(hedge time.Duration) *pace {
	if hedge == 0 {
		return nil
	}
	return &pace{fixed: hedge, enough: make(chan struct{})}
}

// add takes note of an answer.
func (p *pace) add(took time.Duration) {
	if p == nil || p.fixed != HedgeAuto {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.took) < hedgeAnswers {
		p.took = append(p.took, took)
		if len(p.took) == hedgeAfter {
			close(p.enough)
		}
		return
	}
	p.took[p.at] = took
	p.at = (p.at + 1) % hedgeAnswers
}

// limit is how long an attempt may take until it is slow.
func (p *pace) limit() time.Duration {
	if p.fixed != HedgeAuto {
		return p.fixed
	}
	p.mu.Lock()
	sorted := slices.Sorted(slices.Values(p.took))
	p.mu.Unlock()
	return hedgeTimes * sorted[len(sorted)/2]
}

// slow waits until an attempt that has begun then is slow, and reports whether it came to
// that before ctx ended.
func (p *pace) slow(ctx context.Context, began time.Time) bool {
	if p.fixed == HedgeAuto {
		select {
		case <-p.enough:
		case <-ctx.Done():
			return false
		}
	}
	for {
		left := time.Until(began.Add(p.limit()))
		if left <= 0 {
			return true
		}
		if wait(ctx, nil, time.Now().Add(left)) != nil {
			return false
		}
	}
}

// besides returns a search for another place than p, on behalf of the same item.
func (s *search) besides(p *place) *search {
	other := &search{until: s.until, avoided: maps.Clone(s.avoided), dials: maps.Clone(s.dials), offered: s.offered}
	other.avoided[p.name] = true
	return other
}

// tried is what an attempt has come to; both are nil where the batch is over.
type tried struct {
	p       *place
	result  *Result
	failure *Failure
}

// race runs the job at first, and where that has no answer in time at another place as
// well. The first result counts: what runs elsewhere then is ended, which nobody waits for.
func (t *trial) race(ctx context.Context, first *place) tried {
	racing, end := context.WithCancelCause(ctx)
	defer end(t.b.cfg.Outrun)
	var claimed atomic.Bool
	ended, more := make(chan tried, 2), make(chan *place)
	start := func(p *place) bool {
		if !t.logged(p) { // here, and so before anything is logged of the item's end
			return false
		}
		a := Attempt{ID: t.record.Job, Place: p.name, First: func() bool { return claimed.CompareAndSwap(false, true) }}
		t.racing.Go(func() { ended <- t.b.attempt(racing, t.j, p, a) })
		return true
	}
	began, search := time.Now(), t.search.besides(first)
	if !start(first) {
		return tried{p: first}
	}
	t.racing.Go(func() { t.another(racing, began, search, more) })
	for running := 1; ; {
		select {
		case p := <-more:
			if !start(p) {
				return tried{p: p}
			}
			running++
		case one := <-ended:
			running--
			if one.failure == nil || running == 0 || one.failure.final() {
				return one
			}
			t.failed(one) // the other may do better
		}
	}
}

// another finds a second place for an item whose attempt has begun then, once that is slow.
func (t *trial) another(ctx context.Context, began time.Time, s *search, to chan<- *place) {
	if !t.b.pace.slow(ctx, began) {
		return
	}
	p, err := t.b.cfg.Fleet.take(ctx, s, 0)
	if err != nil {
		return // the first is all that there is
	}
	select {
	case to <- p:
	case <-ctx.Done():
		p.release(&Failure{Kind: Outrun}, 0)
	}
}
