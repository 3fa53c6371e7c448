package batch

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

const (
	firstPause = 500 * time.Millisecond // that a place which has failed is left alone for
	mostPause  = time.Minute
	busyPause  = 250 * time.Millisecond // the least for a place without room
	returnTime = 10 * time.Second       // that a job waits for the place that knows it
	maxDials   = 2                      // times that an item tries a place which is not there
)

// Fleet holds the places where the jobs of a batch run. Its zero value has none; it is
// safe for concurrent use.
type Fleet struct {
	mu      sync.Mutex
	places  []*place
	settled bool          // the first search for places is over
	closed  error         // why a place was left last
	news    chan struct{} // closed when something has changed; nil: nobody waits
	notify  func()
	good    time.Time // when a place worked last, or the fleet was first used
}

// place is one of them.
type place struct {
	fleet    *Fleet
	name     string
	slots    int
	extra    int
	room     int  // how many of slots and extra it has proved to hold
	warm     bool // a job has started there since it last failed
	there    bool // it has not been left
	running  int
	failures int       // one after the other
	after    time.Time // before which it is left alone
	sum      PlaceSummary
}

// PlaceSummary is what a place has done.
type PlaceSummary struct {
	Name     string
	Jobs     int64         // brought to a result
	Busy     time.Duration // of all its jobs together, from the offer to the result
	Failures int64
	Last     error // the last of them, or nil
}

// Join adds a place that holds so many jobs, and extra ones that wait there for a slot.
// One that is there already gets those numbers.
func (f *Fleet) Join(name string, slots, extra int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.find(name)
	if p == nil {
		p = &place{fleet: f, name: name, sum: PlaceSummary{Name: name}}
		f.places = append(f.places, p)
	}
	grown := max(slots, 1) + extra - p.slots - p.extra
	p.slots, p.extra, p.there = max(slots, 1), extra, true
	p.room = max(min(p.room+max(grown, 0), p.slots+p.extra), 1) // all of it, until it turns out to be less
	f.change()
}

// Settled says that the first search for places is over: what no place of the fleet
// takes is not to wait for others.
func (f *Fleet) Settled() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settled = true
	f.change()
}

func (f *Fleet) find(name string) *place {
	if i := slices.IndexFunc(f.places, func(p *place) bool { return p.name == name }); i >= 0 {
		return f.places[i]
	}
	return nil
}

// watch has notify called after each change.
func (f *Fleet) watch(notify func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notify, f.good = notify, time.Now()
}

// change tells all that wait, under the lock.
func (f *Fleet) change() {
	if f.news != nil {
		close(f.news)
		f.news = nil
	}
	if f.notify != nil {
		f.notify()
	}
}

// capacity returns how many jobs all places hold, those included that have not started
// one yet: items are described meanwhile.
func (f *Fleet) capacity() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, p := range f.places {
		if p.there {
			n += min(p.room, p.slots+p.extra)
		}
	}
	return n
}

// limit is how many jobs the place gets at once. One that has not started any yet gets
// one, so that it is sent the module once, and so that nothing more is lost where it
// cannot be relied on.
func (p *place) limit() int {
	if !p.warm {
		return 1
	}
	return min(p.room, p.slots+p.extra)
}

// search is an item's search for a place.
type search struct {
	wanted  string // the place that knows the job, or ""
	until   time.Time
	avoided map[string]bool
	dials   map[string]int
	offered map[string]bool
}

// seek begins the search of an item.
func (f *Fleet) seek(wanted string) *search {
	return &search{
		wanted: wanted, until: time.Now().Add(returnTime), avoided: map[string]bool{},
		dials: map[string]int{}, offered: map[string]bool{},
	}
}

// first reports whether it is the first time that the item is offered to p.
func (s *search) first(p *place) bool {
	first := !s.offered[p.name]
	s.offered[p.name] = true
	return first
}

// avoid takes note of a place that has not brought the item to a result. Where jobs have
// been run, a place that is not there is waited for.
func (s *search) avoid(p *place, why Kind, worked bool) {
	if s.wanted == p.name {
		s.wanted = ""
	}
	switch why {
	case Unfit, Another, Closed:
		s.avoided[p.name] = true
	case Unreached:
		s.dials[p.name]++
		if !worked && s.dials[p.name] >= maxDials {
			s.avoided[p.name] = true
		}
	case Final, Hopeless, Outrun, Busy, Faulty:
	}
}

// take waits for a place with room for the item. It returns ErrNoPlace when there is none
// to wait for, ErrStarved when none has worked for so long (0: any time), and else the
// cause of ctx's end.
func (f *Fleet) take(ctx context.Context, s *search, patience time.Duration) (*place, error) {
	for {
		if ctx.Err() != nil { // also where there is room, which may have come with the end
			return nil, context.Cause(ctx)
		}
		f.mu.Lock()
		now := time.Now()
		p, next := f.best(s, now)
		if p != nil {
			p.running++
			f.mu.Unlock()
			return p, nil
		}
		if err := f.hopeless(s, now, patience); err != nil {
			f.mu.Unlock()
			return nil, err
		}
		if patience > 0 {
			next = earlier(next, f.good.Add(patience+time.Millisecond))
		}
		if f.news == nil {
			f.news = make(chan struct{})
		}
		news := f.news
		f.mu.Unlock()
		if err := wait(ctx, news, next); err != nil {
			return nil, err
		}
	}
}

// wait waits for news, or until next, if that is not zero.
func wait(ctx context.Context, news <-chan struct{}, next time.Time) error {
	var timer <-chan time.Time
	if !next.IsZero() {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-news:
		return nil
	case <-timer:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// best returns the place to use now, or nil, and when to look again, if time alone may
// change something.
func (f *Fleet) best(s *search, now time.Time) (best *place, next time.Time) {
	if s.wanted != "" && now.Before(s.until) {
		p := f.find(s.wanted)
		switch {
		case p == nil || !p.there:
			return nil, s.until
		case p.after.After(now):
			return nil, earlier(s.until, p.after)
		}
		return p, next // it has the job, and so room for it
	}
	for _, p := range f.places {
		switch {
		case !p.there || s.avoided[p.name] || p.running >= p.limit():
		case p.after.After(now):
			next = earlier(next, p.after)
		case best == nil || p.free() > best.free():
			best = p
		}
	}
	return best, next
}

// free is how many more jobs the place can run at once.
func (p *place) free() int { return min(p.limit(), p.slots) - p.running }

// refusal returns why there is no place for an item that was offered to none: what the
// last place said that was left, before the item came to it.
func (f *Fleet) refusal() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return cmp.Or(f.closed, ErrNoPlace)
}

// hopeless returns why there is no use in waiting any longer, or nil.
func (f *Fleet) hopeless(s *search, now time.Time, patience time.Duration) error {
	open := func(p *place) bool { return p.there && !s.avoided[p.name] }
	used := func(p *place) bool { return p.running > 0 }
	switch {
	case f.settled && !slices.ContainsFunc(f.places, open):
		return ErrNoPlace
	case patience > 0 && !slices.ContainsFunc(f.places, used) && now.Sub(f.good) > patience:
		return ErrStarved
	}
	return nil
}

// started takes note that a job runs at the place, which so holds one more than it was
// known to.
func (p *place) started() {
	f := p.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	p.room = min(p.room+1, p.slots+p.extra)
	if !p.warm {
		p.warm, p.room = true, p.slots+p.extra
	}
	p.failures = 0
	f.good = time.Now()
	f.change()
}

// release gives back the room for a job that has taken so long, and ended with a result,
// which nil stands for, or a failure.
func (p *place) release(why *Failure, took time.Duration) {
	f := p.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.change()
	now := time.Now()
	p.running--
	p.sum.Busy += took
	if why == nil || why.Kind == Another {
		p.sum.Jobs++
		f.good = now
		return
	}
	switch why.Kind {
	case Busy:
		p.room = max(p.running, 1)
		p.after = now.Add(max(why.After, busyPause))
		return
	case Closed:
		p.there, f.closed = false, why.Err
	case Faulty, Unreached:
		if !p.after.After(now) { // else it is the same trouble
			p.failures++
			p.after = now.Add(min(firstPause<<min(p.failures-1, 10), mostPause))
		}
		p.warm = false
	case Final, Hopeless, Unfit, Outrun, Another:
		return
	}
	p.sum.Failures++
	p.sum.Last = cmp.Or(why.Fault, why.Err)
}

// summary returns what each place that was used has done.
func (f *Fleet) summary() []PlaceSummary {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []PlaceSummary
	for _, p := range f.places {
		if p.sum.Jobs+p.sum.Failures > 0 {
			all = append(all, p.sum)
		}
	}
	return all
}
