package batch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"plasm/lib/batch"
	"plasm/lib/job"
)

// attempt is what a test does in place of an attempt.
type attempt func(ctx context.Context, it *batch.Item, a batch.Attempt, started func()) (*batch.Result, *batch.Failure)

// runner runs items by calling a function, and counts.
type runner struct {
	attempt  attempt
	deadline time.Duration
	work     func(*batch.Item) string // nil: by index

	mu   sync.Mutex
	runs map[int64][]batch.Attempt
}

type fakeJob struct {
	r  *runner
	it *batch.Item
}

func (r *runner) Describe(_ context.Context, it *batch.Item) (batch.Job, error) {
	return fakeJob{r, it}, nil
}

func (r *runner) Failed(it *batch.Item, _ batch.Attempt, err error) batch.Printed {
	return batch.Printed{Stderr: text(fmt.Sprintf("item %d: %v\n", it.Index, err))}
}

func (j fakeJob) Check(bool) error { return nil }

func (j fakeJob) Work() job.Digest {
	if j.r.work != nil {
		return job.Sum([]byte(j.r.work(j.it)))
	}
	return job.Sum(fmt.Append(nil, j.it.Index))
}

func (j fakeJob) Deadline() time.Duration { return j.r.deadline }
func (j fakeJob) Close()                  {}

func (j fakeJob) Attempt(ctx context.Context, a batch.Attempt, started func()) (*batch.Result, *batch.Failure) {
	j.r.mu.Lock()
	if j.r.runs == nil {
		j.r.runs = map[int64][]batch.Attempt{}
	}
	j.r.runs[j.it.Index] = append(j.r.runs[j.it.Index], a)
	j.r.mu.Unlock()
	return j.r.attempt(ctx, j.it, a, started)
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// exits is the result of a program that has written out and exited with code.
func exits(code uint32, out string) *batch.Result {
	return &batch.Result{Status: job.Exit, ExitCode: &code, Printed: batch.Printed{Stdout: text(out)}}
}

// prompt is an attempt that ends at once, with the item's number on stdout.
func prompt(_ context.Context, it *batch.Item, _ batch.Attempt, started func()) (*batch.Result, *batch.Failure) {
	started()
	return exits(0, fmt.Sprintln(it.Index)), nil
}

// numbers is a list of n items.
type numbers struct {
	at, n int64
	make  func(*batch.Item)
}

func (l *numbers) Next() (*batch.Item, error) {
	if l.at == l.n {
		return nil, io.EOF
	}
	l.at++
	it := &batch.Item{Index: l.at, Line: &batch.Line{}}
	if l.make != nil {
		l.make(it)
	}
	return it, nil
}

// fleet has one place, this machine, with so many slots.
func fleet(slots int) *batch.Fleet {
	f := &batch.Fleet{}
	f.Join("", slots, 0)
	f.Settled()
	return f
}

// outcome is what a batch has come to.
type outcome struct {
	*batch.Summary

	err            error
	stdout, stderr string
}

// run runs n items.
func run(t *testing.T, cfg batch.Config, list batch.List) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cfg.Stdout, cfg.Stderr = &stdout, &stderr
	s, err := batch.New(cfg).Run(ctx, list)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Fatal("the batch hangs")
	}
	return outcome{s, err, stdout.String(), stderr.String()}
}

// lines are the numbers from 1 to n, one a line.
func lines(n int) string {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintln(&b, i+1)
	}
	return b.String()
}
