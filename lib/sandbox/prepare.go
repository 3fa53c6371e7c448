package sandbox

import (
	"context"
	"time"

	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// rewritten reports whether a job's module is rewritten before it is compiled,
// whatever is in it.
func rewritten(m *job.Manifest) bool { return m.Fuel > 0 || m.CanonicalNaN }

// prepared returns the job with its module prepared for the engine's worker, and how
// long that took. Where that worker prepares for itself it is the job as it was.
//
// What comes back was made by a worker that had a stranger's module, and is as little
// to be believed as the module: the engine's worker takes it for hostile. It is kept
// for that module only.
func (s *Supervisor) prepared(ctx context.Context, j *Job) (*Job, time.Duration, error) {
	if s.cfg.Preparer == nil {
		return j, 0, nil
	}
	var module []byte
	begun := time.Now()
	err := s.withWorker(s.preparer, func(p *process) (err error) {
		module, err = s.prepareIn(ctx, j, p)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	if module == nil {
		return j, time.Since(begun), nil
	}
	changed := *j
	changed.Module = module
	return &changed, time.Since(begun), nil
}

// preparer returns a fresh worker process that prepares modules.
func (s *Supervisor) preparer() (*process, error) {
	w := newStart()
	s.spawner.begin(s.cfg.Preparer, w)
	return w.worker()
}

// prepareIn has a worker prepare a job's module, and returns what became of it, nil
// where it is to stay as it is.
func (s *Supervisor) prepareIn(ctx context.Context, j *Job, p *process) ([]byte, error) {
	r := newRun(s, j, p)
	defer p.end()
	defer context.AfterFunc(ctx, func() { r.stop(job.Cancelled, context.Cause(ctx)) })()
	limit := r.limit()
	defer limit.Stop()
	err := r.send(wire.Prepare, nil)
	var module []byte
	if err == nil {
		module, err = r.rewritten()
	}
	if err != nil {
		return nil, r.reason(err)
	}
	return module, nil
}

// rewritten reads what a preparing worker has made of the module.
func (r *run) rewritten() (module []byte, err error) {
	for {
		kind, n, err := r.next()
		if err != nil {
			return nil, err
		}
		payload, err := r.p.frames.Payload()
		switch {
		case err != nil:
			return nil, err
		case kind == wire.Failed:
			return nil, failure(payload)
		case kind == wire.Loaded && (module != nil || !rewritten(r.j.Manifest)):
			return module, nil
		case kind != wire.Prepared:
			return nil, nonsense("frame %q while it prepares", kind)
		case len(module)+n > wire.MaxPrepared:
			return nil, nonsense("a prepared module of more than %d bytes", wire.MaxPrepared)
		}
		module = append(module, payload...)
	}
}
