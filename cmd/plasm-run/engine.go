package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"plasm/lib/cli/version"
	"plasm/lib/job"
	"plasm/lib/sandbox"
)

// builtInEngine is the name of the engine that is in this executable.
const builtInEngine = "wazero"

// autoEngine lets the command choose the engine.
const autoEngine = "auto"

// backend finds the engine of a name, or with "auto" the fastest that is here and
// has no known fault.
func (o *options) backend(name string, log *slog.Logger) (*sandbox.Backend, error) {
	others := sandbox.OtherEngines()
	if name == autoEngine {
		for _, other := range others {
			b, err := o.find(other)
			if fault := other.Fault(runtime.GOARCH); err == nil && fault != "" {
				log.Info("engine left out", "engine", other.Name, "error", fault)
				continue
			}
			if err == nil {
				return b, nil
			}
			if !errors.Is(err, sandbox.ErrNoEngine) {
				leftOut(log, other.Name, err)
			}
		}
		name = builtInEngine
	}
	if name == builtInEngine {
		return &sandbox.Backend{
			Worker: []string{self(), workerFlag}, Engine: engineOfWorkers(),
			Version: version.String(),
		}, nil
	}
	var names []string
	for _, e := range others {
		if e.Name == name {
			return o.find(e)
		}
		names = append(names, e.Name)
	}
	return nil, unsupported("--engine: %q is none; there are %s and %s", name, strings.Join(names, ", "), builtInEngine)
}

// find finds an engine that is an executable of its own.
func (o *options) find(e sandbox.EngineInfo) (*sandbox.Backend, error) {
	var dirs []string
	if o.engines != "" {
		dirs = append(dirs, o.engines)
	}
	if exe := executable(); exe != "" {
		dirs = append(dirs, filepath.Dir(exe))
	}
	return sandbox.FindEngine(version.String(), e, dirs...)
}

func leftOut(log *slog.Logger, engine string, err error) {
	log.Warn("engine left out", "engine", engine, "error", err)
}

// runner is what runs a job: sandbox.Supervisor.Run.
type runner func(context.Context, *sandbox.Job) (*sandbox.Report, error)

// runner returns what runs jobs such as m with s, which has the engine of b: with "auto"
// the one that is built in takes over from where s turns out to have no worker that can.
// end comes when all have ended, before that of s.
func (o *options) runner(s *sandbox.Supervisor, b *sandbox.Backend, m *job.Manifest,
	log *slog.Logger,
) (run runner, end func()) {
	if o.engine != autoEngine || m.Engine != "" || b.Engine.Name == builtInEngine {
		return s.Run, func() {}
	}
	var other *sandbox.Supervisor
	builtIn := sync.OnceValues(func() (*sandbox.Supervisor, error) {
		b, err := o.backend(builtInEngine, log)
		if err == nil {
			other = o.supervisor(b, log)
		}
		return other, err
	})
	run = func(ctx context.Context, j *sandbox.Job) (*sandbox.Report, error) {
		report, err := s.Run(ctx, j)
		if !errors.Is(err, sandbox.ErrNoWorker) {
			return report, err
		}
		leftOut(log, b.Engine.Name, err)
		s, err := builtIn()
		if err != nil {
			return nil, err
		}
		return s.Run(ctx, j)
	}
	return run, func() {
		if other != nil {
			other.Close()
		}
	}
}
