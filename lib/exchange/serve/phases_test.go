package serve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

// closed waits until the node has closed the stream without an answer, as it does
// to who has cancelled.
func (c *talk) closed(t *testing.T) {
	t.Helper()
	for {
		kind, err := c.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil || c.rejection != nil || c.receipt != nil {
			t.Fatalf("%v %v %+v, want the end of the stream", kind, err, c.answer)
		}
	}
}

func (c *talk) cancel(t *testing.T) *talk {
	t.Helper()
	if err := c.Send(wire.Cancel{}); err != nil {
		t.Fatal(err)
	}
	return c
}

// idle waits until nothing is held at the node.
func (n *testNode) idle(t *testing.T) {
	t.Helper()
	eventually(t, "nothing is held", func() bool {
		n.mu.Lock()
		tasks := len(n.tasks)
		n.mu.Unlock()
		q := n.queue.Stats()
		return tasks == 0 && q.FreeSlots == q.Slots && q.Waiting == 0
	})
}

// TestCancel has subtests that share one slot and so come one after the other.
func TestCancel(t *testing.T) { //nolint:tparallel // the slot
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{
		Config: Config{Run: fakeRun(g.play)},
		queue:  queue.Config{Slots: 1, MemoryMB: 1024, Waiting: 4},
	})
	r := newRequester(t, n, nil)
	again := func(t *testing.T, j *testJob) { // the ID is free
		t.Helper()
		n.idle(t)
		c := r.open(j).until(wire.KindAccept).give()
		if c.accept.Attached {
			t.Error("the job is known still")
		}
		wait(t, "the job", g.entered)
		a := c.cancel(t).end()
		if o := r.outcome(j, a); o.Status != job.Cancelled || string(a.stdout) != "one " || string(a.stderr) != "err" {
			t.Errorf("%+v, stdout %q", o, a.stdout)
		}
		n.idle(t)
	}
	t.Run("behind the offer", func(t *testing.T) {
		j := newJob([]byte("module 1"), []byte("input"))
		r.open(j).cancel(t).closed(t)
		again(t, j)
	})
	t.Run("accepted", func(t *testing.T) {
		j := newJob([]byte("module 2"), []byte("input"))
		c := r.open(j).until(wire.KindAccept)
		other := r.open(j).until(wire.KindAccept)
		c.cancel(t).closed(t)
		other.end().rejected(t, job.RejectExpired)
		again(t, j)
	})
	t.Run("uploading", func(t *testing.T) {
		j := newJob(bytes.Repeat([]byte("module 3"), 100), []byte("input"))
		c := r.open(j).until(wire.KindAccept)
		if err := c.SendData(wire.KindModule, j.module[:100]); err != nil {
			t.Fatal(err)
		}
		c.cancel(t).closed(t)
		again(t, j)
	})
	t.Run("queued", func(t *testing.T) {
		first, j := newJob([]byte("module 4"), nil), newJob([]byte("module 5"), nil)
		has := func(what string, want int64) {
			t.Helper()
			eventually(t, what, func() bool {
				_, jobs := n.store.Usage()
				return jobs.Entries == want
			})
		}
		has("what was cancelled before is gone", 0)
		c := r.open(first).until(wire.KindAccept)
		next := r.open(j).until(wire.KindQueued)
		has("the next one has its room in the store", 2)
		next.cancel(t).closed(t)
		has("it has given it up", 1)
		c.cancel(t).closed(t)
		again(t, j)
	})
	t.Run("over another stream", func(t *testing.T) {
		j := newJob([]byte("module 6"), nil)
		c := r.open(j).until(wire.KindAccept).give()
		wait(t, "the job", g.entered)
		a, b := r.open(j).cancel(t).end(), c.end()
		if o := r.outcome(j, b); o.Status != job.Cancelled || !bytes.Equal(a.receipt, b.receipt) {
			t.Errorf("%+v", o)
		}
		again(t, j)
	})
	t.Run("ended", func(t *testing.T) {
		j := newJob([]byte("module 7"), nil)
		c := r.open(j).until(wire.KindAccept).give()
		wait(t, "the job", g.entered)
		close(g.open)
		a := c.end()
		b := r.open(j).cancel(t).end()
		if !bytes.Equal(a.receipt, b.receipt) || r.outcome(j, b).Status != job.Exit {
			t.Error("another receipt")
		}
	})
}

func TestVanishAtEachPhase(t *testing.T) {
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{
		Config: Config{Run: fakeRun(g.play), Idle: 300 * time.Millisecond},
		queue:  queue.Config{Slots: 1, MemoryMB: 1024, Waiting: 4},
	})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), []byte("input"))
	r.open(j).until(wire.KindAccept).Reset()
	n.idle(t) // the reservation has expired
	c := r.open(j).until(wire.KindAccept)
	if c.accept.Attached {
		t.Error("a job whose reservation expired is known")
	}
	c.end().rejected(t, job.RejectExpired)

	c = r.open(j).until(wire.KindAccept).give()
	wait(t, "the job", g.entered)
	waiting := newJob([]byte("module 2"), nil)
	second, third := r.open(waiting).until(wire.KindQueued), r.open(waiting).until(wire.KindQueued)
	second.Reset()
	eventually(t, "one stream has gone", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		k := n.tasks[jobKey{r.key.PeerID(), waiting.manifest.ID}]
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.sessions == 1
	})
	if q := n.queue.Stats(); q.Waiting != 1 {
		t.Error("the place is lost, and one stream lives")
	}
	third.Reset()
	eventually(t, "the place is given up", func() bool { return n.queue.Stats().Waiting == 0 })
	close(g.open)
	r.outcome(j, c.end())
}

func TestQueueAndBusy(t *testing.T) {
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{
		Config: Config{Run: fakeRun(g.play)},
		queue:  queue.Config{Slots: 1, MemoryMB: 1024, Waiting: 1},
	})
	r, s := newRequester(t, n, nil), newRequester(t, n, nil)
	jobs := []*testJob{newJob([]byte("module"), nil), newJob([]byte("module"), nil), newJob([]byte("module"), nil)}
	first := r.open(jobs[0]).until(wire.KindAccept).give()
	wait(t, "the job", g.entered)
	if slots := n.Slots(); slots != (job.Slots{Total: 1}) {
		t.Errorf("%+v", slots)
	}
	second := s.open(jobs[1]).until(wire.KindQueued)
	if q := second.queued[0]; q.Position != 1 || q.WaitMS < 1 {
		t.Errorf("%+v", q)
	}
	a := r.open(jobs[2]).end()
	a.rejected(t, job.RejectBusy)
	if a.rejection.RetryAfterMS < 1 {
		t.Errorf("%+v", a.rejection)
	}
	close(g.open)
	r.outcome(jobs[0], first.end())
	s.outcome(jobs[1], second.until(wire.KindAccept).give().end())
	if n.seen.count("offered accepted") != 2 || n.seen.count("offered busy") != 1 {
		t.Errorf("%v", n.seen.counts)
	}
}

func TestWhatIsNotKept(t *testing.T) {
	t.Parallel()
	for _, status := range []job.Status{
		job.EngineFailed, job.Exit, job.Trap, job.Timeout, job.OutOfMemory,
		job.OutputLimit,
	} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			g := newGate()
			g.status = status
			close(g.open)
			n := startNode(t, setup{Config: Config{Run: fakeRun(g.play)}})
			r := newRequester(t, n, nil)
			j := newJob([]byte("module"), nil)
			a := r.run(j)
			if o := r.outcome(j, a); o.Status != status || string(a.stdout) != "one two" {
				t.Errorf("%+v, %q", o, a.stdout)
			}
			n.idle(t)
			b := r.open(j).until(wire.KindAccept).end()
			r.outcome(j, b)
			if b.accept.Attached != (status != job.EngineFailed) ||
				bytes.Equal(a.receipt, b.receipt) != b.accept.Attached {
				t.Errorf("attached %v, the same receipt %v", b.accept.Attached, bytes.Equal(a.receipt, b.receipt))
			}
		})
	}
}

// TestAbsentClient has a job write megabytes that nobody reads.
func TestAbsentClient(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(func(_ context.Context, g *fakeProgram) job.Status {
		for range 8 << 4 {
			if _, err := g.Write(make([]byte, 1<<16)); err != nil {
				return job.EngineFailed
			}
		}
		return job.Exit
	})}})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), nil)
	j.manifest.OutputLimitBytes = 32 << 20
	c := r.open(j).until(wire.KindAccept).give()
	eventually(t, "the job has ended", func() bool { return n.seen.count("ended exit") == 1 })
	a := c.end()
	if o := r.outcome(j, a); o.StdoutBytes != 8<<20 {
		t.Errorf("%+v", o)
	}
}
