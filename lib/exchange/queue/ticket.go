package queue

import (
	"fmt"
	"time"

	"plasm/lib/job"
)

// State is where a ticket is in its life.
type State int

// The states, in the order in which a ticket goes through them. It may go from
// each to Ended.
const (
	Waiting State = iota // in the line
	Granted              // holds slot and memory, for a while
	Started              // holds them until Release
	Ended                // holds nothing
)

func (s State) String() string {
	switch s {
	case Waiting:
		return "waiting"
	case Granted:
		return "granted"
	case Started:
		return "started"
	case Ended:
		return "ended"
	default:
		return fmt.Sprintf("state %d", int(s))
	}
}

// Status is what is known of a ticket at one moment.
type Status struct {
	State State
	// in the line, 1 is next; 0 unless Waiting. Others may come before: listed ones, smaller ones
	Position  int
	Next      bool           // Waiting, among the first in the line: as many as there are slots
	Wait      time.Duration  // until the job is expected to get a slot; 0 unless Waiting
	Rejection *job.Rejection // why the queue took the ticket back: busy, expired, shutting_down; nil when it did not
}

// Ticket is one job's place in a queue. It is safe for concurrent use.
type Ticket struct {
	q *Queue
	claim

	timeout time.Duration
	reserve time.Duration
	flow    *flow  // once it has joined the line
	arrival uint64 // counts offers

	// Guarded by q.mu.
	state     State
	position  int // as in Status
	passed    int // how often others went first while there was not enough memory
	granted   time.Time
	worst     time.Time // when it gives back what it holds, at the latest
	expiry    *time.Timer
	rejection *job.Rejection
	changed   chan struct{} // nil: nobody listens
}

func (q *Queue) newTicket(c Client, j Job) *Ticket {
	q.arrivals++
	t := &Ticket{
		q:       q,
		claim:   claim{c.Listed, max(j.MemoryMB, 0)},
		timeout: min(max(j.Timeout, 0), maxTime),
		reserve: min(j.ReserveFor, maxTime),
		arrival: q.arrivals,
	}
	if t.reserve <= 0 {
		t.reserve = q.cfg.ReserveFor
	}
	return t
}

// Status returns how the ticket stands, and a channel that is closed at the next
// change of state, or of position when it is Next before or after, of which none is
// missed: what has changed since this Status closes this channel. Others of a line that
// moves are not woken each time, and see where they are when they ask. After Ended
// there is no change.
func (t *Ticket) Status() (Status, <-chan struct{}) {
	t.q.mu.Lock()
	defer t.q.mu.Unlock()
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	s := Status{State: t.state, Position: t.position, Rejection: t.rejection}
	if t.state == Waiting {
		s.Next = t.isNext()
		s.Wait = t.q.waits()[t.position-1]
	}
	return s, t.changed
}

// isNext reports whether so few are before a ticket in the line that as many may get
// their slots at any moment. t.q.mu is held.
func (t *Ticket) isNext() bool {
	return t.state == Waiting && 0 < t.position && t.position <= t.q.cfg.Slots
}

// Started says that the job starts now, and reports whether it may: from here the
// ticket is the job's until Release. False means that the reservation has been
// withdrawn (Status says why), or was never granted.
func (t *Ticket) Started() bool {
	t.q.mu.Lock()
	defer t.q.mu.Unlock()
	if t.state == Granted {
		t.expiry.Stop()
		t.worst = t.q.cfg.Now().Add(t.timeout)
		t.state = Started
		t.q.foreseen = nil
		t.tell()
	}
	return t.state == Started
}

// Release gives back what the ticket holds, or its place in the line: at the end
// of a job, or at any time before. Releasing twice is releasing once.
func (t *Ticket) Release() {
	t.q.mu.Lock()
	defer t.q.mu.Unlock()
	t.q.release(t, nil)
}

// expire withdraws a reservation that was not used in time.
func (t *Ticket) expire() {
	t.q.mu.Lock()
	defer t.q.mu.Unlock()
	if t.state == Granted { // else Started or Release came first
		t.q.release(t, expired(t.reserve))
	}
}

// release ends a ticket in any state.
func (q *Queue) release(t *Ticket, why *job.Rejection) {
	switch t.state {
	case Waiting:
		q.leave(t)
	case Granted, Started:
		q.free(t)
	case Ended:
		return
	}
	t.end(why)
	q.dispatch()
	q.checkIdle()
}

// end makes this the last change of a ticket that holds nothing any more.
func (t *Ticket) end(why *job.Rejection) {
	t.state, t.position, t.rejection = Ended, 0, why
	t.tell()
}

// tell closes the channel of those who listen.
func (t *Ticket) tell() {
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}
