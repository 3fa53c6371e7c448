package queue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/exchange/queue"
	"plasm/lib/job"
)

// waits are the expected waits of tickets.
func waits(tickets []*queue.Ticket) (all []time.Duration) {
	for _, ticket := range tickets {
		all = append(all, status(ticket).Wait)
	}
	return all
}

// TestWaitsWithoutHistory: until a job has ended, the worst case is what is expected.
func TestWaitsWithoutHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{Slots: 2, MemoryMB: 10, Waiting: 4, ReserveFor: 5 * time.Second})
		start(t, q, listed(1), queue.Job{MemoryMB: 8, Timeout: 60 * time.Second})
		reserved := offer(t, q, listed(2), queue.Job{MemoryMB: 1, Timeout: 20 * time.Second})
		pass(4 * time.Second)
		line := []*queue.Ticket{
			offer(t, q, listed(3), queue.Job{MemoryMB: 1, Timeout: 10 * time.Second}), // after the reserved one: 1 + 20 s
			offer(t, q, listed(4), queue.Job{MemoryMB: 8, Timeout: 10 * time.Second}), // slot after 21 + 15 s, memory after 56 s
			offer(t, q, listed(5), queue.Job{MemoryMB: 1, Timeout: 10 * time.Second}), // the same, behind it
			offer(t, q, listed(6), queue.Job{MemoryMB: 1, Timeout: 10 * time.Second}),
		}
		want := []time.Duration{21 * time.Second, 56 * time.Second, 56 * time.Second, 71 * time.Second}
		if diff := cmp.Diff(want, waits(line)); diff != "" {
			t.Errorf("waits (-want +got):\n%s", diff)
		}
		if r := refuse(t, q, listed(7), small); r.Code != job.RejectBusy || r.RetryAfterMS != 21_000 {
			t.Errorf("rejection %+v, want busy until the first in the line goes, 21 s", r)
		}
		reserved.Started() // has its 20 s from here
		if got := status(line[0]).Wait; got != 20*time.Second {
			t.Errorf("wait for a job that has just started: %v, want its timeout of 20 s", got)
		}
		pass(30 * time.Second) // the job should have ended: its caller is late
		if got := status(line[0]).Wait; got != 100*time.Millisecond {
			t.Errorf("wait for a job that is overdue: %v, want the least", got)
		}
	})
}

// TestWaitsWithHistory: the average of what jobs took counts, and not for longer than they may take.
func TestWaitsWithHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{Slots: 1, MemoryMB: 10, Waiting: 3})
		run := func(d time.Duration) {
			ticket := start(t, q, listed(1), queue.Job{MemoryMB: 1, Timeout: time.Hour})
			pass(d)
			ticket.Release()
		}
		run(8 * time.Second)
		run(16 * time.Second)                                                               // the average is 8 + 8/8
		offer(t, q, listed(1), queue.Job{MemoryMB: 1, Timeout: time.Millisecond}).Release() // did not start
		running := start(t, q, listed(1), queue.Job{MemoryMB: 1, Timeout: 30 * time.Second})
		line := []*queue.Ticket{
			offer(t, q, listed(2), queue.Job{MemoryMB: 1, Timeout: time.Second, ReserveFor: time.Second}),
			offer(t, q, listed(3), small),
			offer(t, q, listed(4), small),
		}
		want := []time.Duration{9 * time.Second, 11 * time.Second, 20 * time.Second}
		if diff := cmp.Diff(want, waits(line)); diff != "" {
			t.Errorf("waits (-want +got):\n%s", diff)
		}
		pass(25 * time.Second) // longer than the average: what remains of the timeout is less
		if r := refuse(t, q, listed(5), small); r.RetryAfterMS != 5_000 {
			t.Errorf("rejection %+v, want 5 s", r)
		}
		running.Release()
	})
}

// TestWaitBehindOneOverdue: that a job should have ended long ago makes nothing shorter.
func TestWaitBehindOneOverdue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{Slots: 1, MemoryMB: 10, Waiting: 2, ReserveFor: time.Second})
		start(t, q, listed(1), small)
		pass(time.Hour)
		line := []*queue.Ticket{offer(t, q, listed(2), small), offer(t, q, listed(3), small)}
		want := []time.Duration{100 * time.Millisecond, 61 * time.Second}
		if diff := cmp.Diff(want, waits(line)); diff != "" {
			t.Errorf("waits (-want +got):\n%s", diff)
		}
	})
}

// TestRetryOfUnlisted: a place that a listed job leaves is none that an unlisted one may have.
func TestRetryOfUnlisted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{Slots: 1, MemoryMB: 10, Waiting: 4, ReserveFor: time.Second})
		start(t, q, listed(1), small)
		offer(t, q, listed(2), queue.Job{MemoryMB: 1, Timeout: 29 * time.Second})
		offer(t, q, unlisted(1), small)
		offer(t, q, unlisted(2), small)
		if r := refuse(t, q, unlisted(3), small); r.RetryAfterMS != 90_000 {
			t.Errorf("rejection %+v, want 90 s: the job that runs, and the one of somebody listed", r)
		}
	})
}
