package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"

	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/lib/sandbox"
)

// The engines that there are, the fastest first, and the one that is built in.
const (
	wasmtimeEngine = "wasmtime"
	builtInEngine  = "wazero"
)

// backend is an engine and how a worker that has it is started.
type backend struct {
	worker []string
	info   sandbox.EngineInfo
}

func (b *backend) receipt() receipt.Engine {
	return receipt.Engine{Name: b.info.Name, Version: b.info.Version}
}

// backend finds the engine of a name, or with "auto" the fastest that is here.
func (o *options) backend(ctx context.Context, name string, log *slog.Logger) (*backend, error) {
	switch name {
	case builtInEngine:
		return &backend{[]string{self(), workerFlag}, engineOfWorkers()}, nil
	case wasmtimeEngine:
		return o.installed(ctx, name)
	case "auto":
		b, err := o.installed(ctx, wasmtimeEngine)
		if err == nil {
			return b, nil
		}
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeNotFound {
			log.Warn("engine left out", "engine", wasmtimeEngine, "error", err)
		}
		return o.backend(ctx, builtInEngine, log)
	}
	return nil, unsupported("--engine: %q is none; there are %s and %s", name, wasmtimeEngine, builtInEngine)
}

// installed finds an engine that is an executable of its own.
func (o *options) installed(ctx context.Context, name string) (*backend, error) {
	var dirs []string
	if o.engines != "" {
		dirs = append(dirs, o.engines)
	}
	if exe := executable(); exe != "" {
		dirs = append(dirs, filepath.Dir(exe))
	}
	path, err := sandbox.FindEngine(name, dirs...)
	if err != nil {
		return nil, err
	}
	build, err := sandbox.AskBuild(ctx, path)
	if err != nil {
		return nil, err
	}
	if got := build.Engines[0].Name; got != name {
		return nil, unsupported("engine: %s is %q", path, got)
	}
	return &backend{[]string{path, workerFlag}, build.Engines[0]}, nil
}
