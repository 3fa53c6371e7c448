package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// runner is the program that runs a job; it lies beside this one.
const runner = "plasm-run"

// run starts plasm-run and returns what it says, verified.
func (e *evidence) run(ctx context.Context, args []string, key *identity.Key) (*receipt.Verified, error) {
	program, err := beside(runner)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, args...)                        //nolint:gosec // our own plasm-run, its arguments made here
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it has a worker to end
	cmd.WaitDelay = 5 * time.Second
	words := &tail{most: 4096}
	cmd.Stderr = words
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fileError(runner, err)
	}
	e.log.Debug("running the job again", "program", program, "args", args)
	if err := cmd.Start(); err != nil {
		return nil, fileError(program, err)
	}
	result, readErr := read(stdout, func() (io.Writer, io.Writer) { return io.Discard, io.Discard })
	_, _ = io.Copy(io.Discard, stdout) // after a broken document: or it could not end
	waitErr := cmd.Wait()
	e.log.Debug("ran the job again", "exit", waitErr, "stderr", words.String())
	if cause := context.Cause(ctx); cause != nil {
		return nil, &job.Error{Code: job.CodeCancelled, Message: fmt.Sprintf("no verdict: %v", cause), Err: cause}
	}
	if readErr != nil {
		return nil, fileError(runner, readErr)
	}
	return believe(result, key, words)
}

// believe checks the answer of plasm-run, which must be signed with the key that
// it was given.
func believe(result *received, key *identity.Key, words *tail) (*receipt.Verified, error) {
	if result.failed != nil {
		switch result.failed.Code {
		case job.CodeUnsupported, job.CodeBadModule, job.CodeModuleRefused, job.CodeCompileLimit, job.CodeGuards,
			job.CodeUsage,
			job.CodeBadManifest:
			return nil, notRepeatable("it cannot run here: %s", result.failed.Message)
		default:
			return nil, result.failed
		}
	}
	problem := error(result.refusal)
	if result.refusal == nil {
		v, err := receipt.Verify(result.envelope, []ed25519.PublicKey{key.Public()})
		if err == nil {
			return v, nil
		}
		problem = err
	}
	// The problem is not wrapped: it is no verdict on the caller's receipt.
	return nil, &job.Error{
		Code:    job.CodeInternal,
		Message: fmt.Sprintf("%s did not answer with a result (%v): %s", runner, problem, words),
	}
}

// beside returns the path of a program in the folder of this one.
func beside(program string) (string, error) {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return "", fileError("the folder of this program", err)
	}
	path := filepath.Join(filepath.Dir(self), program)
	if _, err := os.Stat(path); err != nil {
		return "", &job.Error{
			Code: job.CodeNotFound, Message: fmt.Sprintf("%s: %v", path, errors.Unwrap(err)),
			Hint: "--rerun needs " + program + " in the same folder as " + name, Err: err,
		}
	}
	return path, nil
}

// tail keeps the last bytes that were written to it.
type tail struct {
	buf  bytes.Buffer
	most int
}

func (t *tail) Write(p []byte) (int, error) {
	_, _ = t.buf.Write(p) // never fails
	if extra := t.buf.Len() - t.most; extra > 0 {
		t.buf.Next(extra)
	}
	return len(p), nil
}

func (t *tail) String() string { return t.buf.String() }
