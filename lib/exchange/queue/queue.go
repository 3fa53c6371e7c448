// Package queue holds what a node's jobs share: its slots, its memory and a
// short waiting line, and decides who gets them next. It knows nothing of the
// network, and starts no job.
//
// An offer is first charged to its client (Charge: the rate limit, whatever
// becomes of the offer), and then, when it is for a job to run, queued (Offer).
// That gives a Ticket, which holds a slot and the memory at once, or waits for
// them, or a rejection. At no time do tickets hold more than Config.Slots and
// Config.MemoryMB.
//
// # Who is next
//
//   - Listed clients come before unlisted ones. Unlisted clients together hold at
//     most half of the slots, of the memory and of the places in the line, each
//     rounded up.
//   - Jobs are of one flow when they have one requester, or, unlisted, one source:
//     a new peer ID at the same address is the same flow. Among flows of a class
//     the next is the one that holds the smallest share of the node, where a share
//     is the larger of that of slots and that of memory (Ghodsi et al., «Dominant
//     Resource Fairness», NSDI 2011, section 4). Of equal shares it is the one
//     that was served, or joined the line, the longest ago: round robin. Within
//     a flow it is the job that came first.
//   - A job that has to wait for memory is passed by later ones that fit. After it
//     has been passed passLimit times, while first of its flow, it becomes the first
//     of its class, and is passed only by jobs that cannot put off its start: as
//     all running jobs end in time, it starts when enough of them have. This is
//     EASY backfilling (Lifka, «The ANL/IBM SP scheduling system», 1995).
//   - Places in the line are shared in the same way. When it is full, a newcomer
//     takes the place of an unlisted job if it is listed; else the place of the
//     newest job of the flow that has most jobs here, waiting or not, if these
//     are more than the newcomer's flow has with it.
//
// A slot that is free while somebody waits is free for a reason: no waiting job
// fits, or those that fit are kept from putting off one that was passed often.
//
// # Estimates
//
// A wait, and the retry_after_ms of job.RejectBusy, come from playing forward what
// is known, in the order of the line: a job that runs is expected to hold its slot
// for another moving average of what jobs really held theirs (weight of the latest
// 1/8, from grant to release, jobs that started only), however long it has run
// already, but not beyond its own worst case, which is what remains of its
// timeout and, before it has started, of its reservation. Until the first job
// has ended, those that hold a slot are expected to do so for as long again as they
// have so far. When an offer is refused the time is that at which the first place in
// the line is expected to become free, but no more than maxRetry: it comes from what
// runs, and slots must not stand idle while a requester sleeps. Nothing below minRetry
// is told, as asking more often helps nobody.
package queue

import (
	"sync"
	"time"

	"plasm/lib/job"
)

const (
	defaultReserve = 30 * time.Second
	minRetry       = 100 * time.Millisecond
	maxRetry       = 2 * time.Second
	passLimit      = 16

	maxListed  = 1 << 15             // requesters told apart by rate: more than an allow file has room for
	maxWaiting = 256                 // Config.Waiting
	maxTime    = 30 * 24 * time.Hour // each time of a Job, so that no sum of those in the line overflows
)

// Config says what there is to share. It is copied by New.
type Config struct {
	Slots      int           // jobs at a time, to job.MaxSlots; below 1 counts as 1
	MemoryMB   int64         // of all jobs together, 2^20 bytes each, to job.MaxNodeMemoryMB
	Waiting    int           // places in the line, to 256; 0: nobody waits. Each change costs work in proportion
	ReserveFor time.Duration // how long a granted job may take to start; 0: 30 s. A Job may say otherwise

	ListedRate   Rate // of offers, for each listed requester; zero: one each 5 ms, 1000 at once
	UnlistedRate Rate // of offers, for each source of unlisted ones; zero: one each 500 ms, 20 at once
	Sources      int  // how many sources have a rate of their own, before new ones share their network's; 0: 4096

	Now func() time.Time // for rates and estimates; nil: time.Now. Reservations expire by the real clock
}

// Client is who offers a job. The strings are kept while they matter, and are
// the caller's to bound in length.
type Client struct {
	Listed    bool
	Requester string // peer ID, proved by its signature; what a listed client is charged by
	Source    string // from SourceOf; what an unlisted client is charged by
}

// Job is what a job needs.
type Job struct {
	MemoryMB int64 // all that it may use, 2^20 bytes each
	// the longest that it holds its slot once it has started; more than 30 days counts as 30 days
	Timeout    time.Duration
	ReserveFor time.Duration // the longest until it starts (upload and compilation); 0: the configuration's
}

// Queue is safe for concurrent use. Its only goroutines are those of timers that
// expire reservations: they never block, and none is left when all tickets were
// released or have started.
type Queue struct {
	cfg      Config
	listed   *limiter
	unlisted *limiter

	mu       sync.Mutex
	left     room // what nobody holds
	classes  [2]class
	holding  map[*Ticket]struct{} // granted or started
	line     []*Ticket            // who waits, in order, as last told to the tickets
	arrivals uint64
	turns    uint64
	average  time.Duration // how long jobs held their slots; 0: none has ended yet

	foreseen   []time.Duration // the forecast for line; nil: there is none of this line
	foreseenAt time.Time
	idle       chan struct{} // not nil: draining; closed when nothing is held
}

// New returns an empty queue.
func New(cfg Config) *Queue {
	cfg.Slots = min(max(cfg.Slots, 1), job.MaxSlots)
	cfg.MemoryMB = min(max(cfg.MemoryMB, 0), job.MaxNodeMemoryMB)
	cfg.Waiting = min(max(cfg.Waiting, 0), maxWaiting)
	if cfg.ReserveFor <= 0 {
		cfg.ReserveFor = defaultReserve
	}
	cfg.ReserveFor = min(cfg.ReserveFor, maxTime)
	if cfg.Sources <= 0 {
		cfg.Sources = 4096
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	now := cfg.Now()
	q := &Queue{
		cfg:      cfg,
		listed:   newLimiter(cfg.ListedRate.or(Rate{5 * time.Millisecond, 1000}), maxListed, now),
		unlisted: newLimiter(cfg.UnlistedRate.or(Rate{500 * time.Millisecond, 20}), cfg.Sources, now),
		left: room{
			all:      amount{cfg.Slots, cfg.MemoryMB},
			unlisted: amount{half(cfg.Slots), half(cfg.MemoryMB)},
		},
		holding: make(map[*Ticket]struct{}),
	}
	for i := range q.classes {
		q.classes[i].flows = make(map[string]*flow)
	}
	return q
}

// half is what unlisted clients may hold of n.
func half[N int | int64](n N) N { return n - n/2 }

// Charge takes one offer from the client's allowance. It returns nil, or
// job.RejectRateLimited with the time until the next offer may be made, or
// job.RejectShuttingDown. An offer that is refused is not charged. An unlisted client
// is bounded only while others hold a slot or wait for one: where nobody else wants
// the node, nobody is kept from it by its offers.
//
// It is for each offer, before anything is done about it; also for those that are
// malformed, attach to a job or are answered from the store. What it takes from a
// listed requester must be proved to be the requester's: others may be charged for
// what they did not offer.
func (q *Queue) Charge(c Client) *job.Rejection {
	if q.draining() {
		return shuttingDown()
	}
	limits, who := q.unlisted, c.Source
	if c.Listed {
		limits, who = q.listed, c.Requester
	}
	if wait := limits.take(who, q.cfg.Now()); wait > 0 && (c.Listed || q.wanted(c)) {
		return rateLimited(c, wait)
	}
	return nil
}

// wanted reports whether others than an unlisted client's source hold a slot or wait
// for one.
func (q *Queue) wanted(c Client) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	others := len(q.classes[0].flows) + len(q.classes[1].flows)
	if q.classes[1].flows[c.Source] != nil {
		others--
	}
	return others > 0
}

// Offer asks for a slot. The ticket holds one already or waits for it, and must
// be given back by Release, whatever becomes of it. Else the rejection is
// job.RejectMemory (the job never fits), job.RejectBusy (no place in the line, with
// the time after which to try again) or job.RejectShuttingDown.
func (q *Queue) Offer(c Client, j Job) (*Ticket, *job.Rejection) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.idle != nil {
		return nil, shuttingDown()
	}
	t := q.newTicket(c, j)
	if most := q.mostMemory(c); t.memory > most {
		return nil, neverFits(c, t.memory, most)
	}
	q.join(t, c)
	q.dispatch()
	if t.state == Ended {
		return nil, t.rejection
	}
	return t, nil
}

// mostMemory is what one job of a client can have when nothing else runs.
func (q *Queue) mostMemory(c Client) int64 {
	if c.Listed {
		return q.cfg.MemoryMB
	}
	return half(q.cfg.MemoryMB)
}

// Drain refuses everything from now on, tickets that wait included, with
// job.RejectShuttingDown. Those that hold a slot keep it. The channel is closed
// when none is held any more. Calling it again returns the same channel.
func (q *Queue) Drain() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.idle == nil {
		q.idle = make(chan struct{})
		for _, t := range q.line {
			q.leave(t)
			t.end(shuttingDown())
		}
		q.line = nil
		q.checkIdle()
	}
	return q.idle
}

func (q *Queue) draining() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.idle != nil
}

// checkIdle closes idle when the last slot is given back.
func (q *Queue) checkIdle() {
	if q.idle == nil || len(q.holding) > 0 {
		return
	}
	select {
	case <-q.idle:
	default:
		close(q.idle)
	}
}

// Stats are figures of one moment.
type Stats struct {
	Slots        int   // all
	FreeSlots    int   // held by nobody; Slots − FreeSlots = Reserved + Running
	MemoryMB     int64 // all
	UsedMemoryMB int64 // held, used or not
	Reserved     int   // jobs that hold a slot and have not started
	Running      int   // jobs that have started
	Waiting      int   // jobs in the line
	Draining     bool
}

// Stats returns the figures of now.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := Stats{
		Slots: q.cfg.Slots, FreeSlots: q.left.all.slots,
		MemoryMB: q.cfg.MemoryMB, UsedMemoryMB: q.cfg.MemoryMB - q.left.all.memory,
		Waiting: len(q.line), Draining: q.idle != nil,
	}
	for t := range q.holding {
		if t.state == Started {
			s.Running++
		}
	}
	s.Reserved = len(q.holding) - s.Running
	return s
}
