package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
	"plasm/lib/tree"
)

// run is one task of one worker.
type run struct {
	s      *Supervisor
	j      *Job
	p      *process
	feed   *feed
	stdout *sink
	stderr *sink

	guards  []string
	hit     bool // its machine code comes from the cache
	memory  int64
	lists   []*tree.List // of the folders that the guest could write
	cut     bool
	compile time.Duration

	begun   time.Time // when the worker was assigned the job
	started time.Time
	ended   time.Time // when the guest said that it ended

	mu     sync.Mutex
	ready  bool       // the worker has confined itself
	status job.Status // why the supervisor stopped the worker; "" when it did not
	cause  error
}

func newRun(s *Supervisor, j *Job, p *process) *run {
	return &run{s: s, j: j, p: p, stdout: newSink(j.Stdout), stderr: newSink(j.Stderr)}
}

// stop kills the worker because of status. Only the first reason counts, and
// none once the worker has exited by itself.
func (r *run) stop(status job.Status, cause error) {
	select {
	case <-r.p.exited:
		if status == job.Timeout {
			return
		}
	default:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status != "" {
		return
	}
	r.status, r.cause = status, cause
	r.p.kill()
	r.stdout.hurry()
	r.stderr.hurry()
}

// setReady notes that the worker has confined itself: what happens from here on can be
// the module's doing.
func (r *run) setReady() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready = true
}

func (r *run) isReady() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ready
}

// why returns the reason of the first stop.
func (r *run) why() (job.Status, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status, r.cause
}

// do runs the job in a worker that is to load it from source.
func (r *run) do(ctx context.Context, source source) (*Report, error) {
	defer r.p.end()
	unwatch := context.AfterFunc(ctx, func() { r.stop(job.Cancelled, context.Cause(ctx)) })
	defer unwatch()
	limit := r.limit()
	defer limit.Stop()
	r.hit = source.hit
	if err := r.load(wire.Run, source.code); err != nil {
		return nil, r.reason(err)
	}
	if err := r.expect(wire.Started, nil); err != nil {
		return nil, r.reason(err)
	}
	r.started = time.Now()
	limit.Stop()
	timer := time.AfterFunc(r.timeout(), func() { r.stop(job.Timeout, nil) })
	defer timer.Stop()
	if r.j.Started != nil {
		r.j.Started()
	}
	r.s.pool.refill() // off the way to the guest's first instruction

	r.feed = newFeed(r.j.Input, r.p.stdin)
	go r.feed.pump(func(err error) { r.stop(job.Cancelled, err) })
	end, err := r.frames()
	timer.Stop() // a guest that has told its end in time has kept it
	if _, ok := errors.AsType[*nonsenseError](err); ok {
		r.p.kill()
	}
	r.p.linger()
	return r.report(ctx, source, end, err), nil
}

// margin is how much later than the supervisor the kernel ends a worker: it is to do so
// only where the supervisor cannot, because it is stopped.
const margin = 2 * time.Second

func (r *run) timeout() time.Duration {
	return time.Duration(r.j.Manifest.TimeoutMS) * time.Millisecond
}

// limit starts the time for compiling and loading.
func (r *run) limit() *time.Timer {
	most := r.s.cfg.CompileTimeout
	return time.AfterFunc(most, func() {
		why := &job.Error{
			Code:    job.CodeInternal,
			Message: fmt.Sprintf("a worker did not confine itself within %v", most),
		}
		if r.isReady() {
			why = &job.Error{
				Code:    job.CodeCompileLimit,
				Message: fmt.Sprintf("compiling the module took more than %v", most),
			}
		}
		r.stop(job.EngineFailed, why)
	})
}

// wideModule is from which size on a module gets a wider pipe, in bytes.
const wideModule = 256 << 10

// load goes through the protocol up to Loaded.
func (r *run) load(task wire.Task, code *os.File) error {
	if err := r.send(task, code); err != nil {
		return err
	}
	begun := time.Now()
	err := r.expect(wire.Loaded, nil)
	r.compile = time.Since(begun)
	return err
}

// send goes through the protocol up to Load.
func (r *run) send(task wire.Task, code *os.File) error {
	r.begun = time.Now()
	control := wire.NewWriter(r.p.control)
	if err := r.prove(control, task, code); err != nil {
		return err
	}
	if len(r.j.Module) > wideModule {
		widen(r.p.control)
	}
	if err := control.Stream(wire.Module, r.j.Module); err != nil {
		return err
	}
	return control.Frame(wire.Load, nil)
}

// prove assigns the job and has the worker prove how it is confined for it.
func (r *run) prove(control *wire.Writer, task wire.Task, code *os.File) error {
	if code != nil {
		if err := r.p.hand(code); err != nil {
			return err
		}
	}
	if f := r.j.Folders; f != nil && task == wire.Run {
		if err := errors.Join(r.p.hand(f.pack), r.p.hand(f.scratch)); err != nil {
			return err
		}
	}
	if err := tell(control, wire.Assign, r.assignment(task, code != nil)); err != nil {
		return err
	}
	var ready wire.Readiness
	if err := r.expect(wire.Ready, &ready); err != nil {
		if e, ok := errors.AsType[*job.Error](err); ok { // its own word
			e.Err = ErrNoWorker
		}
		return err
	}
	r.setReady()
	if err := r.s.sameBuild(task, &ready); err != nil {
		return err
	}
	if err := r.guarded(ready.Guards); err != nil {
		return err
	}
	return r.believed()
}

// believed refuses machine code from the cache where there is no Landlock: any module's
// worker could have put it there. From then on nothing is kept.
func (r *run) believed() error {
	if slices.Contains(r.guards, "landlock") {
		return nil
	}
	if r.s.noLandlock.CompareAndSwap(false, true) && r.s.cache != nil {
		r.s.cfg.Log.Log(context.Background(), r.s.cfg.CacheLevel,
			"compiled modules are not kept: this system has no Landlock", "dir", r.s.cache.dir)
	}
	if r.hit {
		return fmt.Errorf("%w: there is no Landlock", errNotUsed)
	}
	return nil
}

// sameBuild refuses a worker that is of another version of plasm, or has another
// version of the engine, than the supervisor was told: it was installed by itself, or
// is being upgraded.
func (s *Supervisor) sameBuild(task wire.Task, worker *wire.Readiness) error {
	if task == wire.Prepare { // with whatever engine
		if worker.Version == s.cfg.Version {
			return nil
		}
		return &job.Error{
			Code: job.CodeUnsupported,
			Message: fmt.Sprintf("engine: modules for it are prepared by %s, which is of plasm %s, and should be of %s",
				s.cfg.Preparer[0], worker.Version, s.cfg.Version),
			Hint: "install both of one version", Err: ErrNoWorker,
		}
	}
	if worker.EngineVersion == s.cfg.Engine.Version && worker.Version == s.cfg.Version {
		return nil
	}
	return &job.Error{
		Code: job.CodeUnsupported,
		Message: fmt.Sprintf("engine: %s is of plasm %s with %s %s, and should be of %s with %s",
			s.cfg.Worker[0], worker.Version, s.cfg.Engine.Name, worker.EngineVersion, s.cfg.Version,
			s.cfg.Engine.Version),
		Hint: "install both of one version", Err: ErrNoWorker,
	}
}

// errNotUsed says that a job's machine code is not to be used: another may be made.
var errNotUsed = errors.New("compiled code not used")

func tell(w *wire.Writer, kind wire.Kind, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.Frame(kind, payload)
}

func (r *run) assignment(task wire.Task, code bool) *wire.Assignment {
	m := r.j.Manifest
	a := &wire.Assignment{Task: task, Engine: r.s.cfg.Engine.Name, Code: code, Fuel: m.Fuel, NaN: m.CanonicalNaN}
	a.LifeMS = (r.s.cfg.CompileTimeout + margin).Milliseconds()
	if len(r.j.Module) > wideModule {
		a.Module = len(r.j.Module)
	}
	switch task {
	case wire.Prepare:
		a.Engine = ""
		return a
	case wire.Compile:
		return a
	case wire.Run:
	}
	a.TimeoutMS = (r.timeout() + margin).Milliseconds()
	a.LifeMS += a.TimeoutMS
	a.MemoryMB, a.Args, a.Dirs = m.MemoryMB, m.Args, r.j.Dirs
	for _, name := range slices.Sorted(maps.Keys(m.Env)) {
		a.Env = append(a.Env, name+"="+m.Env[name])
	}
	if r.j.Folders != nil {
		r.j.Folders.assign(a, m)
	}
	a.StdinKnown = r.j.Input.Reader == nil || r.j.Input.Hash != ""
	a.Real, a.Seed = !m.Deterministic, m.Seed
	return a
}

// guarded checks what the worker says it has proved against what the job
// requires.
func (r *run) guarded(proved []string) error {
	for _, g := range job.Guards() { // in the order of the set, each once, and no others
		if slices.Contains(proved, g) {
			r.guards = append(r.guards, g)
		}
	}
	for _, g := range r.j.RequireGuards {
		if !slices.Contains(r.guards, g) {
			return &job.Error{
				Code:    job.CodeGuards,
				Message: fmt.Sprintf("guard %q is required and not active on this machine; active are %v", g, r.guards),
				Fact:    job.FactGuard,
			}
		}
	}
	return nil
}
