package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
	"plasm/lib/limit"
)

// Some failures of a worker are this machine's: not the module's, nor the program's.
// They are errors with job.CodeInternal or job.CodeUnsupported, after which another
// machine is asked.

// startError is the error for a worker that could not be started.
func startError(program string, err error) error {
	e := &job.Error{
		Code: job.CodeInternal, Message: fmt.Sprintf("starting a worker: %v", err),
		Err: errors.Join(errUntouched, err),
	}
	path, named := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		e.Hint = moreThreads
	case errors.Is(err, syscall.EMFILE):
		e.Hint = "the limit on open files is too low: raise it with ulimit -n, or LimitNOFILE= of the service"
	case errors.Is(err, syscall.ENFILE):
		e.Hint = "all of this system's processes together have too many files open: see fs.file-max"
	case errors.Is(err, syscall.ENOMEM):
		e.Hint = "this machine, or the control group of this process, is out of memory"
	case named && path.Path == os.DevNull:
		e.Hint = os.DevNull + " must be there, and open to this user"
	case !errors.Is(err, fs.ErrNotExist):
	case filepath.IsAbs(program):
		e.Hint = "install it again: " + program
	default:
		e.Hint = "on Linux /proc must be there, by which a command finds its own executable"
	}
	return e
}

// moreThreads is the hint where no thread or process can be had.
const moreThreads = "this user, or the control group of this process, has all the processes and threads that it " +
	"may: raise ulimit -u, or TasksMax= of the service"

// noMemory is the hint where the kernel has no memory left.
const noMemory = "this machine, or the control group of this process, is out of memory: run less at a time, or give " +
	"it more"

// ErrNoMemory marks the end of a job whose worker the kernel has killed for want of memory.
// The job was within its own bound: another machine may do.
var ErrNoMemory = errors.New("this machine is out of memory")

// errKilled marks the error of a worker that something else than this process and the
// worker's own limits has killed.
var errKilled = errors.New("the worker was killed")

// outOfThreads reports whether the process, which has exited, died because it could
// have no more threads. An executable with the C library in it says the same where
// memory for the thread's stack is missing, which is not so while it has taken little.
func (p *process) outOfThreads() bool {
	const little = 256 << 10 // KiB
	line := p.last.line()
	return strings.HasPrefix(line, "runtime: failed to create new OS thread") ||
		strings.Contains(line, "runtime/cgo: pthread_create failed") && p.usage.Maxrss < little
}

// outOfTime reports whether the process, which has exited, was killed when it had
// taken the processor time that this machine's limit leaves it.
func (p *process) outOfTime() bool {
	_, most := limit.CPU.Get()
	return p.status.Signaled() && (p.status.Signal() == unix.SIGKILL || p.status.Signal() == unix.SIGXCPU) &&
		most != limit.Unlimited && p.cpuTime() >= time.Duration(most)*time.Second-timeSlack
}

// timeSlack is by how much the kernel may count a process's time otherwise than its
// limit does.
const timeSlack = 100 * time.Millisecond

// killed reports whether the worker, which has exited, was killed by something else than
// this process and its own timer, which ends it when compiling has taken too long and
// this process is stopped.
func (r *run) killed() bool {
	return r.p.killedByOthers() && (!r.started.IsZero() || r.p.at.Sub(r.begun) < r.s.cfg.CompileTimeout) &&
		!r.p.outOfTime()
}

// hostFault returns the error for a worker that died of what this machine does not give
// it, or was killed, or nil.
func (r *run) hostFault() *job.Error {
	e := &job.Error{Code: job.CodeInternal}
	switch {
	case r.p.starved():
		e.Message, e.Hint, e.Err = "the kernel has killed the worker, for want of memory", noMemory, ErrNoMemory
	case r.isReady() && r.killed():
		e.Message, e.Err = "the worker was killed: "+r.p.death(), errKilled
	case r.p.outOfThreads():
		e.Message, e.Hint = "the worker could have no more threads: "+r.p.death(), moreThreads
	case r.p.outOfTime():
		e.Message = "the worker had no processor time left: " + r.p.death()
		e.Hint = "the limit on it is too low: raise it with ulimit " + limit.CPU.Flag()
	case r.p.outOfMemory() && lowMemory():
		e.Message = "the worker died of a limit on its memory that is lower than its own: " + r.p.death()
		e.Hint = fmt.Sprintf("raise ulimit %s and ulimit %s", limit.AddressSpace.Flag(), limit.Data.Flag())
	default:
		return nil
	}
	return e
}

// lowMemory reports whether a limit that this process has, and so its workers had from
// the start, can be what a compiling worker meets before its own bound.
func lowMemory() bool {
	const space, data = 8 << 30, 2 << 30 // more than any of them takes
	_, mostSpace := limit.AddressSpace.Get()
	_, mostData := limit.Data.Get()
	return mostSpace < space || mostData < data
}

// timeFor refuses a job that may take more processor time than this machine lets a
// process have: a kill in the middle would be no outcome of the program's.
func timeFor(m *job.Manifest) error {
	need := uint64(m.TimeoutMS+999) / 1000
	if _, most := limit.CPU.Get(); most < need {
		e := limit.CPU.TooLow(most, fmt.Sprintf("a job with a timeout of %v",
			time.Duration(m.TimeoutMS)*time.Millisecond), need)
		e.Hint += ", or give the job less with --timeout"
		return e
	}
	return nil
}
