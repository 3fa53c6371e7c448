package submit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"plasm/lib/job"
)

// conclude makes the end of a submission that has no result to be proud of: the
// result that there is all the same, or the error. The last attempt failed with
// f, nil when there is nobody to try any more.
func (p *placement) conclude(ctx context.Context, f *failure) (*Result, error) {
	if result := p.lastResult(); result != nil && ctx.Err() == nil {
		return result, nil
	}
	e := p.verdict(ctx, f)
	e.Nodes = p.nodes()
	return nil, e
}

// lastResult returns a verified result that nobody is happy with, and lets go of
// all others.
func (p *placement) lastResult() *Result {
	var result *Result
	for _, c := range p.all {
		if c.last == nil || c.last.result == nil {
			continue
		}
		if result != nil {
			result.Close()
		}
		result = c.last.result
	}
	return result
}

// verdict says in one error what all attempts come to.
func (p *placement) verdict(ctx context.Context, f *failure) *job.Error {
	cause := context.Cause(ctx)
	switch {
	case f != nil && f.err != nil:
		return &job.Error{Code: f.code, Message: f.rejection.Message, Hint: f.hint, Err: f.err}
	case errors.Is(cause, ErrDeadline), errors.Is(cause, context.DeadlineExceeded):
		return &job.Error{
			Code: job.CodeDeadline, Message: "the deadline has passed: " + p.state(),
			Fact: job.FactDeadline, Err: cause,
		}
	case cause != nil:
		return &job.Error{Code: job.CodeCancelled, Message: fmt.Sprintf("cancelled: %v", cause), Err: cause}
	case f != nil && f.class == giveUp:
		return &job.Error{Code: f.code, Message: f.rejection.Message, Hint: f.hint}
	case f != nil:
		return &job.Error{Code: f.code, Message: fmt.Sprintf("given up after %s: %s", attempts(p.accepted),
			f.rejection.Message), Hint: f.hint}
	}
	return p.nobody()
}

// Unread is the error of a submission whose output is not read when ctx ends: code
// deadline or cancelled, by ctx's cause.
func Unread(ctx context.Context) *job.Error {
	cause := context.Cause(ctx)
	if errors.Is(cause, ErrDeadline) || errors.Is(cause, context.DeadlineExceeded) {
		return &job.Error{
			Code: job.CodeDeadline, Message: "the deadline has passed, and the output is not read to its end",
			Fact: job.FactUnread, Err: cause,
		}
	}
	return &job.Error{
		Code:    job.CodeCancelled,
		Message: fmt.Sprintf("cancelled, and the output is not read to its end: %v", cause), Err: cause,
	}
}

// state says how far a submission has come.
func (p *placement) state() string {
	switch {
	case len(p.all) == 0:
		return "no node was found that is trusted and fits"
	case p.accepted == 0:
		return "no node has finished the job, and " + count(len(p.all), "was asked", "were asked")
	}
	return "no node has finished the job"
}

// nobody is the error when no candidate is left.
func (p *placement) nobody() *job.Error {
	tried := make([]*failure, 0, len(p.all))
	for _, c := range p.all {
		if c.last != nil && (c.last.reached || c.lost) {
			tried = append(tried, c.last)
		}
	}
	is := func(code job.Code) func(*failure) bool { return func(f *failure) bool { return f.code == code } }
	switch {
	case len(tried) == 0:
		return p.noNode()
	case slices.ContainsFunc(tried, is(job.CodeUnverified)):
		worst := tried[slices.IndexFunc(tried, is(job.CodeUnverified))]
		return &job.Error{Code: job.CodeUnverified, Message: "no result can be believed: " + worst.rejection.Message}
	case !slices.ContainsFunc(tried, func(f *failure) bool { return f.code != job.CodeCompileLimit }):
		return &job.Error{Code: job.CodeCompileLimit, Message: tried[0].rejection.Message}
	}
	what := "every node refused the job"
	if p.accepted > 0 {
		what = "no node has finished the job"
	}
	e := &job.Error{Code: job.CodeRefused, Message: what + ": " + tried[0].Error(), Brief: what}
	if len(tried) > 1 {
		e.Message, e.Brief = fmt.Sprintf("%s: %d nodes", what, len(tried)), ""
	}
	if f := tried[0]; f.rejection.Code == job.RejectNotAllowed {
		e.Hint = "the message says what to run on the node; this is what it has to admit: " + p.cfg.Key.PeerID()
	}
	return e
}

// noNode is the error when there was nobody to ask, or nobody answered.
func (p *placement) noNode() *job.Error {
	p.mu.Lock()
	err := p.failure
	p.mu.Unlock()
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e
	}
	e := &job.Error{Code: job.CodeNoNode, Message: "no node was found that is trusted and fits", Err: err}
	switch {
	case p.admit != "":
		e.Hint = "to trust the first of them: " + p.admit
	case len(p.all) == 1 && p.all[0].last != nil:
		e.Brief = e.Message
		e.Message += ": " + p.all[0].last.rejection.Message
		e.Hint = p.all[0].last.hint
	case len(p.all) > 1:
		e.Message += ": " + count(len(p.all), "does not answer", "do not answer")
	}
	return e
}

// count is a number of nodes with its verb.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 node " + one
	}
	return fmt.Sprintf("%d nodes %s", n, many)
}

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}

// nodes is what became of every candidate.
func (p *placement) nodes() []job.NodeRejection {
	var nodes []job.NodeRejection
	for _, c := range p.all {
		if c.last != nil {
			nodes = append(nodes, job.NodeRejection{PeerID: c.id, Addr: c.addr(), Rejection: c.last.rejection})
		}
	}
	return append(nodes, p.leftOut...)
}
