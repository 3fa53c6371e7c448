package serve

import (
	"testing"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
	"plasm/test/guest"
)

func module(t *testing.T, name string) []byte {
	t.Helper()
	m, err := guest.Module(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestJobInRealWorker(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{})
	r := newRequester(t, n, nil)
	j := newJob(module(t, "cat"), []byte("some input"))
	a := r.run(j)
	o := r.outcome(j, a)
	if o.Status != job.Exit || *o.ExitCode != 0 || string(a.stdout) != "some input" {
		t.Fatalf("%+v, stdout %q", o, a.stdout)
	}
	if !a.accept.Module || !a.accept.Stdin || a.accept.Attached {
		t.Errorf("accept %+v", a.accept)
	}
	again := newJob(j.module, nil)
	a = r.open(again).until(wire.KindAccept).give().end()
	r.outcome(again, a)
	if a.accept.Module || a.accept.Stdin {
		t.Errorf("accept %+v of a module that is there, and no input", a.accept)
	}
}

// TestEndsInRealWorker has workers come to their ends in several ways.
func TestEndsInRealWorker(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{})
	r := newRequester(t, n, nil)
	for _, test := range []struct {
		guest  string
		status job.Status
		change func(*job.Manifest)
	}{
		{"unreachable", job.Trap, func(*job.Manifest) {}},
		{"loop", job.Timeout, func(m *job.Manifest) { m.TimeoutMS = 200 }},
		{"loop", job.OutOfFuel, func(m *job.Manifest) { m.Fuel = 1000 }},
		{"yes", job.OutputLimit, func(m *job.Manifest) { m.OutputLimitBytes = 300_000 }},
	} {
		j := newJob(module(t, test.guest), []byte("input that nobody reads"))
		test.change(j.manifest)
		if o := r.outcome(j, r.run(j)); o.Status != test.status {
			t.Errorf("%s: %+v", test.guest, o)
		}
	}
	j := newJob(module(t, "bad-body"), nil)
	r.run(j).rejected(t, job.RejectBadModule)
	j = newJob(module(t, "hang"), nil)
	c := r.open(j).until(wire.KindAccept).give().until(wire.KindStarted)
	if o := r.outcome(j, c.cancel(t).end()); o.Status != job.Cancelled {
		t.Errorf("%+v", o)
	}
	s := newJob(module(t, "cat"), nil).asStream()
	c = r.open(s).until(wire.KindAccept)
	if err := c.SendData(wire.KindModule, s.module); err != nil && c.accept.Module {
		t.Fatal(err)
	}
	c.input(t, "as it comes")
	c.sees(t, "as it comes")
	if err := c.Send(wire.StdinEnd{}); err != nil {
		t.Fatal(err)
	}
	if o := r.outcome(s, c.end()); o.Status != job.Exit || !o.StdinComplete {
		t.Errorf("%+v", o)
	}
}
