package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"plasm/lib/batch"
	"plasm/lib/cli"
	"plasm/lib/cli/bulk"
	"plasm/lib/exchange/submit"
	"plasm/lib/job"
)

// batch submits the jobs of --each or --batch, from one host.
func (o *options) batch(ctx context.Context, in *cli.Invocation, log *slog.Logger) (int, error) {
	peers, trust, err := o.whom(in)
	if err != nil {
		return 0, err
	}
	key, err := o.job.LoadKey(in)
	if err != nil {
		return 0, err
	}
	c := &bulk.Command{
		Name: name, Flags: o.bulk, Job: o.job, Fleet: &batch.Fleet{}, Retries: int(o.retries),
		Expired: submit.ErrDeadline,
		Hedge:   o.hedge(), Outrun: submit.ErrOutrun, Deadline: o.timeFor, Where: onNodes, Verbose: o.verbose,
		Called: o.names.Shown,
	}
	plan, err := o.plan(ctx, in, c)
	if err != nil {
		return 0, err
	}
	defer plan.Close()
	if err := o.mayAgree(plan.Shared().Manifest(), trust); err != nil {
		return 0, err
	}
	if c.Shelf, err = o.results(in, trust); err != nil {
		return 0, err
	}
	defer c.Shelf.Close()
	host, err := o.where.Start(ctx, o.peersFile == "" && reachable(peers), log)
	if err != nil {
		return 0, err
	}
	defer func() { _ = host.Close() }() // nothing of it is needed any more
	defer connect(ctx, host, peers)()
	m := plan.Shared().Manifest()
	n := &nodes{
		finder: &finder{o: o, in: in, host: host, peers: peers, need: o.need(m)},
		trust:  trust, fleet: c.Fleet, known: map[string]submit.Candidate{},
	}
	defer n.search(ctx)()
	cfg := o.config(in, log, key, trust)
	cfg.Host, cfg.Spool, cfg.Sending = host, func() submit.Spool { return cli.ItemSpool() }, nil
	c.Patience, c.Nowhere = o.timeFor(m), n.nowhere
	c.Attempt = func(ctx context.Context, t *bulk.Task, a batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		cfg := cfg
		cfg.Started, cfg.Fits, cfg.Tell = started, o.need(t.Manifest).Against, nil
		if o.verbose {
			cfg.Tell = func(_, text string) { _, _ = fmt.Fprintf(in.Stderr, "%s: %s\n", t.Name(a), cli.OneLine(text)) }
		}
		return o.attempt(ctx, cfg, t, a, n.candidate(a.Place))
	}
	return plan.Run(ctx)
}

// plan reads what all jobs have in common, and opens the list and the log.
func (o *options) plan(ctx context.Context, in *cli.Invocation, c *bulk.Command) (plan *bulk.Plan, err error) {
	own := *in
	if o.takesStdin() {
		own.Stdin = nil
	}
	err = cli.Interruptible(ctx, func() (err error) {
		plan, err = c.Prepare(&own, o.flags.Args(), nil, o.place)
		return err
	})
	if err != nil {
		return nil, err // and not plan: somebody may still be at work on it
	}
	return plan, nil
}

// timeFor is how long a job may take, from its first offer on.
func (o *options) timeFor(m *job.Manifest) time.Duration {
	ms := o.deadlineMS
	if ms == 0 {
		ms = deadlineBeyond + m.TimeoutMS
	}
	return time.Duration(ms) * time.Millisecond
}

// onNodes says on how many nodes a batch has run.
func onNodes(s *batch.Summary) string {
	used := 0
	for _, p := range s.Places {
		if p.Jobs > 0 {
			used++
		}
	}
	if used == 1 {
		return "on 1 node"
	}
	return fmt.Sprintf("on %d nodes", used)
}

// attempt submits an item's job to one node.
func (o *options) attempt(ctx context.Context, cfg submit.Config, t *bulk.Task, a batch.Attempt,
	to submit.Candidate,
) (*batch.Result, *batch.Failure) {
	ballot := o.ballotOf(t)
	if ballot != nil && ballot.Asked(a.Place) {
		return nil, &batch.Failure{
			Kind: batch.Unfit,
			Err:  ballot.Short(ctx, errors.New("another node of its group has answered")),
		}
	}
	input, err := known(t.Input)
	if err != nil {
		return nil, bulk.Failure(readError(err))
	}
	out, err := t.Open(ctx, a) // before the job starts: better none than one whose output has nowhere to go
	if err != nil {
		return nil, bulk.Failure(err)
	}
	pack, err := t.Pack()
	if err != nil {
		return nil, bulk.Failure(err)
	}
	r, failed := submit.Once(ctx, cfg, &submit.Job{
		Manifest: t.Manifest, Module: t.Module, Stdin: input.r, StdinBytes: input.bytes, Pack: pack,
	}, to)
	var f *batch.Failure
	if failed != nil {
		f = failureOf(failed)
		r = failed.Result
	}
	if ballot != nil {
		r, f = o.agree(ctx, ballot, out, r, f)
	}
	if a.First != nil && r != nil {
		r, f = first(a, r, f)
	}
	if r == nil {
		out.Discard()
		return nil, f
	}
	defer r.Close()
	if err := write(out.Outputs, r); err != nil {
		out.Discard()
		return nil, bulk.Failure(err)
	}
	out.Trace = r.Trace
	out.Deliver = func(tell func(string)) (*job.Carried, error) {
		return t.Folders.Deliver(ctx, r.Verified.Outcome, r.Folders, tell)
	}
	result := out.Done(r.Verified.Outcome, r.Cause, job.Sum(r.Receipt),
		func() ([]byte, error) { return r.Receipt, nil })
	if f != nil {
		f.Result = result
		return nil, f
	}
	return result, nil
}

// failureOf says what a failed attempt means for the others.
func failureOf(e *submit.FailedError) *batch.Failure {
	if e.GiveUp {
		return bulk.Failure(e.Err)
	}
	f := &batch.Failure{Kind: batch.Unfit, Err: e.Err, Counted: e.Accepted, After: e.RetryAfter}
	switch e.Rejection.Code {
	case job.RejectBusy, job.RejectRateLimited:
		f.Kind = batch.Busy
	case job.RejectNotAllowed:
		f.Kind = batch.Closed
	case job.RejectInternal, job.RejectShuttingDown, job.RejectUnreachable:
		f.Kind = batch.Faulty
		if !e.Reached && !e.Accepted {
			f.Kind = batch.Unreached
		}
	default:
	}
	return f
}

// nowhere is the error of a batch that no node runs.
func (n *nodes) nowhere(err error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := &job.Error{Code: job.CodeNoNode, Message: "no node was found that is trusted and fits", Err: err}
	switch own, ok := errors.AsType[*job.Error](n.err); {
	case errors.Is(err, batch.ErrStarved):
		e.Message, e.Hint = "no node has taken a job for too long", "allow it more with --deadline"
		return e
	case ok:
		copied := *own
		e = &copied
	}
	if n.admit != "" {
		e.Hint = "to trust the first of them: " + n.admit
	}
	e.Nodes = n.leftOut
	return e
}
