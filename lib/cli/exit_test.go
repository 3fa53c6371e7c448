package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"syscall"
	"testing"

	"plasm/lib/job"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	codes := map[job.Code]int{
		job.CodeUsage: 125, job.CodeUnsupported: 125, job.CodeNotFound: 127, job.CodeBadManifest: 125,
		job.CodeBadModule: 126, job.CodeModuleRefused: 126, job.CodeCompileLimit: 126, job.CodeBadKey: 125,
		job.CodeIO: 125, job.CodeGuards: 125, job.CodeNoNode: 127, job.CodeRefused: 125, job.CodeDeadline: 124,
		job.CodeUnverified: 125, job.CodeDisagreement: 125, job.CodeCancelled: 125, job.CodeInternal: 125,
		"no code of ours": 125,
	}
	for code, want := range codes {
		err := &job.Error{Code: code}
		if got := ExitCode(err); got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
		if got := ExitCode(fmt.Errorf("wrapped: %w", err)); got != want {
			t.Errorf("%s wrapped: %d, want %d", code, got, want)
		}
	}
	for _, w := range job.CodeWords() {
		if _, ok := codes[w.Code]; !ok {
			t.Errorf("%s is not in this test", w.Code)
		}
	}
	pipe := &fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}
	others := []struct {
		name string
		err  error
		want int
	}{
		{"none", nil, 0},
		{"done", ErrDone, 0},
		{"done, wrapped", fmt.Errorf("%w", ErrDone), 0},
		{"somebody else's", errors.New("boom"), 125},
		{"interrupt", &SignalError{syscall.SIGINT}, 130},
		{"terminate", &job.Error{Code: job.CodeCancelled, Err: &SignalError{syscall.SIGTERM}}, 143},
		{"hang up", &SignalError{syscall.SIGHUP}, 129},
		{"cancelled by nobody", &job.Error{Code: job.CodeCancelled, Err: context.Canceled}, 125},
		{"stdout closed", writeError(standardOutput, pipe), 141},
		{"stdout closed, wrapped", fmt.Errorf("wrapped: %w", writeError(standardOutput, pipe)), 141},
		{"a worker that is gone", &job.Error{Code: job.CodeCompileLimit, Err: pipe}, 126},
		{"both a file and stdout", errors.Join(&job.Error{Code: job.CodeIO},
			&job.Error{Code: job.CodeIO, Err: syscall.ENOSPC}), 125},
	}
	for _, test := range others {
		if got := ExitCode(test.err); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestOutcomeCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[uint32]int{
		0: 0, 1: 1, 3: 3, 124: 124, 254: 254, 255: 255, 256: 255, 0xefffffff: 255,
		math.MaxUint32: 255,
	} {
		if got := OutcomeCode(&job.Outcome{Status: job.Exit, ExitCode: &code}, nil); got != want {
			t.Errorf("exit(%d): %d, want %d", code, got, want)
		}
	}
	tests := []struct {
		status job.Status
		cause  error
		want   int
	}{
		{job.Trap, nil, 132},
		{job.Timeout, nil, 124},
		{job.OutOfFuel, nil, 137},
		{job.OutOfMemory, nil, 137},
		{job.OutputLimit, nil, 137},
		{job.EngineFailed, errors.New("the worker died"), 125},
		{job.EngineFailed, nil, 125},
		{job.Cancelled, nil, 125},
		{job.Cancelled, &SignalError{syscall.SIGINT}, 130},
		{job.Cancelled, &SignalError{syscall.SIGTERM}, 143},
		{job.Cancelled, &job.Error{Code: job.CodeIO, Err: syscall.EPIPE}, 141},
		{job.Cancelled, &job.Error{Code: job.CodeIO, Err: syscall.ENOSPC}, 125},
		{"no status of ours", nil, 125},
	}
	for _, test := range tests {
		if got := OutcomeCode(&job.Outcome{Status: test.status}, test.cause); got != test.want {
			t.Errorf("%s, %v: %d, want %d", test.status, test.cause, got, test.want)
		}
	}
}
