package serve

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

func TestDrain(t *testing.T) {
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{
		Config: Config{Run: fakeRun(g.play)},
		queue:  queue.Config{Slots: 1, MemoryMB: 1024, Waiting: 4},
	})
	r := newRequester(t, n, nil)
	runs, waits, late := newJob([]byte("module"), nil), newJob([]byte("module"), nil), newJob([]byte("module"), nil)
	c := r.open(runs).until(wire.KindAccept).give()
	wait(t, "the job", g.entered)
	queued := r.open(waits).until(wire.KindQueued)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		n.Drain(context.Background())
	}()
	queued.end().rejected(t, job.RejectShuttingDown)
	r.open(late).end().rejected(t, job.RejectShuttingDown)
	if n.Slots().Free != 0 {
		t.Error("slots are free")
	}
	attached := r.open(runs).until(wire.KindAccept) // the job is known
	close(g.open)
	r.outcome(runs, c.end())
	r.outcome(runs, attached.end())
	wait(t, "the drain", drained)
}

// A node that ends does not close the host under its last words.
func TestDrainWaitsUntilTheResultIsThere(t *testing.T) {
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{Config: Config{Run: fakeRun(g.play)}})
	r := newRequester(t, n, nil)
	runs := newJob([]byte("module"), nil)
	c := r.open(runs).until(wire.KindAccept).give()
	wait(t, "the job", g.entered)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		n.Drain(context.Background())
	}()
	r.open(newJob([]byte("module"), nil)).end().rejected(t, job.RejectShuttingDown) // it is draining
	close(g.open)
	c.until(wire.KindResult)
	select {
	case <-drained:
		t.Error("drained, and nobody knows whether the result has been read")
	case <-time.After(heardTime / 10):
	}
	r.outcome(runs, c.end())
	wait(t, "the drain", drained)
}

func TestDrainThatIsCutShort(t *testing.T) {
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{Config: Config{Run: fakeRun(g.play), Goodbye: patience}})
	r := newRequester(t, n, nil)
	runs, uploads := newJob([]byte("module"), nil), newJob([]byte("another"), nil)
	c := r.open(runs).until(wire.KindAccept).give()
	wait(t, "the job", g.entered)
	u := r.open(uploads).until(wire.KindAccept)
	ctx, cancel := context.WithCancel(t.Context())
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		n.Drain(ctx)
	}()
	cancel()
	a := c.end()
	if o := r.outcome(runs, a); o.Status != job.Cancelled {
		t.Errorf("%+v", o)
	}
	u.end().rejected(t, job.RejectShuttingDown)
	wait(t, "the drain", drained)
}

// TestManyJobs runs many jobs of several requesters at a time, and counts.
func TestManyJobs(t *testing.T) {
	t.Parallel()
	var now, most, memory, mostMemory atomic.Int64
	raise := func(most *atomic.Int64, n int64) {
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
	}
	n := startNode(t, setup{
		Config: Config{Run: fakeRun(func(ctx context.Context, g *fakeProgram) job.Status {
			raise(&most, now.Add(1))
			raise(&mostMemory, memory.Add(g.j.Manifest.MemoryMB))
			defer now.Add(-1)
			defer memory.Add(-g.j.Manifest.MemoryMB)
			return echo(ctx, g)
		})},
		queue: queue.Config{Slots: 4, MemoryMB: 300, Waiting: 200},
	})
	var all sync.WaitGroup
	for range 5 {
		r := newRequester(t, n, nil)
		all.Go(func() {
			for range 20 {
				var some sync.WaitGroup
				for _, mb := range []int64{64, 128} {
					j := newJob([]byte("module"), bytes.Repeat([]byte("input"), 1000))
					j.manifest.MemoryMB = mb
					c := r.open(j)
					some.Go(func() {
						a := c.until(wire.KindAccept).give().end()
						if o := r.outcome(j, a); o.Status != job.Exit || !bytes.Equal(a.stdout, j.stdin) {
							t.Errorf("%+v", o)
						}
					})
				}
				some.Wait()
			}
		})
	}
	all.Wait()
	if most.Load() > 4 || mostMemory.Load() > 300 || n.seen.count("ended exit") != 200 {
		t.Errorf("%d jobs at a time with %d MB, %d in all", most.Load(), mostMemory.Load(), n.seen.count("ended exit"))
	}
	n.idle(t)
}

// TestCloseInTheMiddle ends a node while everything is under way.
func TestCloseInTheMiddle(t *testing.T) {
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{Config: Config{Run: fakeRun(g.play), Goodbye: 10 * time.Millisecond}})
	r := newRequester(t, n, nil)
	streamed := newJob([]byte("module"), nil).asStream()
	s := r.open(streamed).until(wire.KindAccept)
	if err := s.SendData(wire.KindModule, streamed.module); err != nil {
		t.Fatal(err)
	}
	wait(t, "the job", g.entered)
	silent := r.stream()
	if _, err := silent.Write([]byte(".\x00")); err != nil {
		t.Fatal(err)
	}
	r.open(newJob([]byte("another"), nil)).until(wire.KindAccept)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		n.down()
	}()
	wait(t, "the node", closed)
	_ = silent.Reset()
}
