package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

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
	if f.Code == wire.StaleCode {
		return fmt.Errorf("%w: %s", errNotUsed, f.Message[:min(len(f.Message), maxMessage)])
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

// ErrDied is in the error of a job that did not start because its worker died. The
// message ends with the worker's last words, which are for the machine's owner: they
// may name files and addresses of this machine, and a worker that was taken over
// chooses them.
var ErrDied = errors.New("the worker died")

// reason says why a job did not start: the supervisor's own reason before what
// the worker said, and that before how it died.
func (r *run) reason(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE) {
		r.p.linger() // it is dying, and how says why
	}
	r.p.kill()
	<-r.p.exited
	status, cause := r.why()
	var e *job.Error
	var bad *nonsenseError
	switch {
	case status == job.Cancelled:
		return &job.Error{
			Code: job.CodeCancelled, Message: fmt.Sprintf("cancelled before the job started: %v", cause),
			Err: cause,
		}
	case errors.As(cause, &e), errors.As(err, &e):
		return e
	case errors.As(err, &bad):
		return &job.Error{Code: job.CodeInternal, Message: bad.Error(), Err: err}
	case errors.Is(err, errNotUsed):
		return err
	}
	untouched := err
	if !r.isReady() {
		untouched = errors.Join(errUntouched, err)
	}
	if fault := r.hostFault(); fault != nil {
		fault.Err = errors.Join(fault.Err, untouched)
		return fault
	}
	if !r.isReady() {
		return &job.Error{
			Code: job.CodeInternal, Message: "the worker died before it took the job: " + r.p.death(),
			Err: untouched,
		}
	}
	return &job.Error{
		Code:    job.CodeCompileLimit,
		Message: "the worker died while it compiled or loaded the module: " + r.p.death(),
		Err:     errors.Join(ErrDied, err),
	}
}

// report puts together what happened, once the worker has exited.
func (r *run) report(ctx context.Context, source source, end *wire.End, err error) *Report {
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
		CPUTimeUS: r.p.cpuTime().Microseconds(), CompileTimeUS: source.compile.Microseconds(),
		CompileCached: source.hit,
	}
	status, cause := r.why()
	switch {
	case status != "":
		o.Status = status
	case err != nil && r.p.killed() && finished.Sub(r.started) >= r.timeout():
		o.Status = job.Timeout // by the kernel, while the supervisor was stopped
	case err != nil && r.p.outOfMemory():
		o.Status = job.OutOfMemory
	case err != nil:
		o.Status, cause = r.died(err)
	case end.Status == string(job.OutOfMemory):
		o.Status = job.OutOfMemory
	case end.Status == string(job.OutOfFuel):
		o.Status = job.OutOfFuel
	case end.Status == string(job.Trap):
		o.Status, o.Trap = job.Trap, end.Trap
	default:
		o.Status, o.ExitCode = job.Exit, &end.ExitCode
	}
	if end != nil && status == "" && r.j.Manifest.Fuel > 0 && o.Status != job.OutOfMemory {
		o.FuelUsed = &end.FuelUsed
	}
	cause = r.input(ctx, &o, cause)
	outputs, err := r.outputs(ctx, &o)
	if err != nil {
		o.Status, o.ExitCode, o.Trap, o.FuelUsed, o.Dirs, cause = job.Cancelled, nil, "", nil, nil, folderError(err)
	}
	return &Report{
		Outputs: outputs, Trace: traceOf(&o, end),
		Outcome: o, StdoutHash: r.stdout.digest(), StderrHash: r.stderr.digest(), Guards: r.guards,
		Engine: r.s.cfg.Engine, Started: r.started, Finished: finished, Cause: cause,
	}
}

// traceOf returns where a job has trapped, by its worker's word.
func traceOf(o *job.Outcome, end *wire.End) []string {
	if o.Status != job.Trap {
		return nil
	}
	return end.Trace
}

// died says what is known of a worker that ended without a word.
func (r *run) died(err error) (job.Status, error) {
	if fault := r.hostFault(); fault != nil {
		if errors.Is(fault, ErrNoMemory) {
			return job.OutOfMemory, fault
		}
		return job.EngineFailed, fault
	}
	if bad, ok := errors.AsType[*nonsenseError](err); ok {
		return job.EngineFailed, bad
	}
	return job.EngineFailed, fmt.Errorf("the worker died: %s", r.p.death())
}

// input fills in what the guest was fed. Input that was hashed before is all
// the job's, however much of it the guest took; so the rest is looked at too,
// and a job whose input turns out not to be what its manifest says is cancelled.
func (r *run) input(ctx context.Context, o *job.Outcome, cause error) error {
	if r.j.Input.Hash != "" && o.Status != job.Cancelled {
		if err := r.rest(ctx, o.Status); err != nil {
			o.Status, o.ExitCode, o.Trap, cause = job.Cancelled, nil, "", err
		}
	}
	r.feed.quit.Store(true)
	o.StdinHash, o.StdinBytes, o.StdinComplete = r.feed.handed()
	return cause
}

// rest waits for the rest of an input that was hashed before, as long as the job
// may take, and checks it. After a timeout, and when it is the worker that has
// failed, the outcome claims nothing that would need the rest.
func (r *run) rest(ctx context.Context, status job.Status) error {
	claims := status != job.Timeout && status != job.EngineFailed
	wait := grace
	if claims {
		wait += time.Until(r.started.Add(r.timeout()))
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case <-r.feed.done:
		return r.feed.check()
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-late.C:
	}
	if !claims {
		return nil
	}
	_, bytes, _ := r.feed.handed()
	return &job.Error{
		Code:    job.CodeIO,
		Message: fmt.Sprintf("the input has not ended within the job's time: %d bytes of it have come", bytes),
		Hint:    "the manifest names the digest of the whole input: end it, or leave stdin_hash out",
	}
}
