package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"plasm/lib/cli"
	"plasm/lib/cli/version"
	"plasm/lib/engine"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/lib/sandbox"
	"plasm/lib/tree"
)

// run runs the command and returns its exit code.
func run(in *cli.Invocation) int {
	o := newOptions(in)
	if err := cli.Limits().Check(name); err != nil {
		return o.flags.Report(in, err)
	}
	ctx, release := in.Signals()
	defer release()
	defer cli.Suspend(sandbox.Pause, sandbox.Resume)()
	code, err := o.run(ctx, in, release)
	if err == nil || errors.Is(err, cli.ErrDone) {
		return code
	}
	release() // so that a reader who does not read can be left
	return o.flags.Report(in, err)
}

// run does what the command line asks for. The exit code is for a nil error: a
// job that started, however it ended. It calls release when all is over but
// writing to stdout.
func (o *options) run(ctx context.Context, in *cli.Invocation, release func()) (int, error) {
	if err := o.flags.Parse(in.Args, in.Stdout); err != nil {
		return 0, err
	}
	log, err := o.flags.Logger(in.Stderr)
	if err != nil {
		return 0, err
	}
	if o.job.Identity {
		return 0, o.identity(in)
	}
	guards, dirs, err := o.check()
	if err != nil {
		return 0, err
	}
	if o.bulk.Given() {
		return o.batch(ctx, in, log, guards, dirs)
	}
	if o.job.Travel, err = o.travel.Gather(ctx); err != nil {
		return 0, err
	}
	defer o.job.Travel.Close()
	if o.job.PrintManifest || o.job.PrintJob {
		return 0, o.print(ctx, in, dirs)
	}
	return o.one(ctx, in, log, release, guards, dirs)
}

// one runs the job that the command line describes.
func (o *options) one(ctx context.Context, in *cli.Invocation, log *slog.Logger, release func(), guards []string,
	dirs []engine.Dir,
) (int, error) {
	b, err := o.backend(o.engine, log)
	if err != nil {
		return 0, err
	}
	s := o.supervisor(b, log)
	defer func() { s.Close() }()
	d, err := o.describe(ctx, in, dirs)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	if err := o.possible(d.Manifest, dirs); err != nil {
		return 0, err
	}
	if err := o.travel.CheckOutputs(d.Manifest, o.job.JSON); err != nil {
		return 0, err
	}
	folders, err := foldersOf(o.job.Travel, d.Manifest)
	if err != nil {
		return 0, err
	}
	defer folders.Close()
	if want := d.Manifest.Engine; want != "" && want != b.Engine.Name {
		if o.engine != autoEngine {
			return 0, unsupported("engine: the manifest asks for %q, and --engine for %q", want, o.engine)
		}
		if b, err = o.backend(want, log); err != nil {
			return 0, err
		}
		s.Close()
		s = o.supervisor(b, log)
	}
	if o.job.Results != "" {
		if err := cli.Interruptible(ctx, d.Whole); err != nil {
			return 0, err
		}
		if o.shelf, err = o.results(in, guards); err != nil {
			return 0, err
		}
		defer o.shelf.Close()
		if hit := o.shelf.Find(d.Manifest); hit != nil {
			defer hit.Close()
			return hit.Deliver(ctx, in, o.job, name, d.Manifest, release)
		}
	}
	run, end := o.runner(s, b, d.Manifest, log)
	defer end()
	return o.execute(ctx, in, run, log, release, &sandbox.Job{
		Manifest: d.Manifest, Module: d.Module, Input: sandbox.Input{Reader: d.Input.Reader, Hash: d.Input.Hash},
		Dirs: dirs, Folders: folders, RequireGuards: guards,
	})
}

// foldersOf returns what the folders of a manifest that travel are made of, nil when none does.
func foldersOf(t *cli.Travel, m *job.Manifest) (*sandbox.Folders, error) {
	pack, err := t.Pack(m)
	if err != nil || pack == nil {
		return nil, err
	}
	return sandbox.NewFolders(pack, nil)
}

// supervisor returns a supervisor with a worker that is being started.
func (o *options) supervisor(b *sandbox.Backend, log *slog.Logger) *sandbox.Supervisor {
	s := sandbox.New(o.config(b, log))
	s.Warm()
	s.OpenCache()
	return s
}

// describe reads all that the job is made of.
func (o *options) describe(ctx context.Context, in *cli.Invocation, dirs []engine.Dir) (*cli.Description, error) {
	var d *cli.Description
	err := cli.Interruptible(ctx, func() (err error) {
		d, err = o.job.Describe(in, o.flags.Args(), guestDirs(dirs))
		return err
	})
	if err != nil {
		return nil, err // and not d: somebody may still be at work on it
	}
	return d, nil
}

// print writes the document that the flags ask for.
func (o *options) print(ctx context.Context, in *cli.Invocation, dirs []engine.Dir) error {
	d, err := o.describe(ctx, in, dirs)
	if err != nil {
		return err
	}
	return cli.Interruptible(ctx, func() error {
		defer d.Close()
		return o.job.Print(in, d)
	})
}

// execute runs the job and puts its output, its receipt and its end where they
// belong.
func (o *options) execute(ctx context.Context, in *cli.Invocation, run runner, log *slog.Logger, release func(),
	j *sandbox.Job,
) (int, error) {
	var key *identity.Key
	if o.job.Signed() {
		var err error
		if key, err = o.job.LoadKey(in); err != nil {
			return 0, err
		}
	}
	out, err := o.job.Open(ctx, in)
	if err != nil {
		return 0, err
	}
	j.Stdout, j.Stderr = out.Stdout, out.Stderr
	report, err := run(ctx, j)
	if err != nil {
		out.Discard()
		return 0, o.job.AboutModule(o.flags.Args(), err)
	}
	log.Info("job.finished", report.Outcome.Attrs("job", j.Manifest.ID, "engine", report.Engine.Name)...)
	cli.TellOutcome(in.Stderr, name, j.Manifest, &report.Outcome, report.Cause, report.Trace)
	out.Trace = report.Trace
	err = out.Finish(func() ([]byte, error) { return sign(key, report, j.Manifest) })
	folders, undelivered := o.travel.Deliver(ctx, &report.Outcome, tree.Parts(report.Outputs), func(line string) {
		_, _ = fmt.Fprintf(in.Stderr, "%s: %s\n", name, cli.OneLine(line)) // who has no stderr is told nothing
	})
	out.Folders, err = folders, errors.Join(err, undelivered)
	o.shelf.Put(j.Manifest, &report.Outcome, out)
	release()
	if err != nil && !out.Printable() {
		return 0, err
	}
	if err = errors.Join(err, out.Print()); err != nil {
		return o.flags.Fail(in, err), nil // stdout has its document
	}
	out.Closing(name, "here", j.Manifest, &report.Outcome)
	return cli.OutcomeCode(&report.Outcome, report.Cause), nil
}

// sign returns the receipt for a job that started.
func sign(key *identity.Key, report *sandbox.Report, m *job.Manifest) ([]byte, error) {
	return receipt.Sign(key, report.Statement(m, receipt.Node{
		PeerID: key.PeerID(), Version: version.String(),
	}))
}
