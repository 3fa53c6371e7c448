package sandbox

import (
	"context"
	"encoding/binary"
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
)

// run is one task of one worker.
type run struct {
	s      *Supervisor
	j      *Job
	p      *process
	feed   *feed
	stdout *sink
	stderr *sink

	guards    []string
	fromCache bool
	memory    int64
	cut       bool
	compile   time.Duration

	mu      sync.Mutex
	status  job.Status // why the supervisor stopped the worker; "" when it did not
	cause   error
	started time.Time
	ended   time.Time // when the guest said that it ended
	timer   *time.Timer
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
	if err := r.load(wire.Run, "", source.dir); err != nil {
		return nil, r.reason(ctx, err)
	}
	if !r.fromCache {
		source.hit, source.compile = false, source.compile+r.compile
	}
	if err := r.expect(wire.Started, nil); err != nil {
		return nil, r.reason(ctx, err)
	}
	started := time.Now()
	r.mu.Lock()
	r.started = started
	r.timer = time.AfterFunc(time.Duration(r.j.Manifest.TimeoutMS)*time.Millisecond, func() { r.stop(job.Timeout, nil) })
	r.mu.Unlock()
	defer r.timer.Stop()

	r.feed = newFeed(r.j.Input, r.p.stdin)
	go func() {
		if err := r.feed.pump(); err != nil {
			r.stop(job.Cancelled, err)
		}
	}()
	end, err := r.frames()
	r.p.linger()
	return r.report(source, end, err), nil
}

// load goes through the protocol up to Loaded, within the time for compiling.
func (r *run) load(task wire.Task, staging, cached string) error {
	limit := time.AfterFunc(r.s.cfg.CompileTimeout, func() {
		r.stop(job.EngineFailed, &job.Error{
			Code:    job.CodeCompileLimit,
			Message: fmt.Sprintf("compiling the module took more than %v", r.s.cfg.CompileTimeout),
		})
	})
	defer limit.Stop()
	control := wire.NewWriter(r.p.control)
	if err := tell(control, wire.Assign, r.assignment(task, staging, cached)); err != nil {
		return err
	}
	var ready wire.Readiness
	if err := r.expect(wire.Ready, &ready); err != nil {
		return err
	}
	if err := r.guarded(ready.Guards); err != nil {
		return err
	}
	if !slices.Contains(r.guards, "landlock") {
		// Without it a worker reads and writes files of all kinds of modules.
		if task == wire.Compile {
			return errNoLandlock
		}
		cached = ""
	}
	r.fromCache = cached != ""
	if err := control.Stream(wire.Module, r.j.Module); err != nil {
		return err
	}
	begun := time.Now()
	if err := tell(control, wire.Load, wire.Source{Cached: cached}); err != nil {
		return err
	}
	err := r.expect(wire.Loaded, nil)
	r.compile = time.Since(begun)
	return err
}

// errNoLandlock says that nothing is compiled to be kept.
var errNoLandlock = errors.New("this system has no Landlock to keep a compiling worker to its own folder")

func tell(w *wire.Writer, kind wire.Kind, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.Frame(kind, payload)
}

func (r *run) assignment(task wire.Task, staging, cached string) *wire.Assignment {
	m := r.j.Manifest
	a := &wire.Assignment{Task: task, Engine: r.s.cfg.Engine.Name, MemoryMB: m.MemoryMB, Staging: staging, Cached: cached}
	if task == wire.Compile {
		return a
	}
	a.Args, a.Dirs = m.Args, r.j.Dirs
	for _, name := range slices.Sorted(maps.Keys(m.Env)) {
		a.Env = append(a.Env, name+"="+m.Env[name])
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
				Hint:    "run it on a machine that has it, or leave it out of --require-guards",
			}
		}
	}
	return nil
}

// expect reads the next frame, which must be of the given kind; a Failed frame
// is the error that it tells.
func (r *run) expect(want wire.Kind, into any) error {
	kind, _, err := r.p.frames.Next()
	if err != nil {
		return err
	}
	payload, err := r.p.frames.Payload()
	switch {
	case err != nil:
		return err
	case kind == wire.Failed:
		return failure(payload)
	case kind != want:
		return nonsense("frame %q where %q was due", kind, want)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(payload, into); err != nil {
		return nonsense("frame %q: %v", kind, err)
	}
	return nil
}

// nonsenseError says what a worker must not say.
type nonsenseError struct{ what string }

func (e *nonsenseError) Error() string { return "the worker broke the protocol: " + e.what }

func nonsense(format string, args ...any) error {
	return &nonsenseError{fmt.Sprintf(format, args...)}
}

// maxMessage is how much of a worker's words is passed on, in bytes.
const maxMessage = 2 << 10

// failure turns a worker's Failed frame into an error. Of the codes it may only
// use those that blame the module or its own engine.
func failure(payload []byte) error {
	var f wire.Failure
	if err := json.Unmarshal(payload, &f); err != nil {
		return nonsense("frame %q: %v", wire.Failed, err)
	}
	e := &job.Error{
		Code:    job.Code(f.Code),
		Message: f.Message[:min(len(f.Message), maxMessage)],
		Hint:    f.Hint[:min(len(f.Hint), maxMessage)],
	}
	switch e.Code {
	case job.CodeBadModule, job.CodeModuleRefused, job.CodeNotFound, job.CodeIO, job.CodeUnsupported:
	default:
		e.Code = job.CodeInternal
	}
	return e
}

// reason says why a job did not start: the supervisor's own reason before what
// the worker said, and that before how it died.
func (r *run) reason(ctx context.Context, err error) error {
	r.p.kill()
	<-r.p.exited
	status, cause := r.why()
	var e *job.Error
	var bad *nonsenseError
	switch {
	case status == job.Cancelled:
		return &job.Error{Code: job.CodeCancelled, Message: fmt.Sprintf("cancelled before the job started: %v", cause), Err: cause}
	case errors.As(cause, &e), errors.As(err, &e):
		return e
	case errors.As(err, &bad):
		return &job.Error{Code: job.CodeInternal, Message: bad.Error(), Err: err}
	case errors.Is(err, errNoLandlock):
		return err
	}
	return &job.Error{
		Code:    job.CodeCompileLimit,
		Message: "the worker died while it compiled or loaded the module: " + r.p.death(),
		Err:     err,
	}
}

// frames passes on what the worker sends until it has told its end, is gone, or
// has been stopped for what it sent. The error is not nil exactly when there was
// no Ended frame.
func (r *run) frames() (*wire.End, error) {
	for {
		kind, n, err := r.p.frames.Next()
		if err != nil {
			return nil, err
		}
		switch kind {
		case wire.Stdout:
			err = r.output(r.stdout)
		case wire.Stderr:
			err = r.output(r.stderr)
		case wire.Memory:
			err = r.grew(n)
		case wire.Ended:
			return r.end()
		default:
			err = nonsense("frame %q while the guest runs", kind)
		}
		if err != nil {
			return nil, err
		}
	}
}

// errEnough ends the reading of a worker that has been stopped for its output.
var errEnough = errors.New("output ended")

// output passes one frame of output on, up to the limit on the sum of both
// streams.
func (r *run) output(to *sink) error {
	for {
		some, err := r.p.frames.Some()
		if err != nil || len(some) == 0 {
			return err
		}
		left := r.j.Manifest.OutputLimitBytes - r.stdout.bytes - r.stderr.bytes
		take := some[:min(int64(len(some)), left)]
		if err := to.write(take); err != nil {
			r.cut = true
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				r.stop(job.Cancelled, outputError(err))
			}
			return errEnough
		}
		if len(take) < len(some) {
			r.cut = true
			r.stop(job.OutputLimit, nil)
			return errEnough
		}
	}
}

// outputError says that output cannot be written, unless the writer has said so
// itself.
func outputError(err error) error {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e
	}
	return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("writing the output: %v", err), Err: err}
}

func (r *run) grew(n int) error {
	payload, err := r.p.frames.Payload()
	if err != nil {
		return err
	}
	if n != 8 {
		return nonsense("frame %q of %d bytes", wire.Memory, n)
	}
	size := binary.LittleEndian.Uint64(payload)
	if size > uint64(r.j.Manifest.MemoryMB)<<20 {
		return nonsense("linear memory of %d bytes", size)
	}
	r.memory = max(r.memory, int64(size))
	return nil
}

// end reads the Ended frame.
func (r *run) end() (*wire.End, error) {
	payload, err := r.p.frames.Payload()
	if err != nil {
		return nil, err
	}
	var end wire.End
	if err := json.Unmarshal(payload, &end); err != nil {
		return nil, nonsense("frame %q: %v", wire.Ended, err)
	}
	claim := job.Outcome{Status: job.Status(end.Status), Trap: end.Trap, StdinHash: job.EmptyDigest}
	if claim.Status == job.Exit {
		claim.ExitCode = &end.ExitCode
	}
	if !slices.Contains([]job.Status{job.Exit, job.Trap, job.OutOfMemory}, claim.Status) || claim.Validate() != nil {
		return nil, nonsense("an end with status %.40q, trap %.40q", end.Status, end.Trap)
	}
	r.ended = time.Now()
	return &end, nil
}

// report puts together what happened, once the worker has exited.
func (r *run) report(source source, end *wire.End, err error) *Report {
	finished := r.p.at
	if !r.ended.IsZero() && r.ended.Before(finished) {
		finished = r.ended
	}
	if finished.Before(r.started) { // a guest so short that it was gone before its start was heard of
		finished = r.started
	}
	o := job.Outcome{
		StdoutBytes: r.stdout.bytes, StderrBytes: r.stderr.bytes, Truncated: r.cut,
		MemoryBytes: r.memory, WallTimeUS: finished.Sub(r.started).Microseconds(),
		CPUTimeUS: r.p.cpuTime().Microseconds(), CompileTimeUS: source.compile.Microseconds(), CompileCached: source.hit,
	}
	status, cause := r.why()
	switch {
	case status != "":
		o.Status = status
	case err != nil && r.p.outOfMemory():
		o.Status = job.OutOfMemory
	case err != nil:
		o.Status, cause = job.EngineFailed, r.died(err)
	case end.Status == string(job.OutOfMemory):
		o.Status = job.OutOfMemory
	case end.Status == string(job.Trap):
		o.Status, o.Trap = job.Trap, end.Trap
	default:
		o.Status, o.ExitCode = job.Exit, &end.ExitCode
	}
	cause = r.input(&o, cause)
	return &Report{
		Outcome: o, StdoutHash: r.stdout.digest(), StderrHash: r.stderr.digest(), Guards: r.guards,
		Started: r.started, Finished: finished, Cause: cause,
	}
}

// died says what is known of a worker that ended without a word.
func (r *run) died(err error) error {
	var bad *nonsenseError
	if errors.As(err, &bad) {
		return bad
	}
	return fmt.Errorf("the worker died: %s", r.p.death())
}

// input fills in what the guest was fed. Input that was hashed before is all
// the job's, however much of it the guest took; so the rest is looked at too,
// and a job whose input turns out not to be what its manifest says is cancelled.
func (r *run) input(o *job.Outcome, cause error) error {
	if r.j.Input.Hash != "" && o.Status != job.Cancelled {
		<-r.feed.done
		if err := r.feed.check(); err != nil {
			o.Status, o.ExitCode, o.Trap, cause = job.Cancelled, nil, "", err
		}
	}
	o.StdinHash, o.StdinBytes, o.StdinComplete = r.feed.handed()
	return cause
}
