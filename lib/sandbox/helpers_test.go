package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"strings"
	"testing"

	"plasm/lib/engine/wazero"
	"plasm/lib/job"
	"plasm/test/bin"
	"plasm/test/guest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// realConfig is for workers that are what they should be.
func realConfig() Config {
	var e wazero.Engine
	return Config{Worker: bin.Worker(built), Engine: EngineInfo{
		Name: e.Name(), Version: e.Version(),
		Features: e.Features(),
	}, Version: "dev"}
}

// fakeEngine is what a fake worker says that it has, of a plasm without a version.
var fakeEngine = EngineInfo{Name: "fake", Version: "1"}

// fakeConfig is for workers that take the steps of mode.
func fakeConfig(t *testing.T, mode string) Config {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	return Config{Worker: []string{self, fakeMode, mode}, Engine: fakeEngine}
}

// supervisor returns one that ends with the test.
func supervisor(t *testing.T, cfg Config) *Supervisor {
	t.Helper()
	s := New(cfg)
	s.OpenCache()
	t.Cleanup(s.Close)
	return s
}

// described is the job of a guest from the catalogue, without input.
func described(t *testing.T, name string) *Job {
	t.Helper()
	module, err := guest.Module(name)
	must(t, err)
	m := job.NewManifest()
	m.ID, m.ModuleHash, m.StdinHash = job.NewID(), job.Sum(module), job.EmptyDigest
	return &Job{Manifest: m, Module: module, Input: Input{Hash: job.EmptyDigest}}
}

// ran is a report with the output it is about, both streams also in the order in
// which they came.
type ran struct {
	*Report
	stdout, stderr, both bytes.Buffer
}

// ordered writes to two buffers.
type ordered struct{ one, both *bytes.Buffer }

func (o ordered) Write(p []byte) (int, error) {
	o.both.Write(p)
	return o.one.Write(p)
}

// play runs a job that must start.
func play(ctx context.Context, t *testing.T, s *Supervisor, j *Job) *ran {
	t.Helper()
	r := &ran{}
	if j.Stdout == nil {
		j.Stdout = ordered{&r.stdout, &r.both}
	}
	if j.Stderr == nil {
		j.Stderr = ordered{&r.stderr, &r.both}
	}
	var err error
	r.Report, err = s.Run(ctx, j)
	must(t, err)
	o := &r.Outcome
	if err := o.Validate(); err != nil {
		t.Errorf("outcome: %v", err)
	}
	if (r.Cause != nil) != (o.Status == job.Cancelled || o.Status == job.EngineFailed) {
		t.Errorf("status %s has the cause %v", o.Status, r.Cause)
	}
	if r.Finished.Before(r.Started) {
		t.Errorf("finished %v, started %v", r.Finished, r.Started)
	}
	r.checkOutput(t, j)
	return r
}

// checkOutput compares what came out with what the report says of it.
func (r *ran) checkOutput(t *testing.T, j *Job) {
	t.Helper()
	if _, ours := j.Stdout.(ordered); ours && (int64(r.stdout.Len()) != r.Outcome.StdoutBytes ||
		job.Sum(r.stdout.Bytes()) != r.StdoutHash) {
		t.Errorf("stdout is %d bytes, and the report has %d", r.stdout.Len(), r.Outcome.StdoutBytes)
	}
	if _, ours := j.Stderr.(ordered); ours && (int64(r.stderr.Len()) != r.Outcome.StderrBytes ||
		job.Sum(r.stderr.Bytes()) != r.StderrHash) {
		t.Errorf("stderr is %d bytes, and the report has %d", r.stderr.Len(), r.Outcome.StderrBytes)
	}
}

// wantExit checks that the guest has exited with code.
func (r *ran) wantExit(t *testing.T, code uint32) {
	t.Helper()
	if o := r.Outcome; o.Status != job.Exit || o.ExitCode == nil || *o.ExitCode != code {
		t.Errorf("status %s, code %v, cause %v; want exit, %d", o.Status, o.ExitCode, r.Cause, code)
	}
}

// wantStatus checks how the job ended, and what its cause says.
func (r *ran) wantStatus(t *testing.T, status job.Status, cause string) {
	t.Helper()
	said := ""
	if r.Cause != nil {
		said = r.Cause.Error()
	}
	if r.Outcome.Status != status || !strings.Contains(said, cause) {
		t.Errorf("status %s, cause %q; want %s, …%s…", r.Outcome.Status, said, status, cause)
	}
}

// wantInput checks what the report says of the input.
func (r *ran) wantInput(t *testing.T, input []byte, complete bool) {
	t.Helper()
	sum := sha256.Sum256(input)
	o := r.Outcome
	if o.StdinHash != job.DigestOf(sum[:]) || o.StdinBytes != int64(len(input)) || o.StdinComplete != complete {
		t.Errorf("the report has input %s, %d bytes, complete %v; want %d bytes, %v",
			o.StdinHash, o.StdinBytes, o.StdinComplete, len(input), complete)
	}
}

// codeOf returns the code of a *job.Error, else "".
func codeOf(err error) job.Code {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e.Code
	}
	return ""
}
