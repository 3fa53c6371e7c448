package queue

import (
	"cmp"
	"slices"
)

// class is the listed clients, or the unlisted.
type class struct {
	flows   map[string]*flow // those that hold or wait for something, by requester or source
	waiting int
}

// flow is the jobs of one requester, or of one source.
type flow struct {
	name    string
	waiting []*Ticket // in the order in which they came
	holds   amount
	turn    uint64 // when it was served, or joined the line; no two are equal
}

// classOf returns the class that a job is of.
func (q *Queue) classOf(c claim) *class { return &q.classes[c.class()] }

// nextTurn is a turn after all others.
func (q *Queue) nextTurn() uint64 {
	q.turns++
	return q.turns
}

// join puts a ticket at the end of its flow. The line may be too long afterwards:
// shed looks to it.
func (q *Queue) join(t *Ticket, c Client) {
	name := c.Source
	if c.Listed {
		name = c.Requester
	}
	in := q.classOf(t.claim)
	f := in.flows[name]
	if f == nil {
		f = &flow{name: name}
		in.flows[name] = f
	}
	if len(f.waiting) == 0 {
		f.turn = q.nextTurn()
	}
	t.flow = f
	f.waiting = append(f.waiting, t)
	in.waiting++
}

// leave takes a ticket out of its flow's line.
func (q *Queue) leave(t *Ticket) {
	f := t.flow
	if i := slices.Index(f.waiting, t); i >= 0 {
		f.waiting = slices.Delete(f.waiting, i, i+1)
		q.classOf(t.claim).waiting--
	}
	q.forget(t)
}

// forget drops the flow of t when there is nothing left to know of it.
func (q *Queue) forget(t *Ticket) {
	if f := t.flow; len(f.waiting) == 0 && f.holds.slots == 0 {
		delete(q.classOf(t.claim).flows, f.name)
	}
}

// share is the larger of the shares of slots and of memory, times both of what
// the node has: below 2^50.
func (q *Queue) share(holds amount) int64 {
	return max(int64(holds.slots)*q.cfg.MemoryMB, holds.memory*int64(q.cfg.Slots))
}

// order returns all tickets that wait, in the order in which they would get slots
// if there were memory enough for each.
func (q *Queue) order() []*Ticket {
	line := make([]*Ticket, 0, q.classes[0].waiting+q.classes[1].waiting)
	for i := range q.classes {
		if q.classes[i].waiting > 0 {
			line = q.appendOrder(line, &q.classes[i])
		}
	}
	return line
}

// cursor is a flow as it will be when some of its tickets have been served.
type cursor struct {
	rest  []*Ticket
	holds amount
	share int64
	turn  uint64
}

// serve appends the next ticket of a flow to line.
func (q *Queue) serve(line []*Ticket, c *cursor, turn uint64) []*Ticket {
	t := c.rest[0]
	c.rest = c.rest[1:]
	c.holds.add(1, t.memory)
	c.share, c.turn = q.share(c.holds), turn
	return append(line, t)
}

// appendOrder appends the tickets of one class to line.
func (q *Queue) appendOrder(line []*Ticket, in *class) []*Ticket {
	cursors := make([]*cursor, 0, len(in.flows))
	for _, f := range in.flows {
		if len(f.waiting) > 0 {
			cursors = append(cursors, &cursor{f.waiting, f.holds, q.share(f.holds), f.turn})
		}
	}
	turn := q.turns
	slices.SortFunc(cursors, byArrival)
	for _, c := range cursors {
		if c.rest[0].due() {
			turn++
			line = q.serve(line, c, turn)
		}
	}
	slices.SortFunc(cursors, byTurn)
	for len(cursors) > 0 {
		c, others := cursors[0], cursors[1:]
		if len(c.rest) == 0 {
			cursors = others
			continue
		}
		turn++
		line = q.serve(line, c, turn)
		place, _ := slices.BinarySearchFunc(others, c, byTurn)
		copy(cursors, others[:place]) // who comes before c now moves up
		cursors[place] = c
	}
	return line
}

func byArrival(a, b *cursor) int { return cmp.Compare(a.rest[0].arrival, b.rest[0].arrival) }

// byTurn orders flows by who is served next.
func byTurn(a, b *cursor) int {
	return cmp.Or(cmp.Compare(a.share, b.share), cmp.Compare(a.turn, b.turn))
}

// due reports whether t has been passed often enough.
func (t *Ticket) due() bool { return t.passed >= passLimit }

// shed ends a ticket if the line is longer than it may be, which is by one ticket
// at the most, and reports whether it did.
func (q *Queue) shed() bool {
	listed, unlisted := &q.classes[0], &q.classes[1]
	over := listed.waiting+unlisted.waiting > q.cfg.Waiting
	var t *Ticket
	switch {
	case unlisted.waiting > half(q.cfg.Waiting), over && unlisted.waiting > 0:
		t = unlisted.last()
	case over:
		t = listed.last()
	default:
		return false
	}
	q.leave(t)
	t.end(busy(q.retryAfter(t)))
	return true
}

// last returns the newest ticket that waits of the flow with the most jobs, and
// of several such flows the newest of all.
func (c *class) last() *Ticket {
	var last *Ticket
	most := 0
	for _, f := range c.flows {
		n := len(f.waiting)
		if n == 0 {
			continue
		}
		t, jobs := f.waiting[n-1], n+f.holds.slots
		if last == nil || jobs > most || jobs == most && t.arrival > last.arrival {
			last, most = t, jobs
		}
	}
	return last
}
