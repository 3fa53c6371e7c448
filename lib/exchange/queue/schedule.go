package queue

import (
	"maps"
	"slices"
	"time"
)

// dispatch grants what can be granted, keeps the line to its length, and tells
// those who are next in it where they are. It is called after every change.
func (q *Queue) dispatch() {
	line := q.grantAll()
	if q.shed() { // perhaps what kept others waiting
		line = q.grantAll()
	}
	q.line, q.foreseen = line, nil
	for i, t := range line {
		if t.position != i+1 {
			was := t.isNext()
			t.position = i + 1
			if was || t.isNext() {
				t.tell()
			}
		}
	}
}

// grantAll grants what can be granted, and returns the line of the others.
func (q *Queue) grantAll() []*Ticket {
	line := q.order()
	for len(line) > 0 && q.left.all.slots > 0 {
		t := q.next(line)
		if t == nil {
			break
		}
		q.grant(t)
		line = q.order()
	}
	return line
}

// next returns the first ticket of the line that may have a slot now, or nil.
func (q *Queue) next(line []*Ticket) *Ticket {
	var holds []hold
	for _, t := range line {
		fits := q.left.fits(t.claim)
		if fits && !slices.ContainsFunc(holds, func(h hold) bool { return !h.permits(t) }) {
			return t
		}
		if !fits && t.due() {
			holds = append(holds, q.holdFor(t))
		}
	}
	return nil
}

// grant gives a waiting ticket its slot.
func (q *Queue) grant(t *Ticket) {
	q.countPassed(t)
	q.left.take(t.claim)
	q.holding[t] = struct{}{}
	t.flow.holds.add(1, t.memory)
	t.flow.turn = q.nextTurn()
	q.leave(t)

	t.state, t.position = Granted, 0
	t.granted = q.cfg.Now()
	t.worst = t.granted.Add(t.reserve).Add(t.timeout)
	t.expiry = time.AfterFunc(t.reserve, t.expire)
	t.tell()
}

// countPassed counts who has been waiting for longer than t, is the first of its
// flow, and is passed by t for want of memory.
func (q *Queue) countPassed(t *Ticket) {
	for i := range q.classes {
		for _, f := range q.classes[i].flows {
			if len(f.waiting) == 0 {
				continue
			}
			first := f.waiting[0]
			if first.arrival < t.arrival && (first.listed || !t.listed) && !q.left.fitsMemory(first.claim) {
				first.passed++
			}
		}
	}
}

// free takes back what a ticket holds, and learns from how long it did.
func (q *Queue) free(t *Ticket) {
	t.expiry.Stop()
	delete(q.holding, t)
	q.left.give(t.claim)
	t.flow.holds.add(-1, -t.memory)
	q.forget(t)
	if t.state == Started {
		q.learn(max(q.cfg.Now().Sub(t.granted), 1))
	}
}

// hold keeps others from putting off the start of a ticket that was passed often
// enough.
type hold struct {
	now   time.Time
	start time.Time // when it starts at the latest
	left  room      // what is left then, with it started
}

// holdFor returns the hold of a ticket that doesn't fit now.
func (q *Queue) holdFor(t *Ticket) hold {
	h := hold{now: q.cfg.Now(), left: q.left}
	byEnd := func(a, b *Ticket) int { return a.worst.Compare(b.worst) }
	for _, runs := range slices.SortedFunc(maps.Keys(q.holding), byEnd) {
		h.left.give(runs.claim)
		if h.left.fits(t.claim) {
			h.start = runs.worst
			break
		}
	}
	h.left.take(t.claim)
	return h
}

// permits reports whether t, that fits now, leaves the start of the hold's ticket
// as it is: it has ended by then, or takes what is left over.
func (h *hold) permits(t *Ticket) bool {
	return !h.now.Add(t.reserve).Add(t.timeout).After(h.start) || h.left.fits(t.claim)
}
