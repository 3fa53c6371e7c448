package queue_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"plasm/lib/exchange/queue"
	"plasm/lib/job"
)

// listed and unlisted are clients by a number.
func listed(n int) queue.Client {
	return queue.Client{Listed: true, Requester: fmt.Sprint("peer ", n)}
}

func unlisted(n int) queue.Client {
	return queue.Client{Requester: "free", Source: fmt.Sprintf("192.0.2.%d/32", n)}
}

// small is a job of 1 MB that may take a minute.
var small = queue.Job{MemoryMB: 1, Timeout: time.Minute}

func megabytes(n int64) queue.Job { return queue.Job{MemoryMB: n, Timeout: time.Minute} }

// offer makes an offer that is not refused.
func offer(t *testing.T, q *queue.Queue, c queue.Client, j queue.Job) *queue.Ticket {
	t.Helper()
	ticket, refused := q.Offer(c, j)
	if refused != nil {
		t.Fatalf("offer by %v: %+v", c, *refused)
	}
	return ticket
}

// refuse makes an offer that is refused.
func refuse(t *testing.T, q *queue.Queue, c queue.Client, j queue.Job) job.Rejection {
	t.Helper()
	ticket, refused := q.Offer(c, j)
	if refused == nil {
		t.Fatalf("offer by %v: taken, want a rejection", c)
	}
	if ticket != nil {
		t.Fatalf("offer by %v: a ticket beside a rejection", c)
	}
	return *refused
}

// start is offer for one that starts at once.
func start(t *testing.T, q *queue.Queue, c queue.Client, j queue.Job) *queue.Ticket {
	t.Helper()
	ticket := offer(t, q, c, j)
	if !ticket.Started() {
		t.Fatalf("job of %v did not start: %v", c, state(ticket))
	}
	return ticket
}

func status(ticket *queue.Ticket) queue.Status {
	s, _ := ticket.Status()
	return s
}

func state(ticket *queue.Ticket) queue.State { return status(ticket).State }

func wantState(t *testing.T, ticket *queue.Ticket, want queue.State) {
	t.Helper()
	if got := state(ticket); got != want {
		t.Fatalf("ticket is %v, want %v", got, want)
	}
}

func wantEnded(t *testing.T, ticket *queue.Ticket, want job.RejectCode) {
	t.Helper()
	s := status(ticket)
	if s.State != queue.Ended || s.Rejection == nil || s.Rejection.Code != want {
		t.Fatalf("ticket is %+v, want it ended: %s", s, want)
	}
}

// pass lets d go by on the bubble's clock, and what it sets off happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
