package main

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"plasm/lib/batch"
	"plasm/lib/cli"
	"plasm/lib/cli/bulk"
	"plasm/lib/engine"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/sandbox"
	"plasm/lib/tree"
)

// here is the one place where this command's jobs run, whose name nobody is told.
const here = ""

// batch runs the jobs of --each or --batch.
func (o *options) batch(ctx context.Context, in *cli.Invocation, log *slog.Logger, guards []string,
	dirs []engine.Dir,
) (int, error) {
	c := &bulk.Command{
		Name: name, Flags: o.bulk, Job: o.job, Fleet: &batch.Fleet{},
		Deadline: func(*job.Manifest) time.Duration { return 0 },
	}
	var p *bulk.Plan
	err := cli.Interruptible(ctx, func() (err error) {
		p, err = c.Prepare(in, o.flags.Args(), guestDirs(dirs),
			func(m *job.Manifest) error { return o.possible(m, dirs) })
		return err
	})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	parallel := int(o.bulk.Parallel)
	if parallel == 0 {
		parallel = runtime.GOMAXPROCS(0)
	}
	o.spare = parallel
	run, end, err := o.runners(p.Shared().Manifest(), log)
	if err != nil {
		return 0, err
	}
	defer end()
	key := sync.OnceValues(func() (*identity.Key, error) { return o.job.LoadKey(in) })
	if o.job.Signed() {
		if _, err := key(); err != nil {
			return 0, err
		}
	}
	if c.Shelf, err = o.results(in, guards); err != nil {
		return 0, err
	}
	defer c.Shelf.Close()
	c.Fleet.Join(here, parallel, 0)
	c.Fleet.Settled()
	one := &attempt{run: run, key: key, log: log, guards: guards, dirs: dirs}
	c.Attempt = one.once
	return p.Run(ctx)
}

// runners returns what runs jobs such as m, with workers that are kept ready. end comes
// when all have ended.
func (o *options) runners(m *job.Manifest, log *slog.Logger) (run runner, end func(), err error) {
	name := o.engine
	if m.Engine != "" {
		if name != autoEngine && name != m.Engine {
			return nil, nil, unsupported("engine: the manifest asks for %q, and --engine for %q", m.Engine, name)
		}
		name = m.Engine
	}
	b, err := o.backend(name, log)
	if err != nil {
		return nil, nil, err
	}
	s := o.supervisor(b, log)
	run, endOther := o.runner(s, b, m, log)
	return run, func() { endOther(); s.Close() }, nil
}

// attempt is what the jobs of a batch are run with.
type attempt struct {
	run    runner
	key    func() (*identity.Key, error)
	log    *slog.Logger
	guards []string
	dirs   []engine.Dir
}

// once runs an item's job, as bulk.Command has it.
func (x *attempt) once(ctx context.Context, t *bulk.Task, a batch.Attempt,
	started func(),
) (*batch.Result, *batch.Failure) {
	if t.Of.Line.Receipt != "" {
		if _, err := x.key(); err != nil {
			return nil, bulk.Failure(err)
		}
	}
	folders, err := foldersOf(t.Travel, t.Manifest)
	if err != nil {
		return nil, bulk.Failure(err)
	}
	defer folders.Close()
	out, err := t.Open(ctx, a)
	if err != nil {
		return nil, bulk.Failure(err)
	}
	report, err := x.run(ctx, &sandbox.Job{
		Manifest: t.Manifest, Module: t.Module, Input: sandbox.Input{Reader: t.Input.Reader, Hash: t.Input.Hash},
		Dirs: x.dirs, Folders: folders, RequireGuards: x.guards, Stdout: out.Stdout, Stderr: out.Stderr,
		Started: started,
	})
	if err != nil {
		out.Discard()
		return nil, bulk.Failure(err)
	}
	out.Trace = report.Trace
	out.Deliver = func(tell func(string)) (*job.Carried, error) {
		return t.Folders.Deliver(ctx, &report.Outcome, tree.Parts(report.Outputs), tell)
	}
	x.log.Info("job.finished", report.Outcome.Attrs("job", t.Manifest.ID, "engine", report.Engine.Name)...)
	return out.Done(&report.Outcome, report.Cause, "", func() ([]byte, error) {
		key, err := x.key()
		if err != nil {
			return nil, err
		}
		return sign(key, report, t.Manifest)
	}), nil
}
