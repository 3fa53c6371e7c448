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

// expect is how long a job holds its slot that does so for worst at the most.
func (q *Queue) expect(worst time.Duration) time.Duration {
	worst = max(worst, 0)
	if q.average > 0 {
		return min(worst, q.average)
	}
	return worst
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
	endings := make([]ending, 0, len(q.holding)+len(line))
	for t := range q.holding {
		endings = append(endings, ending{q.expect(t.worst.Sub(now)), t.claim})
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
		end := ending{at + q.expect(t.reserve+t.timeout), t.claim}
		place, _ := slices.BinarySearchFunc(endings, end, byTime)
		endings = slices.Insert(endings, place, end)
	}
	return waits
}

// retryAfter is when a place in the line is expected that t, which has just lost
// its own or not got one, may have.
func (q *Queue) retryAfter(t *Ticket) time.Duration {
	onlyUnlisted := !t.listed && q.classes[1].waiting >= half(q.cfg.Waiting)
	line := q.order()
	for i, wait := range q.forecast(line) {
		if !onlyUnlisted || !line[i].listed {
			return wait
		}
	}
	return q.forecast([]*Ticket{t})[0] // there are no places at all
}
