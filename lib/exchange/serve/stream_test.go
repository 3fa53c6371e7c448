package serve

import (
	"bytes"
	"context"
	"io"
	"reflect"
	"testing"

	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/store"
)

func (c *talk) input(t *testing.T, s string) {
	t.Helper()
	if err := c.SendData(wire.KindStdin, []byte(s)); err != nil {
		t.Fatal(err)
	}
}

// sees takes frames until all of stdout is want.
func (c *talk) sees(t *testing.T, want string) {
	t.Helper()
	for string(c.stdout) != want {
		if _, err := c.next(); err != nil || c.receipt != nil || c.rejection != nil {
			t.Fatalf("stdout %q, not %q: %v %+v", c.stdout, want, err, c.rejection)
		}
	}
}

func TestStreamedInput(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), nil).asStream()
	c := r.open(j).until(wire.KindAccept)
	if !reflect.DeepEqual(*c.accept, wire.Accept{Module: true, Stdin: true}) {
		t.Errorf("accept %+v", c.accept)
	}
	if err := c.SendData(wire.KindModule, j.module); err != nil {
		t.Fatal(err)
	}
	c.until(wire.KindStarted)
	c.input(t, "one ")
	c.sees(t, "one ")
	c.Reset() // and back: the job waits

	o := r.offer(j)
	o.StdoutFrom = 2
	c = r.openOffer(j, o).until(wire.KindAccept)
	if !reflect.DeepEqual(*c.accept, wire.Accept{Stdin: true, StdinFrom: 4, Attached: true}) {
		t.Errorf("accept %+v", c.accept)
	}
	c.input(t, "two")
	c.sees(t, "e two")
	if err := c.Send(wire.StdinEnd{}); err != nil {
		t.Fatal(err)
	}
	a := c.end()
	a.stdout = []byte("one two")
	if o := r.outcome(j, a); o.StdinBytes != 7 || !o.StdinComplete || o.StdinHash != job.Sum([]byte("one two")) {
		t.Errorf("%+v", o)
	}
	n.idle(t)
	if c := r.open(j).until(wire.KindAccept); c.accept.Attached {
		t.Error("the result was kept")
	}
}

// TestStreamedInputThatNobodyReads fills what there is room for, and cancels.
func TestStreamedInputThatNobodyReads(t *testing.T) {
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{Config: Config{Run: fakeRun(g.play)}})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), nil).asStream()
	c := r.open(j).until(wire.KindAccept)
	if err := c.SendData(wire.KindModule, j.module); err != nil {
		t.Fatal(err)
	}
	wait(t, "the job", g.entered)
	c.giving.Go(func() { _ = c.SendData(wire.KindStdin, make([]byte, 32<<20)) }) // until the test ends
	eventually(t, "the pipe is full", func() bool { return n.seen.count("moved stdin") > pipeSize })
	if moved := n.seen.count("moved stdin"); moved > 2*pipeSize {
		t.Errorf("%d bytes were taken that nobody reads", moved)
	}
	a := r.open(j).cancel(t).end()
	if o := r.outcome(j, a); o.Status != job.Cancelled || o.StdinComplete {
		t.Errorf("%+v", o)
	}
}

func TestStreamedInputTooLarge(t *testing.T) {
	t.Parallel()
	limits := job.NodeLimits{
		MemoryMB: 1024, TimeoutMS: 60_000, ModuleBytes: 1000, InputBytes: 100_000,
		OutputBytes: 8 << 20,
	}
	n := startNode(t, setup{Config: Config{Run: fakeRun(func(ctx context.Context, g *fakeProgram) job.Status {
		_, _ = io.Copy(io.Discard, g)
		<-ctx.Done()
		return job.Cancelled
	})}, limits: &limits})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), nil).asStream()
	c := r.open(j).until(wire.KindAccept)
	if err := c.SendData(wire.KindModule, j.module); err != nil {
		t.Fatal(err)
	}
	c.until(wire.KindStarted)
	c.input(t, string(make([]byte, 100_001)))
	if o := r.outcome(j, c.end()); o.Status != job.Cancelled || o.StdinBytes > 100_000 {
		t.Errorf("%+v", o)
	}
}

func TestInputOverSeveralStreams(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte("0123456789"), 30_000)
	for name, in := range map[string]func() (input, func() []byte){
		"pipe": func() (input, func() []byte) {
			p := newPipe(1 << 20)
			got := make(chan []byte, 1)
			go func() {
				all, _ := io.ReadAll(p)
				got <- all
			}()
			return p, func() []byte { return <-got }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, got := in()
			for at := 0; at < len(data); at += 5_000 { // each piece twice, and half of the one before
				for range 2 {
					from := max(at-2_500, 0)
					if _, r, err := in.take(int64(from), data[from:min(at+5_000, len(data))]); r != nil || err != nil {
						t.Fatal(r, err)
					}
				}
			}
			in.end(10) // of a stream that is behind
			in.end(int64(len(data)))
			if !bytes.Equal(got(), data) {
				t.Error("other bytes arrive")
			}
			if n, whole := in.come(); n != int64(len(data)) || !whole {
				t.Errorf("%d, %v", n, whole)
			}
		})
	}
}

// TestInputIsVerifiedBeforeTheStart gives an input of the right length, and wrong.
func TestInputIsVerifiedBeforeTheStart(t *testing.T) {
	t.Parallel()
	s, err := store.Open(store.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		data string
		want bool
	}{{"input", true}, {"inpuT", false}} {
		j, run, err := s.Accept(store.Request{Requester: identity.Generate().PeerID(), ID: job.NewID(), Input: 5})
		if err != nil {
			t.Fatal(err)
		}
		in := newSpooled(j.Stdin(), 5, job.Sum([]byte("input")))
		whole, r, err := in.take(0, []byte(test.data[:3]))
		if in.ready() || whole || r != nil || err != nil {
			t.Errorf("%s, half of it: %v %v %v", test.data, whole, r, err)
		}
		whole, r, err = in.take(2, []byte(test.data[2:]))
		if in.ready() != test.want || whole != test.want || (r == nil) != test.want || err != nil {
			t.Errorf("%s: ready %v, whole %v, %v, %v", test.data, in.ready(), whole, r, err)
		}
		run.Forget(nil)
		j.Close()
	}
}
