package serve

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"plasm/lib/job"
	"plasm/lib/sandbox"
	"plasm/lib/store"
)

// Why a job is stopped, beside a *refusalError. Their words are in receipts' logs only.
var (
	errCancelled    = errors.New("cancelled by its requester")
	errAbandoned    = errors.New("nobody waits for it any more")
	errOwner        = errors.New("cancelled by the node's owner")
	errShuttingDown = errors.New("the node is shutting down")
)

// refusalError stops a job because of what is wrong with it.
type refusalError struct{ why *job.Rejection }

func (e *refusalError) Error() string { return e.why.Message }

// retrySoon is when to ask again where nobody knows better.
const retrySoon = time.Second

func shuttingDown() *job.Rejection {
	return &job.Rejection{Code: job.RejectShuttingDown, Message: errShuttingDown.Error()}
}

func byOwner() *job.Rejection {
	return &job.Rejection{Code: job.RejectExpired, Message: "the job was " + errOwner.Error()}
}

func internal(message string) *job.Rejection {
	return &job.Rejection{Code: job.RejectInternal, Message: message}
}

// storeRejection says that the store cannot take something; tooLarge is the code
// for what it never could. What is wrong with the node's disk is its operator's to know.
func (s *Server) storeRejection(err error, tooLarge job.RejectCode) *job.Rejection {
	room, ok := errors.AsType[*store.RoomError](err)
	switch {
	case ok && room.Never():
		need, most := job.Amounts(room.Need, room.Most)
		return amount(tooLarge, room.Need, room.Most,
			"the job needs %s of storage, this node gives a requester like this one %s", need, most)
	case ok:
		return &job.Rejection{
			Code: job.RejectBusy, Message: "the storage is taken by other jobs",
			RetryAfterMS: retrySoon.Milliseconds(),
		}
	}
	s.log.Error("storage failed", "error", err)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return internal("the node's disk is full")
	}
	return internal("the node's storage does not work")
}

// starved says that the kernel has killed a worker for want of memory.
func starved() *job.Rejection {
	return &job.Rejection{
		Code:    job.RejectMemory,
		Message: "the node is out of memory, and its kernel has killed the program's worker",
	}
}

// causeOf says why the node has ended a job that had started, nil where the job or its
// requester has. A worker's last words stay with the node.
func (s *Server) causeOf(r *sandbox.Report) *job.Rejection {
	refused, isRefusal := errors.AsType[*refusalError](r.Cause)
	switch {
	case r.Cause == nil, errors.Is(r.Cause, errCancelled):
		return nil
	case errors.Is(r.Cause, sandbox.ErrNoMemory):
		return starved()
	case errors.Is(r.Cause, errShuttingDown):
		return shuttingDown()
	case isRefusal:
		return refused.why
	case r.Outcome.Status == job.EngineFailed:
		return internal("the program's worker died, or was killed")
	}
	return s.storeRejection(r.Cause, job.RejectInternal)
}

// startRejection says why a job did not start that the supervisor was given. The
// words of errors of the node's own, and of a worker that died, stay with it.
func (s *Server) startRejection(ctx context.Context, err error) ending {
	if ctx.Err() != nil {
		return stopped(context.Cause(ctx))
	}
	codes := map[job.Code]job.RejectCode{
		job.CodeBadModule: job.RejectBadModule, job.CodeModuleRefused: job.RejectModuleRefused,
		job.CodeCompileLimit: job.RejectCompileLimit, job.CodeGuards: job.RejectGuards,
		job.CodeUnsupported: job.RejectEngine,
	}
	e, ok := errors.AsType[*job.Error](err)
	if ok {
		if code, blame := codes[e.Code]; blame {
			return ending{verdict: &job.Rejection{Code: code, Message: s.startWords(e, err)}}
		}
	}
	s.log.Error("job could not be started", "error", err)
	if errors.Is(err, sandbox.ErrNoMemory) {
		return ending{verdict: starved()}
	}
	return ending{verdict: internal("the node could not start the job")}
}

// startWords returns what a requester is told of an error that blames its job. What
// says more than that of this machine, its paths and a dead worker's last words, goes
// to the log.
func (s *Server) startWords(e *job.Error, err error) string {
	words := e.Message
	switch {
	case errors.Is(err, sandbox.ErrDied):
		words = "the worker died while it compiled or loaded the module"
	case errors.Is(err, sandbox.ErrNoWorker):
		words = "the node's engine cannot be used now"
	default:
		return words
	}
	s.log.Error("job could not be started", "error", err)
	return words
}

// stopped is the end of a job that was stopped before it started.
func stopped(cause error) ending {
	refused, ok := errors.AsType[*refusalError](cause)
	switch {
	case ok:
		return ending{verdict: refused.why}
	case errors.Is(cause, errShuttingDown):
		return ending{verdict: shuttingDown()}
	case errors.Is(cause, errOwner):
		return ending{verdict: byOwner()}
	}
	return ending{verdict: &job.Rejection{
		Code:    job.RejectExpired,
		Message: "the job was cancelled by its requester before it started",
	}}
}

// unknownJob says that there is no such job of this requester to attach to.
func unknownJob(id string) *job.Rejection {
	return &job.Rejection{
		Code: job.RejectUnknownJob,
		Message: fmt.Sprintf("no job %s of this requester is known here: its result is no longer kept, it was "+
			"cancelled, or the node stopped while it ran", id),
	}
}

// conflict says that the ID is another job's.
func conflict(id, what string) *job.Rejection {
	return &job.Rejection{Code: job.RejectConflict, Message: fmt.Sprintf("job %s is here with another %s", id, what)}
}
