package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"

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
			if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeNotFound {
				leftOut(log, other.Name, err)
			}
		}
		name = builtInEngine
	}
	if name == builtInEngine {
		return &sandbox.Backend{Worker: []string{self(), workerFlag}, Engine: engineOfWorkers(), Version: version.String()}, nil
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

// orBuiltIn runs a job with s, and with the engine that is built in where s turns out
// to have no worker that can.
func (o *options) orBuiltIn(s *sandbox.Supervisor, engine string, log *slog.Logger) runner {
	return func(ctx context.Context, j *sandbox.Job) (*sandbox.Report, error) {
		report, err := s.Run(ctx, j)
		if !errors.Is(err, sandbox.ErrNoWorker) {
			return report, err
		}
		leftOut(log, engine, err)
		b, err := o.backend(builtInEngine, log)
		if err != nil {
			return nil, err
		}
		s := o.supervisor(b, log)
		defer s.Close()
		return s.Run(ctx, j)
	}
}
