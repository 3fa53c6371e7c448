package serve

import (
	"context"
	"testing"

	"plasm/lib/control"
	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

// TestJobs follows three jobs from the line to their ends, as the owner sees them.
func TestJobs(t *testing.T) {
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{
		Config: Config{Run: fakeRun(g.play)},
		queue:  queue.Config{Slots: 2, MemoryMB: 1024, Waiting: 4},
	})
	r := newRequester(t, n, nil)
	runs, uploads, waits := newJob([]byte("module"), nil), newJob([]byte("another"), []byte("12345")),
		newJob([]byte("module"), nil)
	c := r.open(runs).until(wire.KindAccept).give()
	wait(t, "the job", g.entered)
	c.until(wire.KindStarted)
	u := r.open(uploads).until(wire.KindAccept)
	q := r.open(waits).until(wire.KindQueued)

	now := n.Jobs()
	if len(now.Current) != 3 || len(now.Ended) != 0 {
		t.Fatalf("%+v", now)
	}
	for i, want := range []struct {
		j     *testJob
		state string
	}{{runs, control.JobRunning}, {uploads, control.JobReceiving}, {waits, control.JobWaiting}} {
		got := now.Current[i]
		if got.ID != want.j.manifest.ID || got.State != want.state || got.Requester != r.key.PeerID() ||
			got.Peer != r.host.ID().String() || !got.Listed {
			t.Errorf("%d: %+v, want %s %s", i, got, want.j.manifest.ID, want.state)
		}
		if (got.StartedAt != "") != (want.state == control.JobRunning) ||
			(got.Position == 1) != (want.state == control.JobWaiting) {
			t.Errorf("%d: %+v", i, got)
		}
	}

	// The owner ends the one in the line, the one that comes, and the one that runs.
	for _, cancelled := range []struct {
		j      *testJob
		ending string
	}{{waits, "rejected expired"}, {uploads, "rejected expired"}, {runs, "cancelled"}} {
		got, err := n.Cancel(t.Context(), r.key.PeerID(), cancelled.j.manifest.ID)
		if err != nil || got.State != control.JobEnded || got.Ending() != cancelled.ending || got.EndedAt == "" {
			t.Errorf("%+v, %v; want %s", got, err, cancelled.ending)
		}
	}
	q.end().rejected(t, job.RejectExpired)
	u.end().rejected(t, job.RejectExpired)
	if o := r.outcome(runs, c.end()); o.Status != job.Cancelled {
		t.Errorf("%+v", o)
	}
	r.open(runs).end().rejected(t, job.RejectExpired) // its requester tries again, and is to try elsewhere
	after := n.Jobs()
	if len(after.Current) != 0 || len(after.Ended) != 2 || after.Ended[0].ID != runs.manifest.ID ||
		after.Ended[1].ID != uploads.manifest.ID {
		t.Errorf("%+v", after) // one that was never accepted is no job
	}
	if _, err := n.Cancel(t.Context(), r.key.PeerID(), runs.manifest.ID); err == nil {
		t.Error("a job that is over was cancelled")
	}
}

// TestEndedJobs keeps the newest ends, with what came of them.
func TestEndedJobs(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	r := newRequester(t, n, nil)
	var last *testJob
	for range 3 {
		last = newJob([]byte("module"), []byte("hello"))
		r.outcome(last, r.run(last))
	}
	got := n.Jobs().Ended
	if len(got) != 3 || got[0].ID != last.manifest.ID {
		t.Fatalf("%+v", got)
	}
	one := got[0]
	if one.Status != job.Exit || one.ExitCode == nil || *one.ExitCode != 0 || one.StdoutBytes != 5 ||
		one.StdinBytes != 5 || one.Engine == "" {
		t.Errorf("%+v", one)
	}

	n.mu.Lock()
	for len(n.ended) < control.MaxEnded {
		n.ended = append(n.ended, control.Job{})
	}
	n.mu.Unlock()
	again := newJob([]byte("module"), nil)
	r.outcome(again, r.run(again))
	if got := n.Jobs().Ended; len(got) != control.MaxEnded || got[0].ID != again.manifest.ID {
		t.Errorf("%d ends, the last %+v", len(got), got[0])
	}
}

func TestCancelDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	stuck := make(chan struct{})
	entered := make(chan struct{})
	n := startNode(t, setup{Config: Config{Run: fakeRun(func(context.Context, *fakeProgram) job.Status {
		close(entered)
		<-stuck
		return job.Cancelled
	})}})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), nil)
	c := r.open(j).until(wire.KindAccept).give()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := n.Cancel(ctx, r.key.PeerID(), j.manifest.ID); err != nil || got.State == control.JobEnded {
		t.Errorf("%+v, %v", got, err)
	}
	close(stuck)
	c.end()
}
