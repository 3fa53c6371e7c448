package queue

import (
	"sync"
	"time"
)

// Rate is a token bucket: it holds Burst offers, and one more each Every, until it is full.
type Rate struct {
	Every time.Duration // 1 ns to an hour
	Burst int           // 1 to 10,000
}

// or returns r within its ranges, or what is to be where r is zero.
func (r Rate) or(preset Rate) Rate {
	if r == (Rate{}) {
		r = preset
	}
	return Rate{min(max(r.Every, 1), time.Hour), min(max(r.Burst, 1), 10_000)}
}

// fill is how long an empty bucket takes to be full.
func (r Rate) fill() time.Duration { return r.Every * time.Duration(r.Burst) }

// limiter has a bucket for each name, in bounded memory.
//
// A bucket that is full is as good as one that was never there, so one that was
// left alone for as long as it takes to fill is dropped. Dropping any other would
// give it back what it has spent: who has ten million addresses would only need to
// use them in turn. So when the table is full, names that are not in it share the
// bucket of their network, and when the table of networks is full too, those of
// networks that are not in it share one bucket. Names in the table notice nothing.
//
// Its own arithmetic instead of a rate.Limiter for each name: a bucket is eight bytes in
// a map, and the time until the next token is exact, as it is told to the client.
type limiter struct {
	rate  Rate
	start time.Time // of counting time, by the monotonic clock: the other one may be set

	mu       sync.Mutex
	names    buckets
	networks buckets
	rest     bucket
}

func newLimiter(r Rate, names int, now time.Time) *limiter {
	return &limiter{rate: r, start: now, names: buckets{most: names}, networks: buckets{most: names}}
}

// take takes a token for name and returns 0, or takes none and returns the time until
// there is one.
func (l *limiter) take(name string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := bucket(now.Sub(l.start))
	if wait, ok := l.names.take(name, at, l.rate); ok {
		return wait
	}
	if wait, ok := l.networks.take(NetworkOf(name), at, l.rate); ok {
		return wait
	}
	var wait time.Duration
	l.rest, wait = l.rest.take(at, l.rate)
	return wait
}

// bucket is a token bucket as the time at which it is full, in nanoseconds since the
// limiter's start (the generic cell rate algorithm, ITU-T I.371, «virtual scheduling»).
type bucket int64

// take takes a token if there is one, else it returns the time until there is.
func (b bucket) take(now bucket, r Rate) (bucket, time.Duration) {
	full := max(b, now) + bucket(r.Every)
	if wait := full - now - bucket(r.fill()); wait > 0 {
		return b, time.Duration(wait)
	}
	return full, 0
}

// buckets is a table of at most `most` buckets, in two generations: what is used moves
// to the newer one, and each time that a bucket could have filled since the last,
// the older one is dropped whole. So nothing is ever searched.
type buckets struct {
	most     int
	newer    map[string]bucket
	older    map[string]bucket
	changeAt bucket // when the newer generation becomes the older one
}

// take is bucket.take for one of the table. ok is false when it has no room for name.
func (t *buckets) take(name string, now bucket, r Rate) (wait time.Duration, ok bool) {
	t.age(now, r)
	b, known := t.newer[name]
	if !known {
		b, known = t.older[name]
		if !known && len(t.newer)+len(t.older) >= t.most {
			return 0, false
		}
		delete(t.older, name)
	}
	b, wait = b.take(now, r)
	t.newer[name] = b
	return wait, true
}

// age changes generations when it is time.
func (t *buckets) age(now bucket, r Rate) {
	fill := bucket(r.fill())
	switch {
	case t.newer == nil, now >= t.changeAt+fill:
		t.newer, t.older = make(map[string]bucket), nil
	case now >= t.changeAt:
		t.newer, t.older = make(map[string]bucket), t.newer
	default:
		return
	}
	t.changeAt = now + fill
}
