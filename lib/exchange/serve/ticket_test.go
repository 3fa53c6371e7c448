package serve

import (
	"testing"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

// ticket is the offer of a requester that comes back to a job with nothing of it.
func (r *requester) ticket(j *testJob) *wire.Offer {
	o := r.offer(j)
	o.Attach, o.ModuleBytes, o.StdinBytes = true, 0, wire.StdinUnknown
	return o
}

// TestAttachOnly: who comes back is told how the job stands, and begins none.
func TestAttachOnly(t *testing.T) {
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{Config: Config{Run: fakeRun(g.play)}})
	r, other := newRequester(t, n, nil), newRequester(t, n, nil)
	j := newJob([]byte("module"), []byte("input"))
	r.openOffer(j, r.ticket(j)).end().rejected(t, job.RejectUnknownJob)
	if slots := n.Slots(); slots.Free != slots.Total {
		t.Errorf("something is reserved: %+v", slots)
	}
	o := r.offer(j)
	o.Detach = true
	first := r.openOffer(j, o).until(wire.KindAccept)
	if a := first.accept; a.State != wire.Waiting || a.KeepMS == 0 || a.Attached {
		t.Errorf("detached: accept %+v", a)
	}
	first.give()
	wait(t, "the job", g.entered)
	first.until(wire.KindStarted).Reset()
	again := r.openOffer(j, r.ticket(j)).until(wire.KindAccept)
	if a := again.accept; a.State != wire.Running || a.KeepMS == 0 || !a.Attached || a.Module || a.Stdin {
		t.Errorf("while it runs: accept %+v", a)
	}
	other.openOffer(j, other.ticket(j)).end().rejected(t, job.RejectUnknownJob)
	close(g.open)
	r.outcome(j, again.until(wire.KindStarted).end())
	late := r.openOffer(j, r.ticket(j)).until(wire.KindAccept)
	if a := late.accept; a.State != wire.Ended || a.KeepMS == 0 {
		t.Errorf("when it has ended: accept %+v", a)
	}
	if end := late.end(); string(end.stdout) != "one two" || g.runs.Load() != 1 {
		t.Errorf("stdout %q after %d runs", end.stdout, g.runs.Load())
	}
}
