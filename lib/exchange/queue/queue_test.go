package queue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/exchange/queue"
	"plasm/lib/job"
)

func TestOneSlotOnePlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{Slots: 1, MemoryMB: 10, Waiting: 1})
		first := offer(t, q, listed(1), small)
		wantState(t, first, queue.Granted)
		for range 2 {
			if !first.Started() {
				t.Fatal("a granted job did not start")
			}
		}
		second := offer(t, q, listed(2), small)
		if second.Started() {
			t.Fatal("a waiting job started")
		}
		before, changed := second.Status()
		if before.State != queue.Waiting || before.Position != 1 {
			t.Fatalf("second is %+v, want first in the line", before)
		}
		if r := refuse(t, q, listed(3), small); r.Code != job.RejectBusy || r.RetryAfterMS != 100 {
			t.Errorf("third: %+v, want busy for the least time: nothing is known yet", r)
		}
		want := queue.Stats{Slots: 1, MemoryMB: 10, UsedMemoryMB: 1, Running: 1, Waiting: 1}
		if diff := cmp.Diff(want, q.Stats()); diff != "" {
			t.Errorf("figures (-want +got):\n%s", diff)
		}
		if closed(changed) {
			t.Error("second was told of a change, and there was none")
		}
		first.Release()
		<-changed
		wantState(t, second, queue.Granted)
		first.Release() // once more, which must not free the slot of the second
		wantState(t, offer(t, q, listed(3), small), queue.Waiting)
		want.Running, want.Reserved = 0, 1
		if diff := cmp.Diff(want, q.Stats()); diff != "" {
			t.Errorf("figures (-want +got):\n%s", diff)
		}
	})
}

func TestZeroConfig(t *testing.T) {
	t.Parallel()
	q := queue.New(queue.Config{})
	nothing := offer(t, q, unlisted(1), queue.Job{MemoryMB: -5, Timeout: -1})
	defer nothing.Release()
	if r := refuse(t, q, listed(1), queue.Job{}); r.Code != job.RejectBusy {
		t.Errorf("second job on one slot: %+v", r)
	}
	if r := refuse(t, q, listed(1), small); r.Code != job.RejectMemory {
		t.Errorf("job with memory where there is none: %+v", r)
	}
}

func TestMemoryThatNeverFits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		client queue.Client
		need   int64
		have   any // nil: it fits
	}{
		{"all, listed", listed(1), 1001, nil},
		{"more, listed", listed(1), 1002, int64(1001)},
		{"half rounded up, unlisted", unlisted(1), 501, nil},
		{"more than half, unlisted", unlisted(1), 502, int64(501)},
		{"the largest number", listed(1), 1<<63 - 1, int64(1001)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			q := queue.New(queue.Config{Slots: 2, MemoryMB: 1001, Waiting: 2})
			if test.have == nil {
				offer(t, q, test.client, megabytes(test.need)).Release()
				return
			}
			r := refuse(t, q, test.client, megabytes(test.need))
			if r.Code != job.RejectMemory || r.Need != job.Value(test.need) || r.Have != test.have || r.Message == "" {
				t.Errorf("rejection %+v, want memory, need %d, have %v", r, test.need, test.have)
			}
			if flows, _, _ := queue.Known(q); flows != 0 {
				t.Errorf("%d flows are kept of a refused offer", flows)
			}
		})
	}
}

func TestReservationExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{Slots: 1, MemoryMB: 10, Waiting: 2, ReserveFor: 5 * time.Second})
		late := offer(t, q, listed(1), small)
		next := offer(t, q, listed(2), queue.Job{MemoryMB: 1, Timeout: time.Minute, ReserveFor: time.Hour})
		_, changed := late.Status()
		pass(5*time.Second - 1)
		wantState(t, late, queue.Granted)
		pass(1)
		if !closed(changed) {
			t.Error("nobody was told that the reservation expired")
		}
		wantEnded(t, late, job.RejectExpired)
		if late.Started() {
			t.Error("a job started without a slot")
		}
		wantState(t, next, queue.Granted)
		late.Release() // must not free the slot of next, nor hide why
		wantEnded(t, late, job.RejectExpired)
		if free := q.Stats().FreeSlots; free != 0 {
			t.Errorf("%d free slots, want none", free)
		}
		pass(59 * time.Minute)
		if !next.Started() {
			t.Error("a job that has an hour to start did not start after 59 minutes")
		}
		pass(24 * time.Hour)
		queue.Expire(next) // a timer that could not be stopped any more
		wantState(t, next, queue.Started)
		next.Release()
	})
}

func TestUnlistedHaveHalf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		cfg     queue.Config
		each    int64 // MB
		granted int   // of unlisted jobs, all of different sources
		waiting int
	}{
		{"slots", queue.Config{Slots: 4, MemoryMB: 100, Waiting: 4}, 1, 2, 2},
		{"rounded up", queue.Config{Slots: 3, MemoryMB: 100, Waiting: 5}, 1, 2, 3},
		{"at least one", queue.Config{Slots: 1, MemoryMB: 100, Waiting: 1}, 1, 1, 1},
		{"memory", queue.Config{Slots: 10, MemoryMB: 100, Waiting: 2}, 20, 2, 1},
		{"no line", queue.Config{Slots: 4, MemoryMB: 100}, 1, 2, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			q := queue.New(test.cfg)
			for i := range test.granted + test.waiting {
				want := queue.Granted
				if i >= test.granted {
					want = queue.Waiting
				}
				wantState(t, offer(t, q, unlisted(i), megabytes(test.each)), want)
			}
			if r := refuse(t, q, unlisted(99), megabytes(test.each)); r.Code != job.RejectBusy || r.RetryAfterMS <= 0 {
				t.Errorf("one more: %+v, want busy and a time", r)
			}
			if test.cfg.Slots > test.granted {
				wantState(t, offer(t, q, listed(1), megabytes(test.each)), queue.Granted)
			}
		})
	}
}

func TestListedComeFirst(t *testing.T) {
	t.Parallel()
	q := queue.New(queue.Config{Slots: 1, MemoryMB: 10, Waiting: 4})
	running := start(t, q, listed(1), small)
	strangers := []*queue.Ticket{offer(t, q, unlisted(1), small), offer(t, q, unlisted(2), small)}
	_, moved := strangers[0].Status()
	friends := []*queue.Ticket{offer(t, q, listed(2), small), offer(t, q, listed(3), small)}
	if !closed(moved) || status(strangers[0]).Position != 3 {
		t.Errorf("the stranger was not told, or wrongly: %+v", status(strangers[0]))
	}
	// The line is full. A stranger more has no place, a friend more takes one.
	refuse(t, q, unlisted(3), small)
	friends = append(friends, offer(t, q, listed(4), small))
	wantEnded(t, strangers[1], job.RejectBusy)
	for _, ticket := range append(friends, strangers[0]) {
		wantState(t, ticket, queue.Waiting)
		running.Release()
		wantState(t, ticket, queue.Granted)
		running = ticket
	}
}

// TestNextAreTold: a line that moves wakes those who are next, and nobody else.
func TestNextAreTold(t *testing.T) {
	t.Parallel()
	q := queue.New(queue.Config{Slots: 2, MemoryMB: 10, Waiting: 8})
	running := []*queue.Ticket{start(t, q, listed(1), small), start(t, q, listed(1), small)}
	var line []*queue.Ticket
	var changed []<-chan struct{}
	for i := range 5 {
		line = append(line, offer(t, q, listed(2+i), small))
	}
	for i, ticket := range line {
		now, c := ticket.Status()
		if now.Next != (i < 2) {
			t.Errorf("place %d: %+v", i+1, now)
		}
		changed = append(changed, c)
	}
	running[0].Release()
	for i, want := range []bool{true, true, true, false, false} { // granted, first, second and new, third, fourth
		if closed(changed[i]) != want {
			t.Errorf("ticket %d was told: %v", i+1, !want)
		}
	}
	if now := status(line[4]); now.Position != 4 || now.Next {
		t.Errorf("the last is %+v", now)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := queue.New(queue.Config{Slots: 1, MemoryMB: 10, Waiting: 3})
		a, b, c := offer(t, q, listed(1), small), offer(t, q, listed(2), small), offer(t, q, listed(3), small)
		_, moved := c.Status()
		b.Release() // while it waits
		if !closed(moved) || status(c).Position != 1 {
			t.Errorf("third: %+v, want it to be told that it is the next", status(c))
		}
		a.Release() // while it is granted
		wantState(t, c, queue.Granted)
		for _, ticket := range []*queue.Ticket{a, b} {
			if s := status(ticket); s.State != queue.Ended || s.Rejection != nil {
				t.Errorf("cancelled ticket is %+v", s)
			}
		}
		c.Started()
		c.Release()
		if flows, _, held := queue.Known(q); flows != 0 || held != 0 {
			t.Errorf("%d flows and %d tickets are kept", flows, held)
		}
		pass(time.Hour) // no timer of the past does anything
		if free := q.Stats().FreeSlots; free != 1 {
			t.Errorf("%d slots are free, want the one", free)
		}
	})
}

func TestDrain(t *testing.T) {
	t.Parallel()
	q := queue.New(queue.Config{Slots: 2, MemoryMB: 10, Waiting: 2})
	running, reserved := start(t, q, listed(1), small), offer(t, q, unlisted(1), small)
	waiting := []*queue.Ticket{offer(t, q, listed(2), small), offer(t, q, unlisted(2), small)}
	_, changed := waiting[0].Status()
	idle := q.Drain()
	if !closed(changed) {
		t.Error("who waits was not told")
	}
	for _, ticket := range waiting {
		wantEnded(t, ticket, job.RejectShuttingDown)
		ticket.Release()
	}
	if r := refuse(t, q, listed(3), small); r.Code != job.RejectShuttingDown {
		t.Errorf("offer: %+v", r)
	}
	if r := q.Charge(listed(3)); r == nil || r.Code != job.RejectShuttingDown {
		t.Errorf("charge: %+v", r)
	}
	if s := q.Stats(); !s.Draining || s.Waiting != 0 || s.Running != 1 || s.Reserved != 1 {
		t.Errorf("figures: %+v", s)
	}
	if !reserved.Started() {
		t.Error("a job that was accepted may not start")
	}
	running.Release()
	if closed(idle) {
		t.Error("idle while a job runs")
	}
	reserved.Release()
	<-idle
	<-q.Drain()
	<-queue.New(queue.Config{}).Drain()
}
