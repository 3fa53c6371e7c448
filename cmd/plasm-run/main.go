// Command plasm-run runs a WebAssembly program as a job on this machine, and
// signs a receipt for it. It is also the worker that jobs run in.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"plasm/lib/cli"
	"plasm/lib/engine/wazero"
	"plasm/lib/identity"
	"plasm/lib/receipt"
	"plasm/lib/sandbox"
	"plasm/lib/sandbox/worker"
)

const name = "plasm-run"

// workerFlag makes the command a worker. It is not for people: without the
// descriptors that a supervisor passes there is nothing that a worker can do.
const workerFlag = "--worker"

func main() {
	if len(os.Args) == 2 && os.Args[1] == workerFlag {
		os.Exit(worker.Process(wazero.Engine{}))
	}
	os.Exit(run(cli.Process(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)))
}

// run runs the command and returns its exit code.
func run(in *cli.Invocation) int {
	o := newOptions(in)
	code, err := o.run(in)
	if err == nil || errors.Is(err, cli.ErrDone) {
		return code
	}
	return cli.Report(in, name, err)
}

// run does what the command line asks for. The exit code is for a nil error: a
// job that started, however it ended.
func (o *options) run(in *cli.Invocation) (int, error) {
	if err := o.flags.Parse(in.Args, in.Stdout); err != nil {
		return 0, err
	}
	log, err := o.flags.Logger(in.Stderr)
	if err != nil {
		return 0, err
	}
	if o.job.Peer {
		return 0, o.identity(in)
	}
	guards, dirs, err := o.check()
	if err != nil {
		return 0, err
	}
	ctx, release := cli.Signals()
	defer release()
	s := sandbox.New(o.config(log))
	defer s.Close()
	if !o.job.PrintManifest && !o.job.PrintJob {
		s.Warm()
		s.OpenCache()
	}
	d, err := o.job.Describe(in, o.flags.Args(), guestDirs(dirs))
	if err != nil {
		return 0, err
	}
	defer d.Close()
	if printed, err := o.job.Print(in, d); printed {
		return 0, err
	}
	if err := o.possible(d.Manifest, dirs); err != nil {
		return 0, err
	}
	return o.execute(ctx, in, s, log, &sandbox.Job{
		Manifest: d.Manifest, Module: d.Module, Input: sandbox.Input{Reader: d.Input.Reader, Hash: d.Input.Hash},
		Dirs: dirs, RequireGuards: guards,
	})
}

// execute runs the job and puts its output, its receipt and its end where they
// belong.
func (o *options) execute(ctx context.Context, in *cli.Invocation, s *sandbox.Supervisor, log *slog.Logger, j *sandbox.Job) (int, error) {
	var key *identity.Key
	if o.job.JSON || o.job.Receipt != "" {
		var err error
		if key, err = o.job.LoadKey(in); err != nil {
			return 0, err
		}
	}
	out, err := o.job.Open(in)
	if err != nil {
		return 0, err
	}
	j.Stdout, j.Stderr = out.Stdout, out.Stderr
	report, err := s.Run(ctx, j)
	if err != nil {
		out.Discard()
		return 0, err
	}
	log.Info("job.finished", "job", j.Manifest.ID, "status", report.Outcome.Status, "wall_us", report.Outcome.WallTimeUS)
	err = out.Finish(func() ([]byte, error) {
		return receipt.Sign(key, report.Statement(j.Manifest, receipt.Node{
			PeerID: key.PeerID(), Version: cli.Version(), Engine: builtIn(),
		}))
	})
	if err != nil {
		return 0, err
	}
	cli.TellOutcome(in.Stderr, name, j.Manifest, &report.Outcome, report.Cause)
	return cli.OutcomeCode(&report.Outcome, report.Cause), nil
}

func builtIn() receipt.Engine {
	var e wazero.Engine
	return receipt.Engine{Name: e.Name(), Version: e.Version()}
}
