package serve

import (
	"bytes"
	"os"
	"reflect"
	"sync"
	"testing"
	"time"

	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
)

// wait waits for c to have a value or be closed.
func wait[T any](t *testing.T, what string, c <-chan T) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("waited %v for %s", patience, what)
	}
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %v until %s", patience, what)
		}
	}
}

func TestAttachToRunningJob(t *testing.T) {
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{Config: Config{Run: fakeRun(g.play)}})
	r := newRequester(t, n, nil)
	again := newRequester(t, n, r.key)
	j := newJob([]byte("module"), []byte("input"))
	first := r.open(j).until(wire.KindAccept).give()
	wait(t, "the job", g.entered)
	o := again.offer(j)
	o.StdoutFrom, o.StderrFrom = 2, 3
	second := again.openOffer(j, o).until(wire.KindAccept)
	if !reflect.DeepEqual(*second.accept, wire.Accept{Attached: true}) {
		t.Errorf("accept %+v", second.accept)
	}
	second.until(wire.KindStarted)
	close(g.open)
	a, b := first.end(), second.end()
	r.outcome(j, a)
	if string(a.stdout) != "one two" || string(b.stdout) != "e two" || len(b.stderr) != 0 {
		t.Errorf("stdout %q, and from 2 %q; stderr from 3 %q", a.stdout, b.stdout, b.stderr)
	}
	if !bytes.Equal(a.receipt, b.receipt) {
		t.Error("two receipts")
	}
	if g.runs.Load() != 1 {
		t.Errorf("%d runs", g.runs.Load())
	}
}

func TestVanishedClientStopsNothing(t *testing.T) {
	t.Parallel()
	g := newGate()
	dir, key := t.TempDir(), identity.Generate()
	n := startNode(t, setup{Config: Config{Run: fakeRun(g.play)}, dir: dir, key: key})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), []byte("input"))
	c := r.open(j).until(wire.KindAccept).give()
	wait(t, "the job", g.entered)
	c.Reset()
	close(g.open)
	eventually(t, "the job has ended", func() bool { return n.seen.count("ended exit") == 1 })
	a := r.open(j).until(wire.KindAccept).end()
	r.outcome(j, a)
	if !a.accept.Attached || a.started == nil || string(a.stdout) != "one two" {
		t.Errorf("accept %+v, stdout %q", a.accept, a.stdout)
	}
	n.down()

	n = startNode(t, setup{Config: Config{Run: fakeRun(g.play)}, dir: dir, key: key})
	r = newRequester(t, n, r.key)
	o := r.offer(j)
	o.StdoutFrom, o.StderrFrom = 4, 1000
	b := r.openOffer(j, o).until(wire.KindAccept).end()
	if !bytes.Equal(a.receipt, b.receipt) || string(b.stdout) != "two" || len(b.stderr) != 0 || g.runs.Load() != 1 {
		t.Errorf("after a restart: the same receipt %v, stdout from 4 %q, stderr from 1000 %q",
			bytes.Equal(a.receipt, b.receipt), b.stdout, b.stderr)
	}
}

// TestAfterACrash starts nodes on what a node that was killed would have left: a
// copy of its folder.
func TestAfterACrash(t *testing.T) {
	t.Parallel()
	g := newGate()
	dir, key := t.TempDir(), identity.Generate()
	n := startNode(t, setup{Config: Config{Run: fakeRun(g.play)}, dir: dir, key: key})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), []byte("input"))
	c := r.open(j).until(wire.KindAccept).give()
	wait(t, "the job", g.entered)
	midrun := t.TempDir()
	if err := os.CopyFS(midrun, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	close(g.open)
	a := c.end()
	done := t.TempDir()
	if err := os.CopyFS(done, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	n.down()

	n = startNode(t, setup{Config: Config{Run: fakeRun(g.play)}, dir: midrun, key: key})
	r = newRequester(t, n, r.key)
	b := r.open(j).until(wire.KindAccept).give().end()
	r.outcome(j, b)
	if b.accept.Attached || b.accept.Module || g.runs.Load() != 2 {
		t.Errorf("killed while it ran: accept %+v, %d runs", b.accept, g.runs.Load())
	}
	n.down()

	n = startNode(t, setup{Config: Config{Run: fakeRun(g.play)}, dir: done, key: key})
	r = newRequester(t, n, r.key)
	b = r.open(j).until(wire.KindAccept).end()
	if !bytes.Equal(a.receipt, b.receipt) || g.runs.Load() != 2 {
		t.Error("killed after the result was sent: another receipt")
	}
}

func TestSameOfferManyTimesRunsOnce(t *testing.T) {
	t.Parallel()
	g := newGate()
	close(g.open)
	n := startNode(t, setup{Config: Config{Run: fakeRun(g.play)}})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), bytes.Repeat([]byte("input"), 100_000))
	answers := make([]*answer, 12)
	var all sync.WaitGroup
	for i := range answers {
		c := r.open(j)
		all.Go(func() { answers[i] = c.until(wire.KindAccept).give().end() })
	}
	all.Wait()
	for _, a := range answers {
		r.outcome(j, a)
		if !bytes.Equal(a.receipt, answers[0].receipt) {
			t.Error("two receipts")
		}
	}
	if g.runs.Load() != 1 {
		t.Errorf("%d runs", g.runs.Load())
	}
}

func TestConflict(t *testing.T) {
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{Config: Config{Run: fakeRun(g.play)}})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), nil)
	c := r.open(j).until(wire.KindAccept).give()
	wait(t, "the job", g.entered)
	other := newJob([]byte("module"), nil)
	other.manifest.ID, other.manifest.Args = j.manifest.ID, []string{"other"}
	r.open(other).end().rejected(t, job.RejectConflict)
	longer := r.offer(j)
	longer.ModuleBytes++
	r.openOffer(j, longer).end().rejected(t, job.RejectConflict)
	close(g.open)
	c.end()
	r.open(other).end().rejected(t, job.RejectConflict)

	stranger := newRequester(t, n, nil) // to whom the ID is free
	if a := stranger.run(j); a.accept.Attached || !a.accept.Module || a.receipt == nil {
		t.Errorf("another requester's accept: %+v", a.accept)
	}
}

// TestResumeUpload cuts a connection in the middle of the module, and of the input.
func TestResumeUpload(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	r := newRequester(t, n, nil)
	j := newJob(bytes.Repeat([]byte("module"), 50_000), bytes.Repeat([]byte("input"), 50_000))
	send := func(c *talk, kind wire.Kind, data []byte) {
		if err := c.SendData(kind, data); err != nil {
			t.Fatal(err)
		}
	}
	c := r.open(j).until(wire.KindAccept)
	send(c, wire.KindModule, j.module[:100_000])
	eventually(t, "half of the module is there", func() bool { return n.seen.count("moved module") == 100_000 })
	c.Reset()
	c = r.open(j).until(wire.KindAccept)
	if !reflect.DeepEqual(*c.accept, wire.Accept{Module: true, Stdin: true, Attached: true}) {
		t.Errorf("accept %+v", c.accept)
	}
	send(c, wire.KindModule, j.module)
	send(c, wire.KindStdin, j.stdin[:70_000])
	eventually(t, "some of the input is there", func() bool { return n.seen.count("moved stdin") == 70_000 })
	c.Reset()
	c = r.open(j).until(wire.KindAccept)
	if !reflect.DeepEqual(*c.accept, wire.Accept{Stdin: true, StdinFrom: 70_000, Attached: true}) {
		t.Errorf("accept %+v", c.accept)
	}
	a := c.give().end()
	r.outcome(j, a)
	if !bytes.Equal(a.stdout, j.stdin) {
		t.Errorf("%d bytes of output", len(a.stdout))
	}
}
