package queue_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"plasm/lib/exchange/queue"
	"plasm/lib/job"
)

// crowd is clients that come all at once, and what they hold together.
type crowd struct {
	q      *queue.Queue
	slots  atomic.Int64
	memory atomic.Int64
	over   atomic.Bool
	ran    atomic.Int64
}

// run brings one job through the queue, however often it takes, and reports whether it ran.
func (c *crowd) run(who queue.Client, j queue.Job, random *rand.Rand) bool {
	for {
		ticket, refused := c.q.Offer(who, j)
		if refused == nil {
			refused = c.follow(ticket, j, random)
		}
		switch {
		case refused == nil:
			return true
		case refused.Code == job.RejectShuttingDown:
			return false
		case refused.RetryAfterMS > 0:
			<-time.After(time.Duration(refused.RetryAfterMS) * time.Millisecond)
		}
	}
}

// follow waits for a ticket and runs its job, unless it is sent away before.
func (c *crowd) follow(ticket *queue.Ticket, j queue.Job, random *rand.Rand) *job.Rejection {
	defer ticket.Release()
	patience := time.After(time.Duration(random.IntN(40)) * time.Second)
	for {
		now, changed := ticket.Status()
		switch now.State {
		case queue.Granted:
			<-time.After(time.Duration(random.IntN(1100)) * time.Millisecond) // the upload, sometimes for too long
			if ticket.Started() {
				c.work(j, random)
				return nil
			}
			continue // Status says why
		case queue.Ended:
			return now.Rejection
		case queue.Waiting, queue.Started:
		}
		select {
		case <-changed:
		case <-patience: // gives up, and comes again
			return &job.Rejection{Code: job.RejectBusy, RetryAfterMS: 1}
		}
	}
}

func (c *crowd) work(j queue.Job, random *rand.Rand) {
	most := c.q.Stats()
	if c.slots.Add(1) > int64(most.Slots) || c.memory.Add(j.MemoryMB) > most.MemoryMB {
		c.over.Store(true)
	}
	<-time.After(time.Duration(random.IntN(3000)) * time.Millisecond)
	c.slots.Add(-1)
	c.memory.Add(-j.MemoryMB)
	c.ran.Add(1)
}

// TestCrowd: in a bubble a wake-up that is lost is a deadlock, which the test reports.
func TestCrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{q: queue.New(queue.Config{Slots: 4, MemoryMB: 16, Waiting: 10, ReserveFor: time.Second})}
		const clients, jobs = 40, 10
		var all sync.WaitGroup
		for i := range clients {
			all.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), 2))
				who := listed(i)
				if i%3 == 0 {
					who = unlisted(i)
				}
				for range jobs {
					c.run(who, queue.Job{MemoryMB: 1 + random.Int64N(8), Timeout: 3 * time.Second}, random)
				}
			})
		}
		all.Wait()
		if ran := c.ran.Load(); ran != clients*jobs || c.over.Load() {
			t.Errorf("%d jobs ran of %d; over the limits: %v", ran, clients*jobs, c.over.Load())
		}
		<-c.q.Drain()
		if flows, _, held := queue.Known(c.q); flows != 0 || held != 0 {
			t.Errorf("%d flows and %d held tickets are kept", flows, held)
		}
	})
}

// TestDrainOfACrowd: everybody is sent away or ends.
func TestDrainOfACrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{q: queue.New(queue.Config{Slots: 4, MemoryMB: 16, Waiting: 10, ReserveFor: time.Second})}
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), 3))
				for c.run(listed(i), megabytes(1+random.Int64N(8)), random) {
				}
			})
		}
		pass(20 * time.Second)
		<-c.q.Drain()
		all.Wait()
		if s := c.q.Stats(); s.FreeSlots != s.Slots || s.Waiting != 0 || s.UsedMemoryMB != 0 {
			t.Errorf("figures after the end: %+v", s)
		}
	})
}
