package serve

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"sync/atomic"
	"time"

	"plasm/lib/job"
	"plasm/lib/sandbox"
)

// fakeProgram is a guest that no worker runs: a function.
type fakeProgram struct {
	io.Reader           // its input
	io.Writer           // its output
	stderr    io.Writer //
	j         *sandbox.Job
}

// digested is what a fakeProgram wrote to or read from a stream.
type digested struct {
	w     io.Writer
	r     io.Reader
	sum   hash.Hash
	bytes atomic.Int64
	ended atomic.Bool
}

func (d *digested) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	d.sum.Write(p[:n])
	d.bytes.Add(int64(n))
	return n, err
}

func (d *digested) Read(p []byte) (int, error) {
	if d.r == nil {
		d.ended.Store(true)
		return 0, io.EOF
	}
	n, err := d.r.Read(p)
	d.sum.Write(p[:n])
	d.bytes.Add(int64(n))
	if err == io.EOF {
		d.ended.Store(true)
	}
	return n, err
}

func (d *digested) digest() job.Digest { return job.DigestOf(d.sum.Sum(nil)) }

// fakeRun is a Config.Run whose jobs start and do what play does; what it returns is
// how they end, unless they were cancelled. Of input of known digest it needs
// to read none.
func fakeRun(play func(context.Context, *fakeProgram) job.Status) func(context.Context,
	*sandbox.Job) (*sandbox.Report, error) {
	return func(ctx context.Context, j *sandbox.Job) (*sandbox.Report, error) {
		if ctx.Err() != nil {
			return nil, &job.Error{Code: job.CodeCancelled, Message: "cancelled", Err: context.Cause(ctx)}
		}
		j.Started()
		r := &sandbox.Report{Started: time.Now(), Engine: sandbox.EngineInfo{Name: "wazero", Version: "1"}}
		in, out, errs := &digested{r: j.Input.Reader, sum: sha256.New()}, &digested{w: j.Stdout, sum: sha256.New()},
			&digested{w: j.Stderr, sum: sha256.New()}
		status := play(ctx, &fakeProgram{in, out, errs, j})
		if ctx.Err() != nil {
			status, r.Cause = job.Cancelled, context.Cause(ctx)
		}
		o := &r.Outcome
		o.Status, o.StdoutBytes, o.StderrBytes = status, out.bytes.Load(), errs.bytes.Load()
		o.StdinHash, o.StdinBytes, o.StdinComplete = in.digest(), in.bytes.Load(), in.ended.Load()
		if j.Input.Hash != "" {
			_, _ = io.Copy(io.Discard, in)
			o.StdinHash, o.StdinBytes, o.StdinComplete = in.digest(), in.bytes.Load(), true
		}
		switch status {
		case job.Exit:
			o.ExitCode = new(uint32)
		case job.Trap:
			o.Trap = job.TrapUnreachable
		default:
		}
		r.StdoutHash, r.StderrHash, r.Guards, r.Finished = out.digest(), errs.digest(), []string{}, time.Now()
		o.WallTimeUS = r.Finished.Sub(r.Started).Microseconds()
		return r, nil
	}
}

// echo is a fakeProgram that writes its input.
func echo(_ context.Context, g *fakeProgram) job.Status {
	if _, err := io.Copy(g, g); err != nil {
		return job.EngineFailed
	}
	return job.Exit
}

// gate is a fakeProgram that writes "one ", waits to be opened, and writes "two".
type gate struct {
	runs    atomic.Int64
	entered chan struct{} // has a value for each that has written
	open    chan struct{}
	status  job.Status
}

func newGate() *gate {
	return &gate{entered: make(chan struct{}, 1000), open: make(chan struct{}), status: job.Exit}
}

func (g *gate) play(ctx context.Context, gh *fakeProgram) job.Status {
	g.runs.Add(1)
	_, _ = io.WriteString(gh, "one ")
	_, _ = io.WriteString(gh.stderr, "err")
	g.entered <- struct{}{}
	select {
	case <-g.open:
	case <-ctx.Done():
		return job.Cancelled
	}
	_, _ = io.WriteString(gh, "two")
	return g.status
}
