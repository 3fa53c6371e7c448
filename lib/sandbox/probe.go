package sandbox

import (
	"context"
	"errors"
	"fmt"

	"plasm/lib/job"
)

// probe is a module that exits with probed:
//
//	(module
//	  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
//	  (memory (export "memory") 1)
//	  (func (export "_start") i32.const 42 call $exit))
const probe = "\x00asm\x01\x00\x00\x00" +
	"\x01\x08\x02\x60\x01\x7f\x00\x60\x00\x00" +
	"\x02\x24\x01\x16wasi_snapshot_preview1\x09proc_exit\x00\x00" +
	"\x03\x02\x01\x01" +
	"\x05\x03\x01\x00\x01" +
	"\x07\x13\x02\x06memory\x02\x00\x06_start\x00\x01" +
	"\x0a\x08\x01\x06\x00\x41\x2a\x10\x00\x0b"

// probed is the exit code of the probe.
const probed = 42

// Probe has a worker compile and run a module of our own, and returns the guards that
// were active meanwhile. An error is a *job.Error that says why jobs cannot run here,
// with job.CodeGuards where one that is required is missing; cancelling ctx is one with
// job.CodeCancelled.
func (s *Supervisor) Probe(ctx context.Context, require []string) ([]string, error) {
	m := job.NewManifest()
	m.ID, m.ModuleHash, m.StdinHash = job.NewID(), job.Sum([]byte(probe)), job.EmptyDigest
	r, err := s.Run(ctx, &Job{
		Manifest: m, Module: []byte(probe), Input: Input{Hash: job.EmptyDigest},
		RequireGuards: require,
	})
	if e, ok := errors.AsType[*job.Error](err); ok && blamed[e.Code] {
		err = notWorking(e.Message)
	}
	if err != nil {
		return nil, err
	}
	switch o := r.Outcome; {
	case o.Status == job.Exit && *o.ExitCode == probed:
		return r.Guards, nil
	case o.Status == job.Cancelled:
		return nil, &job.Error{Code: job.CodeCancelled, Message: fmt.Sprintf("cancelled: %v", r.Cause), Err: r.Cause}
	default:
		return nil, notWorking(fmt.Sprintf("it ended with %s: %v", o.Status, r.Cause))
	}
}

// blamed are the codes that blame a module, and there is nothing wrong with the probe.
var blamed = map[job.Code]bool{job.CodeBadModule: true, job.CodeModuleRefused: true, job.CodeCompileLimit: true}

func notWorking(why string) error {
	return &job.Error{
		Code: job.CodeInternal, Message: "the engine cannot run a module of plasm's own: " + why,
		Err: ErrNoWorker,
	}
}
