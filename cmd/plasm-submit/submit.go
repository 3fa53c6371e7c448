package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"plasm/lib/cli"
	"plasm/lib/exchange/submit"
	"plasm/lib/identity"
	"plasm/lib/job"
)

// run does what the command line asks for. The exit code is for a nil error: a
// job that started, however it ended. It calls release when all is over but
// writing to stdout.
func (o *options) run(ctx context.Context, in *cli.Invocation, release func()) (int, error) {
	began := time.Now()
	if err := o.flags.Parse(in.Args, in.Stdout); err != nil {
		return 0, err
	}
	o.progress = &progress{stderr: in.Stderr, called: o.short}
	log, err := o.flags.Logger(o.progress)
	if err != nil {
		return 0, err
	}
	if o.job.Identity {
		return 0, o.identity(in)
	}
	if o.edit.given() {
		return 0, o.editTrust(in)
	}
	if err := o.check(); err != nil {
		return 0, err
	}
	if o.bulk.Given() {
		return o.batch(ctx, in, log)
	}
	if o.deadlineMS > 0 {
		var cancel context.CancelFunc
		ctx, cancel = o.until(ctx, in, began, o.deadlineMS)
		defer cancel()
	}
	if o.ticket.attach != "" {
		return o.comeBack(ctx, in, log, release, began)
	}
	if o.job.PrintManifest || o.job.PrintJob {
		return 0, o.print(ctx, in)
	}
	return o.submit(ctx, in, log, release, began)
}

// until returns a context that ends with the command's deadline.
func (o *options) until(ctx context.Context, in *cli.Invocation, began time.Time,
	ms int64,
) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithDeadlineCause(ctx, began.Add(time.Duration(ms)*time.Millisecond), submit.ErrDeadline)
	in.Until(ctx)
	return ctx, cancel
}

// within returns a context that ends when a job of that timeout must have ended, where no
// flag says when that is.
func (o *options) within(ctx context.Context, in *cli.Invocation, began time.Time,
	timeoutMS int64,
) (context.Context, context.CancelFunc) {
	if o.deadlineMS != 0 {
		return ctx, func() {}
	}
	return o.until(ctx, in, began, deadlineBeyond+timeoutMS)
}

// print writes the document that the flags ask for.
func (o *options) print(ctx context.Context, in *cli.Invocation) error {
	d, err := o.describe(ctx, in)
	if err != nil {
		return err
	}
	return late(cli.Interruptible(ctx, func() error {
		defer d.Close()
		defer o.job.Travel.Close()
		return o.job.Print(in, d)
	}))
}

// submit describes the job, finds a node for it, and puts its output, its receipt
// and its end where they belong.
func (o *options) submit(ctx context.Context, in *cli.Invocation, log *slog.Logger, release func(),
	began time.Time,
) (int, error) {
	peers, trust, err := o.whom(in)
	if err != nil {
		return 0, err
	}
	described, enough := o.describing(ctx, in)
	defer enough()
	key, err := o.job.LoadKey(in)
	if err != nil {
		return 0, err
	}
	if o.shelf, err = o.results(in, trust); err != nil {
		return 0, err
	}
	defer o.shelf.Close()
	d, hit, err := o.find(ctx, described)
	if err != nil {
		return 0, err
	}
	if hit != nil {
		defer hit.Close()
		return hit.Deliver(ctx, in, o.job, name, d.Manifest, release)
	}
	if !o.verbose && !o.streams(in) {
		o.progress.start(o.getenv, "reading the job")
		defer o.progress.stop()
	}
	host, err := o.where.Start(ctx, o.peersFile == "" && reachable(peers), log) // finds its way while the job is read
	if err != nil {
		return 0, err
	}
	defer func() { _ = host.Close() }() // nothing of it is needed any more
	defer connect(ctx, host, peers)()
	if d, err = described(); err != nil {
		return 0, err
	}
	if err := o.travel.CheckOutputs(d.Manifest, o.job.JSON || o.ticket.detach || o.dryRun); err != nil {
		return 0, err
	}
	j, closeInput, err := o.newJob(ctx, in, d)
	if err != nil {
		return 0, late(err)
	}
	defer closeInput()
	if err := o.mayAgree(j.Manifest, trust); err != nil {
		return 0, err
	}
	ctx, cancel := o.within(ctx, in, began, j.Manifest.TimeoutMS)
	defer cancel()
	o.progress.say("", "looking for a node")
	cfg := o.config(in, log, key, trust)
	cfg.Host, cfg.Hedge, cfg.Started = host, o.hedge(), o.progress.timing(j.Manifest)
	f := &finder{o: o, in: in, host: host, peers: peers, need: o.need(j.Manifest)}
	cfg.Fits = f.need.Against
	if o.dryRun || o.ticket.detach {
		return 0, o.withoutAnswer(ctx, in, release, cfg, j, f.source())
	}
	return o.execute(ctx, in, release, j, func(out *cli.Outputs) (*submit.Result, error) {
		return o.answer(ctx, in, cfg, j, f.source(), out)
	})
}

// newJob is the job as it is submitted. Its streams are Live's, or there is none.
func (o *options) newJob(ctx context.Context, in *cli.Invocation, d *cli.Description) (*submit.Job, func(), error) {
	pack, err := o.job.Travel.Open(d.Manifest)
	if err != nil {
		return nil, nil, err
	}
	j := &submit.Job{Manifest: d.Manifest, Module: d.Module, Pack: pack}
	if o.streams(in) {
		j.Live = &submit.Live{}
		if d.Manifest.StdinHash == "" {
			j.Live.Stdin = d.Input.Reader
			return j, func() {}, nil
		}
	}
	var input *stdin
	err = cli.Interruptible(ctx, func() (err error) {
		input, err = whole(d)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	j.Stdin, j.StdinBytes = input.r, input.bytes
	return j, input.close, nil
}

// config is what the flags say of how to submit.
func (o *options) config(in *cli.Invocation, log *slog.Logger, key *identity.Key, t *trust) submit.Config {
	cfg := submit.Config{
		Key: key, Trusted: t.trusts, Admit: t.admit, Guards: o.guards, Retries: int(o.retries),
		Spool: func() submit.Spool { return &cli.Spool{} }, File: tempFile, Log: log,
		AttemptTimeout: time.Duration(o.attemptMS) * time.Millisecond,
		Tell:           o.progress.say, Sending: o.progress.sending,
	}
	if o.verbose {
		cfg.Tell = func(peerID, text string) { o.say(in.Stderr, peerID, text) }
	}
	return cfg
}

// tempFile holds folders that are not verified yet.
func tempFile() (submit.File, error) { return cli.TempFile() }

// execute writes what came of the job, which answer says.
func (o *options) execute(
	ctx context.Context, in *cli.Invocation, release func(), j *submit.Job,
	answer func(*cli.Outputs) (*submit.Result, error),
) (int, error) {
	out, err := o.job.Open(ctx, in)
	if err != nil {
		return 0, err
	}
	if j.Live != nil {
		j.Live.Stdout, j.Live.Stderr = out.Stdout, out.Stderr
	}
	result, err := answer(out)
	o.progress.stop()
	if err != nil {
		out.Discard()
		return 0, o.job.AboutModule(o.flags.Args(), err)
	}
	defer result.Close()
	outcome := result.Verified.Outcome
	err = deliver(ctx, out, func() error {
		err := write(out, result)
		cli.TellOutcome(in.Stderr, name, j.Manifest, outcome, result.Cause, result.Trace)
		out.Trace = result.Trace
		err = errors.Join(err, out.Finish(func() ([]byte, error) { return result.Receipt, nil }))
		folders, undelivered := o.travel.Deliver(context.WithoutCancel(ctx), outcome, result.Folders,
			func(line string) { say(in.Stderr, "", line) })
		out.Folders = folders
		return errors.Join(err, undelivered)
	})
	if err == nil {
		o.shelf.Put(j.Manifest, outcome, out)
	}
	stopped := ctx.Err() != nil
	printing, cancel := deadlineOf(ctx)
	defer cancel()
	in.Until(printing)
	release()
	if err != nil && (stopped || !out.Printable()) {
		return 0, err
	}
	if err = errors.Join(err, deliver(printing, out, out.Print)); err != nil {
		return o.flags.Fail(in, err), nil // stdout has its document
	}
	_, byNode := errors.AsType[*submit.EndedError](result.Cause)
	if result.Cause != nil && !byNode && outcome.Status != job.Cancelled { // output could not be written
		return o.flags.Fail(in, result.Cause), nil
	}
	out.Closing(name, "by "+o.names.Shown(result.Verified.Node.PeerID), j.Manifest, outcome)
	return cli.OutcomeCode(outcome, result.Cause), nil
}

// deliver has do write what readers may hold up, until ctx ends.
func deliver(ctx context.Context, out *cli.Outputs, do func() error) error {
	err := out.Deliver(ctx, do)
	if err != nil && errors.Is(err, context.Cause(ctx)) {
		return submit.Unread(ctx)
	}
	return err
}

// deadlineOf returns a context that only the deadline of ctx ends.
func deadlineOf(ctx context.Context) (context.Context, context.CancelFunc) {
	own := context.WithoutCancel(ctx)
	if by, ok := ctx.Deadline(); ok {
		return context.WithDeadlineCause(own, by, submit.ErrDeadline)
	}
	return own, func() {}
}

// write writes output that was held until it was verified.
func write(out *cli.Outputs, r *submit.Result) error {
	if r.Stdout == nil {
		return nil
	}
	_, err := io.Copy(out.Stdout, r.Stdout)
	_, err2 := io.Copy(out.Stderr, r.Stderr)
	return errors.Join(err, err2)
}
