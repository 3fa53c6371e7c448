package sandbox

import (
	"context"
	"fmt"
	"time"

	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// Guards starts one worker, gives it nothing of anybody's, and returns what it
// proved: the guards that jobs have on this machine, in the order of job.Guards.
// An error is a *job.Error; cancelling ctx is one with job.CodeCancelled.
func (s *Supervisor) Guards(ctx context.Context) (guards []string, err error) {
	err = s.withWorker(s.worker, func(p *process) error {
		guards, err = s.guards(ctx, p)
		return err
	})
	return guards, err
}

func (s *Supervisor) guards(ctx context.Context, p *process) ([]string, error) {
	defer p.end()
	r := newRun(s, &Job{Manifest: job.NewManifest()}, p)
	unwatch := context.AfterFunc(ctx, func() { r.stop(job.Cancelled, context.Cause(ctx)) })
	defer unwatch()
	limit := time.AfterFunc(s.cfg.CompileTimeout, func() {
		r.stop(job.EngineFailed, &job.Error{Code: job.CodeInternal, Message: fmt.Sprintf("a worker did not confine itself within %v", s.cfg.CompileTimeout)})
	})
	defer limit.Stop()
	if err := r.prove(wire.NewWriter(p.control), wire.Run, "", ""); err != nil {
		return nil, r.reason(err)
	}
	return r.guards, nil
}
