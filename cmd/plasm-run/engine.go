package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"plasm/lib/cli"
	"plasm/lib/job"
	"plasm/lib/sandbox"
)

// builtInEngine is the name of the engine that is in this executable.
const builtInEngine = "wazero"

// backend finds the engine of a name, or with "auto" the fastest that is here.
func (o *options) backend(ctx context.Context, name string, log *slog.Logger) (*sandbox.Backend, error) {
	others := sandbox.OtherEngines()
	switch {
	case name == builtInEngine:
		return &sandbox.Backend{Worker: []string{self(), workerFlag}, Engine: engineOfWorkers()}, nil
	case slices.Contains(others, name):
		return o.installed(ctx, name)
	case name != "auto":
		return nil, unsupported("--engine: %q is none; there are %s and %s", name, strings.Join(others, ", "), builtInEngine)
	}
	for _, other := range others {
		b, err := o.installed(ctx, other)
		if err == nil {
			return b, nil
		}
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeNotFound {
			log.Warn("engine left out", "engine", other, "error", err)
		}
	}
	return o.backend(ctx, builtInEngine, log)
}

// installed finds an engine that is an executable of its own.
func (o *options) installed(ctx context.Context, name string) (*sandbox.Backend, error) {
	var dirs []string
	if o.engines != "" {
		dirs = append(dirs, o.engines)
	}
	if exe := executable(); exe != "" {
		dirs = append(dirs, filepath.Dir(exe))
	}
	return sandbox.Installed(ctx, cli.Version(), name, dirs...)
}
