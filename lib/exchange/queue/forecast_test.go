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

// TestWaitsWithoutHistory: until a job has ended, those that hold a slot are expected
// to do so for as long again, and not beyond their worst case.
func TestWaitsWithoutHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{Slots: 2, MemoryMB: 10, Waiting: 4, ReserveFor: 5 * time.Second})
		start(t, q, listed(1), queue.Job{MemoryMB: 8, Timeout: 60 * time.Second})
		reserved := offer(t, q, listed(2), queue.Job{MemoryMB: 1, Timeout: 20 * time.Second})
		line := []*queue.Ticket{offer(t, q, listed(3),
			queue.Job{MemoryMB: 1, Timeout: time.Second, ReserveFor: time.Second})}
		if got := status(line[0]).Wait; got != 100*time.Millisecond {
			t.Errorf("wait behind jobs that have just come: %v, want the least, whatever their timeouts", got)
		}
		pass(4 * time.Second)
		for n := 4; n <= 6; n++ {
			line = append(line, offer(t, q, listed(n), queue.Job{MemoryMB: 1, Timeout: 10 * time.Second}))
		}
		want := []time.Duration{4 * time.Second, 4 * time.Second, 6 * time.Second, 8 * time.Second}
		if diff := cmp.Diff(want, waits(line)); diff != "" {
			t.Errorf("waits (-want +got):\n%s", diff)
		}
		if r := refuse(t, q, listed(7), small); r.Code != job.RejectBusy || r.RetryAfterMS != 2_000 {
			t.Errorf("rejection %+v, want busy, to ask again soon", r)
		}
		reserved.Started() // has its 20 s from here
		pass(18 * time.Second)
		if got := status(line[0]).Wait; got != 2*time.Second {
			t.Errorf("wait for a job that has 2 s left: %v", got)
		}
		pass(30 * time.Second) // the job should have ended: its caller is late
		if got := status(line[0]).Wait; got != 100*time.Millisecond {
			t.Errorf("wait for a job that is overdue: %v, want the least", got)
		}
	})
}

// TestEarlyEnd: what was expected of a line is forgotten when a job ends.
func TestEarlyEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{Slots: 1, MemoryMB: 10, Waiting: 2})
		running := start(t, q, listed(1), small)
		pass(10 * time.Second)
		line := []*queue.Ticket{offer(t, q, listed(2), small), offer(t, q, listed(3), small)}
		if diff := cmp.Diff([]time.Duration{10 * time.Second, 20 * time.Second}, waits(line)); diff != "" {
			t.Errorf("waits (-want +got):\n%s", diff)
		}
		running.Release()
		wantState(t, line[0], queue.Granted)
		if got := status(line[1]).Wait; got != 10*time.Second {
			t.Errorf("wait of the next: %v, want the average of 10 s", got)
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
		if r := refuse(t, q, listed(5), small); r.RetryAfterMS != 2_000 {
			t.Errorf("rejection %+v, want 2 s, the most", r)
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
		short := queue.Job{MemoryMB: 1, Timeout: time.Second}
		start(t, q, listed(1), short)
		pass(600 * time.Millisecond)
		offer(t, q, listed(2), short)
		offer(t, q, unlisted(1), short)
		offer(t, q, unlisted(2), short)
		if r := refuse(t, q, unlisted(3), short); r.RetryAfterMS != 1_000 {
			t.Errorf("rejection %+v, want the 0.4 s left of the job that runs, "+
				"and 0.6 s for the one of somebody listed", r)
		}
	})
}
