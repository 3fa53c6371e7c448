//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/sandbox"
	"plasm/test/attack"
)

// supervise runs the jobs that it reads and writes a report for each. Of a job
// that waits, the guest's output comes first, as a report of its own.
func supervise(worker string, in io.Reader, out io.Writer) error {
	jobs, reports := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var j attack.Job
		err := jobs.Decode(&j)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		r, err := one(worker, &j, reports)
		if err != nil {
			return err
		}
		if err := reports.Encode(r); err != nil {
			return err
		}
	}
}

func one(worker string, j *attack.Job, reports *json.Encoder) (*attack.Report, error) {
	if j.Leak {
		if err := leak(); err != nil {
			return nil, err
		}
	}
	var key *identity.Key
	if j.Key != "" {
		var err error
		if key, err = identity.Load(j.Key, ""); err != nil {
			return nil, err
		}
	}
	cfg := sandbox.Config{
		Worker:   []string{worker, "worker"},
		Engine:   sandbox.EngineInfo{Name: attack.Engine, Version: "1"},
		CacheDir: j.CacheDir, Threads: j.Threads,
	}
	m := job.NewManifest()
	if j.Plan.Stage == attack.Prepare {
		cfg.Preparer, m.Fuel = cfg.Worker, 1 // so that there is something to prepare
	}
	s := sandbox.New(cfg)
	defer s.Close()
	s.OpenCache()
	j.Plan.Argument = strings.ReplaceAll(j.Plan.Argument, attack.Supervisor, strconv.Itoa(os.Getpid()))
	module, err := j.Plan.Module()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(module)
	m.ModuleHash, m.MemoryMB = job.Digest("sha256:"+hex.EncodeToString(sum[:])), 1
	var stdout output
	if j.Plan.Wait {
		stdout.told = func(text string) error { return reports.Encode(attack.Report{Stdout: text}) }
	}
	input := sandbox.Input{Hash: job.EmptyDigest}
	if j.Input != "" {
		f, err := os.Open(j.Input)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		input = sandbox.Input{Reader: f}
	}
	run := &sandbox.Job{
		Manifest: m, Module: module, Dirs: j.Dirs, RequireGuards: j.Guards, Stdout: &stdout, Input: input,
	}
	if j.Travel {
		folders, done, err := travel(m)
		if err != nil {
			return nil, err
		}
		defer done()
		run.Folders = folders
	}
	r, err := s.Run(context.Background(), run)
	if key != nil {
		_ = key.Sign(nil) // so that it was held until here
	}
	return report(r, err, stdout.text.String())
}

// report is what the supervisor says happened.
func report(r *sandbox.Report, err error, stdout string) (*attack.Report, error) {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return &attack.Report{Code: string(e.Code), Message: e.Message}, nil
	}
	if err != nil {
		return nil, err
	}
	told := &attack.Report{
		Started: true, Stdout: stdout, Status: string(r.Outcome.Status), Guards: r.Guards,
		Cached: r.Outcome.CompileCached,
	}
	if r.Cause != nil {
		told.Cause = r.Cause.Error()
	}
	return told, nil
}

// output keeps what a guest writes and tells it at once.
type output struct {
	text bytes.Buffer
	told func(string) error
}

func (o *output) Write(p []byte) (int, error) {
	if o.told != nil {
		if err := o.told(string(p)); err != nil {
			return 0, err
		}
	}
	return o.text.Write(p)
}

// leak opens descriptors that stay open in every process that is started.
func leak() error {
	fd, err := unix.Open("/dev/null", unix.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for _, n := range []int{40, 251, 300} {
		if err := unix.Dup3(fd, n, 0); err != nil {
			return fmt.Errorf("dup %d: %w", n, err)
		}
	}
	return nil
}
