package queue_test

import (
	"testing"
	"testing/synctest"
	"time"

	"plasm/lib/exchange/queue"
	"plasm/lib/job"
)

// grantedOf is which of tickets hold a slot.
func grantedOf(tickets []*queue.Ticket) (n int) {
	for _, ticket := range tickets {
		if s := state(ticket); s == queue.Granted || s == queue.Started {
			n++
		}
	}
	return n
}

func TestGreedyTakesTurns(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]func(int) queue.Client{"listed": listed, "unlisted": unlisted} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := queue.New(queue.Config{Slots: 1, MemoryMB: 10, Waiting: 220})
			running := start(t, q, listed(9), small)
			var greedy []*queue.Ticket
			for range 100 {
				greedy = append(greedy, offer(t, q, client(1), small))
			}
			others := []*queue.Ticket{
				offer(t, q, client(2), small), offer(t, q, client(3), small),
				offer(t, q, client(2), small),
			}
			// Of the seven after the first, two flows more get their turns: 1 2 3 1 2 1 1.
			for i, ticket := range []*queue.Ticket{
				greedy[0], others[0], others[1], greedy[1], others[2], greedy[2],
				greedy[3],
			} {
				running.Release()
				if got := state(ticket); got != queue.Granted {
					t.Fatalf("turn %d: %v, want granted", i+1, got)
				}
				running = ticket
			}
		})
	}
}

func TestFreePeerIDsBuyNothing(t *testing.T) {
	t.Parallel()
	q := queue.New(queue.Config{Slots: 1, MemoryMB: 10, Waiting: 100})
	running := start(t, q, listed(9), small)
	for i := range 40 {
		c := unlisted(1)
		c.Requester = listed(i).Requester
		offer(t, q, c, small)
	}
	honest := offer(t, q, unlisted(2), small)
	if got := status(honest).Position; got != 2 {
		t.Errorf("a second address is at position %d behind 40 peer IDs of one address, want 2", got)
	}
	running.Release()
}

func TestPlacesAreShared(t *testing.T) {
	t.Parallel()
	q := queue.New(queue.Config{Slots: 1, MemoryMB: 10, Waiting: 4})
	running := start(t, q, listed(1), small)
	var greedy []*queue.Ticket
	for range 4 {
		greedy = append(greedy, offer(t, q, listed(1), small))
	}
	refuse(t, q, listed(1), small)
	_, changed := greedy[3].Status()
	offer(t, q, listed(2), small)
	if !closed(changed) {
		t.Error("who lost a place was not told")
	}
	wantEnded(t, greedy[3], job.RejectBusy)
	if status(greedy[3]).Rejection.RetryAfterMS <= 0 {
		t.Error("who lost a place was not told when to come back")
	}
	offer(t, q, listed(2), small)
	wantEnded(t, greedy[2], job.RejectBusy)
	// One has two waiting and one that runs, the other two: a third would only turn it round.
	refuse(t, q, listed(2), small)
	offer(t, q, listed(3), small)
	wantEnded(t, greedy[1], job.RejectBusy)
	wantState(t, greedy[0], queue.Waiting)
	running.Release()
}

func TestShares(t *testing.T) {
	t.Parallel()
	type held struct {
		jobs int
		each int64 // MB
	}
	tests := []struct {
		name       string
		less, more held
	}{
		{"more memory", held{3, 10}, held{1, 40}},
		{"more slots", held{1, 20}, held{3, 1}},
		{"one more job", held{1, 10}, held{2, 10}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			q := queue.New(queue.Config{Slots: 8, MemoryMB: 80, Waiting: 8})
			for i, held := range []held{test.more, test.less} {
				for range held.jobs {
					start(t, q, listed(i), megabytes(held.each))
				}
			}
			s := q.Stats()
			left := megabytes(s.MemoryMB - s.UsedMemoryMB)
			rest := start(t, q, listed(9), left)
			more, less := offer(t, q, listed(0), left), offer(t, q, listed(1), left)
			rest.Release()
			wantState(t, less, queue.Granted)
			wantState(t, more, queue.Waiting)
		})
	}
}

// TestPositions: the line is in the order of what everybody has when those before are served.
func TestPositions(t *testing.T) {
	t.Parallel()
	q := queue.New(queue.Config{Slots: 8, MemoryMB: 80, Waiting: 8})
	start(t, q, listed(9), megabytes(80))
	var line []*queue.Ticket
	for _, next := range []struct {
		client int
		mb     int64
	}{{1, 40}, {1, 40}, {2, 1}, {2, 1}, {2, 1}, {3, 10}} {
		line = append(line, offer(t, q, listed(next.client), megabytes(next.mb)))
	}
	want := []int{1, 6, 2, 4, 5, 3}
	for i, ticket := range line {
		if got := status(ticket).Position; got != want[i] {
			t.Errorf("ticket %d is at position %d, want %d", i, got, want[i])
		}
	}
}

// TestBigJobIsNotStarved has small jobs that never leave enough memory of themselves.
func TestBigJobIsNotStarved(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		client func(int) queue.Client
		big    int // client; the small ones are of 2 and 3
		fill   int // small jobs at the beginning
	}{
		{"of another flow", listed, 1, 3},
		{"of the same flow", listed, 2, 3},
		{"unlisted", unlisted, 1, 2},
		{"unlisted, of the same flow", unlisted, 2, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			q := queue.New(queue.Config{Slots: 4, MemoryMB: 8, Waiting: 80})
			var running []*queue.Ticket
			for i := range test.fill {
				running = append(running, start(t, q, test.client(2+i%2), megabytes(2)))
			}
			big := offer(t, q, test.client(test.big), megabytes(4))
			passed := 0
			for ; state(big) == queue.Waiting; passed++ {
				if passed > queue.PassLimit+4 {
					t.Fatalf("passed %d times", passed)
				}
				next := offer(t, q, test.client(2+passed%2), megabytes(2))
				running[0].Release()
				running = running[1:]
				if next.Started() {
					running = append(running, next)
				}
			}
			if passed < queue.PassLimit {
				t.Errorf("passed %d times only: slots were left empty for it too early", passed)
			}
		})
	}
}

// TestWhatIsNoPassing: waiting for one's turn, for a slot, or behind who came before is not being
// passed for want of memory.
func TestWhatIsNoPassing(t *testing.T) {
	t.Parallel()
	const many = 2 * queue.PassLimit
	tests := []struct {
		name string
		// wait puts a ticket into the line of 2 slots and 10 MB, and has others pass.
		wait func(t *testing.T, q *queue.Queue) *queue.Ticket
	}{
		{"others were there before", func(t *testing.T, q *queue.Queue) *queue.Ticket {
			t.Helper()
			start(t, q, listed(1), megabytes(6))
			running := start(t, q, listed(2), small)
			var before []*queue.Ticket
			for i := range many {
				before = append(before, offer(t, q, listed(10+i), small))
			}
			big := offer(t, q, listed(3), megabytes(6))
			for _, next := range before {
				running.Release()
				wantState(t, next, queue.Granted)
				running = next
			}
			return big
		}},
		{"others have less", func(t *testing.T, q *queue.Queue) *queue.Ticket {
			t.Helper()
			start(t, q, listed(1), small)
			running := start(t, q, listed(2), small)
			greedy := offer(t, q, listed(1), small)
			for i := range many {
				next := offer(t, q, listed(10+i), small)
				running.Release()
				wantState(t, next, queue.Granted)
				running = next
			}
			return greedy
		}},
		{"others are listed", func(t *testing.T, q *queue.Queue) *queue.Ticket {
			t.Helper()
			start(t, q, listed(1), megabytes(6))
			stranger := offer(t, q, unlisted(1), megabytes(5))
			for i := range many {
				start(t, q, listed(10+i), small).Release()
			}
			return stranger
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			q := queue.New(queue.Config{Slots: 2, MemoryMB: 10, Waiting: 2 * many})
			ticket := test.wait(t, q)
			wantState(t, ticket, queue.Waiting)
			if queue.Due(ticket) {
				t.Error("it was counted as passed")
			}
		})
	}
}

// TestBackfill has a big job that was passed often and waits for one that may run for a week: the
// others go on beside it, as far as they don't put it off.
func TestBackfill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const week = 7 * 24 * time.Hour
		q := queue.New(queue.Config{Slots: 8, MemoryMB: 8, Waiting: 40, ReserveFor: time.Second})
		long := start(t, q, listed(1), queue.Job{MemoryMB: 5, Timeout: week})
		big := offer(t, q, listed(2), queue.Job{MemoryMB: 6, Timeout: time.Minute})
		for range queue.PassLimit {
			start(t, q, listed(3), queue.Job{MemoryMB: 3, Timeout: week}).Release()
		}
		if !queue.Due(big) {
			t.Fatal("the big job was passed and nobody counted")
		}
		wantState(t, offer(t, q, listed(4), queue.Job{MemoryMB: 3, Timeout: week}), queue.Waiting) // 8 − 6 leaves 2
		beside := start(t, q, listed(5), queue.Job{MemoryMB: 2, Timeout: 2 * week})                // left over
		// nothing is, any more
		wantState(t, offer(t, q, listed(6), queue.Job{MemoryMB: 1, Timeout: week}), queue.Waiting)
		before := start(t, q, listed(7), queue.Job{MemoryMB: 1, Timeout: week - time.Minute}) // has ended by then
		wantState(t, big, queue.Waiting)
		before.Release()
		long.Release()
		wantState(t, big, queue.Granted)
		beside.Release()
	})
}

// TestPassedInTheirOrder: of several that were passed often, the one that came first is the next.
func TestPassedInTheirOrder(t *testing.T) {
	t.Parallel()
	q := queue.New(queue.Config{Slots: 8, MemoryMB: 8, Waiting: 8})
	running := start(t, q, listed(1), megabytes(7))
	var big []*queue.Ticket
	for i := range 6 {
		big = append(big, offer(t, q, listed(7-i), megabytes(8)))
	}
	for range queue.PassLimit {
		start(t, q, listed(9), small).Release()
	}
	for i, ticket := range big {
		running.Release()
		if got := state(ticket); got != queue.Granted {
			t.Fatalf("ticket %d is %v, want granted", i, got)
		}
		running = ticket
	}
}

// TestHoldGoesWithItsTicket: jobs kept waiting for one that leaves the line are granted.
func TestHoldGoesWithItsTicket(t *testing.T) {
	t.Parallel()
	q := queue.New(queue.Config{Slots: 8, MemoryMB: 8, Waiting: 2})
	start(t, q, listed(1), megabytes(5))
	start(t, q, listed(2), megabytes(1)) // which makes the flow of big the longer one
	big := offer(t, q, listed(2), megabytes(6))
	for range queue.PassLimit {
		start(t, q, listed(3), megabytes(2)).Release()
	}
	kept := []*queue.Ticket{offer(t, q, listed(4), queue.Job{MemoryMB: 2, Timeout: time.Hour})}
	start(t, q, listed(5), megabytes(1)).Release() // leaves the big one its memory
	if got := grantedOf(kept); got != 0 {
		t.Fatal("a job puts off the big one")
	}
	kept = append(kept, offer(t, q, listed(6), queue.Job{MemoryMB: 2, Timeout: time.Hour}))
	wantEnded(t, big, job.RejectBusy)
	if got := grantedOf(kept); got != 1 {
		t.Errorf("%d of the jobs that waited for it run, want the one that fits", got)
	}
}
