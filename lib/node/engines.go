package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"

	"plasm/lib/job"
	"plasm/lib/sandbox"
)

// backend is an engine that this node has, and the supervisor of its workers.
type backend struct {
	sandbox.Backend
	supervisor *sandbox.Supervisor // set when the store is open
}

// confines returns what confines an engine's workers, once they have run a module of
// our own and all that is required is among it.
func (n *Node) confines(ctx context.Context, b *backend) ([]string, error) {
	supervisor := sandbox.New(sandbox.Config{Worker: b.Worker, Engine: b.Engine, Version: b.Version, Log: n.log})
	defer supervisor.Close()
	guards, err := supervisor.Probe(ctx, n.cfg.RequireGuards)
	if e, ok := errors.AsType[*job.Error](err); ok && e.Code == job.CodeGuards {
		named := *e
		named.Fact = job.FactNodeGuard
		err = &named
	}
	return guards, err
}

// otherEngines returns the engines that are beside the worker or where the flag says,
// the fastest first. One that has a known fault is left out, and one that is not as
// well confined as the worker: the node has one word for all of them.
func (n *Node) otherEngines(ctx context.Context) (found []*backend) {
	var dirs []string
	if n.cfg.Engines != "" {
		dirs = append(dirs, n.cfg.Engines)
	}
	dirs = append(dirs, filepath.Dir(n.cfg.Worker))
	for _, other := range sandbox.OtherEngines() {
		installed, err := sandbox.FindEngine(n.cfg.Version, other, dirs...)
		if errors.Is(err, sandbox.ErrNoEngine) {
			continue
		}
		var guards []string
		b := &backend{}
		if fault := other.Fault(runtime.GOARCH); err == nil && fault != "" {
			err = errors.New(fault)
		}
		if err == nil {
			b.Backend = *installed
			guards, err = n.confines(ctx, b)
		}
		if missing := slices.IndexFunc(n.guards,
			func(g string) bool { return !slices.Contains(guards, g) }); err == nil && missing >= 0 {
			err = fmt.Errorf("guard %q is not active in its workers", n.guards[missing])
		}
		if err != nil {
			n.log.Warn("engine left out", "engine", other.Name, "error", err)
			continue
		}
		found = append(found, b)
	}
	if n.cfg.Engines != "" && len(found) == 0 {
		n.log.Warn("no other engine is used", "engines", n.cfg.Engines)
	}
	return found
}

// openEngines starts the supervisors. Workers wait for jobs that name no engine.
func (n *Node) openEngines() {
	for i, b := range n.engines {
		spare := 0
		if i == 0 {
			spare = int(n.cfg.Spare)
		}
		var preparer []string
		if own := []string{n.cfg.Worker, "--worker"}; !slices.Equal(b.Worker, own) {
			preparer = own
		}
		b.supervisor = sandbox.New(sandbox.Config{
			Worker: b.Worker, Engine: b.Engine, Version: b.Version, Preparer: preparer,
			CacheDir: filepath.Join(n.cfg.DataDir, cacheName), Spare: spare,
			Threads: workerThreads(n.cfg.Machine, n.cfg.Slots), Log: n.log,
		})
		n.onStop(b.supervisor.Close)
		b.supervisor.OpenCache()
	}
	n.engines[0].supervisor.Warm()
}

// run runs a job with the engine that it names, or the fastest that is here.
func (n *Node) run(ctx context.Context, j *sandbox.Job) (*sandbox.Report, error) {
	for _, b := range n.engines {
		if name := j.Manifest.Engine; name == "" || name == b.Engine.Name {
			return b.supervisor.Run(ctx, j)
		}
	}
	return nil, &job.Error{
		Code:    job.CodeUnsupported,
		Message: "this node does not have the engine " + j.Manifest.Engine,
	}
}
