package submit

import (
	"context"
	"time"

	"plasm/lib/job"
)

// FailedError is why Once has no result.
type FailedError struct {
	Err *job.Error // as Run has it

	Rejection  job.Rejection // the node's, or one made of what went wrong
	Accepted   bool          // the node had accepted the offer
	Reached    bool          // the node has answered
	GiveUp     bool          // no node will do better
	RetryAfter time.Duration // how long the node asks to be let alone
	// to show when no other node does better, or nil: the engine failed, or the node cancelled the
	// job
	Result *Result
}

// Error returns the message of Err.
func (e *FailedError) Error() string { return e.Err.Message }

// Unwrap returns Err.
func (e *FailedError) Unwrap() error { return e.Err }

// Once makes one attempt at one candidate, in whose queue the job may stay for as long as
// Config.AttemptTimeout says: for a caller that has many jobs, knows the nodes, and
// decides by itself what comes next. Of the result and the failure one is nil.
// Config.Retries is not used.
func Once(ctx context.Context, cfg Config, j *Job, in Candidate) (*Result, *FailedError) {
	cfg.fill(j)
	cfg.Retries = 0
	p, err := newPlacement(&cfg, j)
	if err != nil {
		f := local(asJobError(err))
		return nil, &FailedError{Err: asJobError(err), Rejection: f.rejection, GiveUp: true}
	}
	defer p.input.close()
	p.add(in)
	if len(p.all) == 0 {
		r := p.leftOut[0].Rejection
		e := &job.Error{Code: job.CodeRefused, Message: string(r.Code) + ": " + r.Message, Nodes: p.nodes()}
		return nil, &FailedError{Err: e, Rejection: r, Reached: true}
	}
	c := p.all[0]
	result, f := p.try(ctx, c)
	if f == nil {
		return result, nil
	}
	p.settle(c, f)
	e := p.verdict(ctx, f)
	if f.class != giveUp && ctx.Err() == nil {
		e = &job.Error{Code: f.code, Message: f.rejection.Message, Hint: f.hint}
	}
	e.Nodes = p.nodes()
	return nil, &FailedError{
		Err: e, Rejection: f.rejection, Accepted: f.accepted, Reached: f.reached, GiveUp: f.class == giveUp,
		RetryAfter: f.retryAfter(), Result: f.result,
	}
}
