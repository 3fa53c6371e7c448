package submit

import (
	"context"
	"errors"
	"os"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

// maxLosses is how often one attempt makes a lost connection again. A node that
// accepts and hangs up could otherwise hold up a job for as long as it likes.
const maxLosses = 8

// attempt is one candidate's turn, over however many connections.
type attempt struct {
	p   *placement
	cfg *Config
	job *Job
	c   *candidate

	outputs *outputs
	fail    context.CancelCauseFunc // ends the attempt for a reason of this side's

	startBy   time.Time // when the job must have started; zero while the node's queue may take its time
	accepted  bool
	started   bool
	endBy     time.Time // when a started job must have ended
	resumed   bool      // output was put together from several connections
	sentStdin bool      // input has gone to the node
	lostAt    time.Time // when the connection was lost that is being made again
	losses    int
	over      p2p.Conn       // that the job went over last, or nil
	cause     *job.Rejection // why the node has ended the job, as it says; nil: it has not
	trace     []string       // of a trap, as the node says
	keep      time.Duration  // for how long the node keeps the result, as it says
	state     wire.State     // how far the job has come, as the node says
	plan      Plan           // what is known for it
}

func newAttempt(p *placement, c *candidate) *attempt {
	a := &attempt{p: p, cfg: p.cfg, job: p.job, c: c, outputs: newOutputs(p.cfg, p.job)}
	if d := p.cfg.AttemptTimeout; d > 0 {
		a.startBy = time.Now().Add(d)
	}
	return a
}

// startTime is how long a node has that has accepted, unless it was said.
func (p *placement) startTime() time.Duration {
	return min(2*time.Minute+atLeastRate(p.bytesToSend()), job.MaxTimeout*time.Millisecond)
}

// atLeastRate is how long so many bytes take at the slowest that is put up with.
func atLeastRate(bytes int64) time.Duration {
	const rate = 256 << 10 // bytes a second
	return time.Duration(min(bytes/rate, job.MaxTimeout/1000)) * time.Second
}

// run tries one node until there is a verified result, or a reason why not.
func (a *attempt) run(ctx context.Context) (*Result, *failure) {
	inner, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	a.fail = fail
	a.cfg.Tell(a.c.id, "is offered the job "+a.job.Manifest.ID)
	a.cfg.Log.Info("job.offered", "peer", a.c.id, "job", a.job.Manifest.ID)
	for {
		envelope, err := a.exchange(inner)
		if errors.Is(err, errEnough) && inner.Err() == nil {
			return a.enough(), nil
		}
		if err == nil {
			result, f := a.conclude(inner, envelope)
			if f != nil && f == errAgain {
				a.resumed = false
				a.outputs.reset()
				continue
			}
			return result, f
		}
		if f := a.judge(inner, err); f != nil {
			return nil, f
		}
		if !a.again(inner) {
			return nil, a.lost(err)
		}
	}
}

// judge says what an exchange without a result means; nil: that the connection
// was lost, and is to be made again.
func (a *attempt) judge(ctx context.Context, err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if a.outputs.err != nil {
		return local(asJobError(a.outputs.why(ctx)))
	}
	if own, ok := errors.AsType[*job.Error](context.Cause(ctx)); ok {
		return local(own) // the input failed
	}
	if ctx.Err() != nil {
		f := failed(giveUp, job.CodeCancelled, "stopped: %v", context.Cause(ctx))
		if a.over == nil { // nor has it been reached
			f.rejection.Code = job.RejectUnreachable
		}
		return f
	}
	if breach, ok := errors.AsType[*wire.BreachError](err); ok {
		f := failed(tryOther, job.CodeUnverified, "%v", breach)
		f.leave = true
		return f
	}
	if !a.accepted { // so nothing runs there
		f := unreachable(err)
		if a.c.lost {
			f.code, f.rejection.Message = job.CodeRefused,
				"lost after it had accepted the job, and not there again: "+f.rejection.Message
		}
		if e, ok := errors.AsType[*job.Error](err); ok {
			f.hint = e.Hint
		}
		f.redials = 1
		if errors.Is(err, errTurnedAway) {
			f.redials = 8 // half a minute of them: a crowd from one address takes its time
		}
		return f
	}
	return nil
}

// again waits for the next time to make a lost connection, and reports whether
// there is to be one.
func (a *attempt) again(ctx context.Context) bool {
	if a.lostAt.IsZero() {
		a.lostAt = time.Now()
		a.losses++
		a.cfg.Tell(a.c.id, "connection lost; attaching to the job again")
	}
	if a.over != nil {
		_ = a.over.Close() // a new one, and not one that may be as dead; other jobs may have one by now
	}
	pause := min(max(time.Since(a.lostAt)/4, 50*time.Millisecond), time.Second)
	if a.losses > maxLosses || time.Since(a.lostAt)+pause > a.cfg.Reattach {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return true
}

// lost is the failure of a node that has accepted the job and is gone.
func (a *attempt) lost(err error) *failure {
	a.c.lost = true
	f := unreachable(err)
	f.code, f.rejection.Message, f.reached = job.CodeRefused,
		"lost after it had accepted the job: "+f.rejection.Message, true
	f.leave = a.losses > maxLosses
	return f
}

// late is the failure of a node that takes too long.
func late(what string) *failure {
	return failed(tryOther, job.CodeRefused, "%s", what)
}

// conclude checks what a node says is the end of the job.
func (a *attempt) conclude(ctx context.Context, envelope []byte) (*Result, *failure) {
	if a.outputs.err != nil && !a.outputs.live {
		return nil, local(asJobError(a.outputs.err))
	}
	if err := a.outputs.left.failed; err != nil {
		return nil, local(err)
	}
	v, f := a.verify(envelope)
	if f != nil {
		return nil, f
	}
	stdout, stderr, err := a.outputs.readers()
	if err != nil {
		return nil, local(asJobError(err))
	}
	result := &Result{
		Receipt: envelope, Verified: v, Stdout: stdout, Stderr: stderr, Folders: a.outputs.left.parts(a.job.Pack),
		close: a.outputs.close,
	}
	if v.Outcome.Status == job.Trap {
		result.Trace = a.trace
	}
	status := v.Outcome.Status
	a.cfg.Log.Info("job.finished", v.Outcome.Attrs("peer", a.c.id, "job", a.job.Manifest.ID, "engine",
		v.Node.Engine.Name)...)
	cause := context.Cause(ctx)
	if a.outputs.broken() {
		result.Cause = a.outputs.why(ctx)
		return result, nil
	}
	switch {
	case status == job.Cancelled && cause != nil:
		result.Cause = cause
		if errors.Is(cause, ErrDeadline) || errors.Is(cause, context.DeadlineExceeded) {
			result.Close()
			return nil, failed(giveUp, job.CodeDeadline, "the deadline has passed")
		}
		return result, nil
	case status == job.Cancelled, status == job.EngineFailed, a.cause != nil:
		return nil, a.unfinished(result)
	}
	return result, nil
}

// unfinished is the failure of a node that has itself ended a job that had started.
func (a *attempt) unfinished(result *Result) *failure {
	f := failed(tryOther, job.CodeRefused, "the job was not run to its end: %s", result.Verified.Outcome.Status)
	f.result = result
	result.Cause = &EndedError{a.c.id, a.cause}
	if a.cause != nil {
		f.rejection = *a.cause
		f.leave = a.cause.Code == job.RejectMemory
	}
	return f
}

// asJobError returns err as the *job.Error that it is, or one of CodeIO.
func asJobError(err error) *job.Error {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e
	}
	return &job.Error{Code: job.CodeIO, Message: err.Error(), Err: err}
}

// isLate reports whether reading has ended because a phase took too long.
func isLate(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, wire.ErrLost)
}
