package submit

import (
	"fmt"
	"time"

	"plasm/lib/job"
)

// class says what is to be done about an attempt that failed.
type class int

const (
	tryOther class = iota // another node; this one again only when nothing else is left, if at all
	trySame               // this node again, after a pause
	giveUp                // no node will take the job
)

// failure is why an attempt has no result.
type failure struct {
	class     class
	leave     bool          // never try this node again
	accepted  bool          // the node had accepted the offer
	reached   bool          // the node has answered at all
	redials   int           // how often to try again a node that does not answer
	elsewhere bool          // the node would do: others may be quicker
	code      job.Code      // what the submission fails with when nothing better comes
	rejection job.Rejection // the same as data
	hint      string
	err       error // what it came from, or nil

	result *Result // that is given back when nothing better comes, or nil
}

// Error returns the reason on one line.
func (f *failure) Error() string { return string(f.rejection.Code) + ": " + f.rejection.Message }

// failed makes a failure that has no rejection of the node's own.
func failed(c class, code job.Code, format string, args ...any) *failure {
	return &failure{
		class: c, code: code, reached: true,
		rejection: job.Rejection{Code: job.RejectInternal, Message: fmt.Sprintf(format, args...)},
	}
}

// unreachable makes the failure of a node that there is no connection to, or none any more.
func unreachable(err error) *failure {
	f := failed(tryOther, job.CodeNoNode, "%s", oneLine(err))
	f.rejection.Code, f.reached = job.RejectUnreachable, false
	return f
}

// rejected makes the failure for what a node has said.
func rejected(r job.Rejection) *failure {
	row := r.Code.Row()
	f := &failure{class: tryOther, leave: true, reached: true, code: row.As, rejection: r}
	switch row.Then {
	case job.TryLater:
		f.class, f.leave = trySame, false
	case job.GiveUp:
		f.class = giveUp
	case job.TryOther:
	}
	return f
}

// retryAfter is how long the node asks to be let alone.
func (f *failure) retryAfter() time.Duration {
	const longest = 365 * 24 * time.Hour
	ms := min(f.rejection.RetryAfterMS, int64(longest/time.Millisecond))
	return time.Duration(ms) * time.Millisecond
}

// local makes the failure for what went wrong on this side.
func local(err *job.Error) *failure {
	f := failed(giveUp, err.Code, "%s", err.Message)
	f.hint, f.err = err.Hint, err
	return f
}
