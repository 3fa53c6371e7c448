package queue

import (
	"slices"
	"time"
)

// learn takes the time for which a job held its slot into the average.
func (q *Queue) learn(held time.Duration) {
	if q.average == 0 {
		q.average = held
		return
	}
	q.average = max(q.average+(held-q.average)/8, 1)
}

// usual is how long a job holds its slot, by what is known: on average, and before a
// job has ended as long as those that hold one have done so far.
func (q *Queue) usual(now time.Time) time.Duration {
	if q.average > 0 {
		return q.average
	}
	var sum time.Duration
	for t := range q.holding {
		sum += now.Sub(t.granted)
	}
	return max(sum/time.Duration(max(len(q.holding), 1)), minRetry)
}

// ending is when what a job holds is expected back.
type ending struct {
	after time.Duration // from now
	claim claim
}

func byTime(e, f ending) int { return int(min(max(e.after-f.after, -1), 1)) }

// forecast plays forward when each of the tickets of line, which wait in this
// order, is expected to get its slot: so long from now.
func (q *Queue) forecast(line []*Ticket) []time.Duration {
	now := q.cfg.Now()
	usual := q.usual(now)
	expect := func(worst time.Duration) time.Duration { return min(max(worst, 0), usual) }
	endings := make([]ending, 0, len(q.holding)+len(line))
	for t := range q.holding {
		endings = append(endings, ending{expect(t.worst.Sub(now)), t.claim})
	}
	slices.SortFunc(endings, byTime)
	left := q.left
	var at time.Duration
	waits := make([]time.Duration, len(line))
	for i, t := range line {
		for !left.fits(t.claim) && len(endings) > 0 {
			at = endings[0].after
			left.give(endings[0].claim)
			endings = endings[1:]
		}
		waits[i] = max(at, minRetry)
		left.take(t.claim)
		end := ending{at + expect(t.reserve+t.timeout), t.claim}
		place, _ := slices.BinarySearchFunc(endings, end, byTime)
		endings = slices.Insert(endings, place, end)
	}
	return waits
}

// waits returns the forecast for the whole line. One that is younger than minRetry,
// of the same line, will do: all who wait ask after each change.
func (q *Queue) waits() []time.Duration {
	now := q.cfg.Now()
	if len(q.foreseen) != len(q.line) || now.Sub(q.foreseenAt) >= minRetry {
		q.foreseen, q.foreseenAt = q.forecast(q.line), now
	}
	return q.foreseen
}

// retryAfter is when t, which has just lost its place in the line or not got one,
// is to ask again: when one is expected that it may have, but soon in any case, as
// a job may end earlier than others did.
func (q *Queue) retryAfter(t *Ticket) time.Duration {
	return min(q.nextPlace(t), maxRetry)
}

// nextPlace is when a place in the line is expected that t may have.
func (q *Queue) nextPlace(t *Ticket) time.Duration {
	onlyUnlisted := !t.listed && q.classes[1].waiting >= half(q.cfg.Waiting)
	line := q.order()
	for i, wait := range q.forecast(line) {
		if !onlyUnlisted || !line[i].listed {
			return wait
		}
	}
	return q.forecast([]*Ticket{t})[0] // there are no places at all
}
