package cli

import (
	"errors"
	"fmt"
	"syscall"

	"plasm/lib/job"
)

// Exit codes that do not come from a guest, beside those of the tables of statuses and
// of the codes of errors in lib/job.
const (
	ExitNotVerified = 1   // plasm-verify alone
	ExitBatch       = 123 // a batch of which a job did not exit with 0
	ExitPlasm       = 125 // plasm failed, refused, or was used wrongly
	ExitSignal      = 128 // plus the signal
	ExitPipe        = 141 // 128 + SIGPIPE: stdout was closed
)

// JobExits are the exit codes of a command that runs a job. missing says what 127 means.
func JobExits(missing string) []Term {
	return []Term{
		{"0 to 255", "the program's own (255 when it is above 255)"},
		{"123", "a job of a batch did not exit with 0"},
		{"124", "out of time"},
		{"125", "plasm failed, was refused or was used wrongly"},
		{"126", "not a module that can be run"},
		{"127", missing},
		{"132", "the program trapped"},
		{"137", "out of memory, fuel or output"},
		{"128+n", "ended by signal n"},
		{"141", "stdout was closed"},
	}
}

// SignalError says that a signal ended the command.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string {
	return fmt.Sprintf("stopped by signal %d (%v)", int(e.Signal), e.Signal)
}

// ExitCode returns the exit code for err: 0 for nil and ErrDone, 128 + n where a
// signal is the cause, 141 where output went to a closed pipe, else what its Code
// says.
func ExitCode(err error) int {
	if err == nil || errors.Is(err, ErrDone) {
		return 0
	}
	if sig, ok := errors.AsType[*SignalError](err); ok {
		return ExitSignal + int(sig.Signal)
	}
	e := AsError(err)
	// A worker that is gone is a closed pipe as well, but of no concern here.
	if e.Code == job.CodeIO && errors.Is(err, syscall.EPIPE) {
		return ExitPipe
	}
	for _, w := range job.CodeWords() {
		if w.Code == e.Code {
			return w.Exit
		}
	}
	return ExitPlasm
}

// OutcomeCode returns the exit code for a job that started and ended as status
// says. Why a job was cancelled is not in its outcome: cause is the error that
// led to it, or nil.
func OutcomeCode(o *job.Outcome, cause error) int {
	switch o.Status {
	case job.Exit:
		return int(min(*o.ExitCode, 255))
	case job.Cancelled:
		if cause != nil {
			return ExitCode(cause)
		}
	default:
		for _, w := range job.StatusWords() {
			if w.Status == o.Status {
				return w.Exit
			}
		}
	}
	return ExitPlasm
}
