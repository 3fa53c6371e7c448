package batch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"plasm/lib/batch"
	"plasm/lib/job"
)

func TestOutputIsInTheOrderOfTheList(t *testing.T) {
	t.Parallel()
	r := &runner{attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		for range rand.N(50) {
			runtime.Gosched()
		}
		return prompt(ctx, it, a, started)
	}}
	got := run(t, batch.Config{Runner: r, Fleet: fleet(8)}, &numbers{n: 500})
	if got.err != nil || got.stdout != lines(500) || got.stderr != "" || got.Succeeded != 500 || got.Items != 500 ||
		!got.Whole {
		t.Errorf("%v, %+v, %q %q", got.err, got.Summary, got.stdout, got.stderr)
	}
}

// TestUnorderedOutputWaitsForNothing has the first item end last.
func TestUnorderedOutputWaitsForNothing(t *testing.T) {
	t.Parallel()
	var over atomic.Int64
	last := make(chan struct{})
	r := &runner{attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		if it.Index == 2 { // the first that starts alone
			started()
			<-last
		} else if over.Add(1) == 999 {
			defer close(last)
		}
		return prompt(ctx, it, a, started)
	}}
	got := run(t, batch.Config{Runner: r, Fleet: fleet(4), Unordered: true}, &numbers{n: 1000})
	if got.err != nil || got.Succeeded != 1000 {
		t.Fatalf("%v, %+v", got.err, got.Summary)
	}
	all := strings.Fields(got.stdout)
	if len(all) != 1000 || slices.Index(all, "2") < 990 {
		t.Errorf("%d lines, the last item at %d", len(all), slices.Index(all, "2"))
	}
}

// TestNothingStartsWhileTooMuchWaits holds up the first item until nothing more ends.
func TestNothingStartsWhileTooMuchWaits(t *testing.T) {
	t.Parallel()
	const parallel, most = 2, 2 * 64
	var ended atomic.Int64
	full := make(chan struct{})
	r := &runner{attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		started()
		if it.Index == 1 {
			<-full
			if n := ended.Load(); n >= most {
				return exits(0, fmt.Sprintf("%d have ended\n", n)), nil
			}
		} else if ended.Add(1) == most-1 {
			close(full)
		}
		return prompt(ctx, it, a, func() {})
	}}
	got := run(t, batch.Config{Runner: r, Fleet: fleet(parallel), Parallel: parallel}, &numbers{n: 1000})
	if got.err != nil || got.stdout != lines(1000) {
		t.Errorf("%v, %.200q", got.err, got.stdout)
	}
}

// TestItemsWithFilesWaitForNobody lets all others end before the first.
func TestItemsWithFilesWaitForNobody(t *testing.T) {
	t.Parallel()
	var ended atomic.Int64
	last := make(chan struct{})
	r := &runner{attempt: func(_ context.Context, it *batch.Item, _ batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		started()
		if it.Index == 1 {
			<-last
		} else if ended.Add(1) == 999 {
			close(last)
		}
		code := uint32(0)
		return &batch.Result{Status: job.Exit, ExitCode: &code}, nil
	}}
	got := run(t, batch.Config{Runner: r, Fleet: fleet(2)},
		&numbers{n: 1000, make: func(it *batch.Item) { it.Filed = true }})
	if got.err != nil || got.Succeeded != 1000 {
		t.Errorf("%v, %+v", got.err, got.Summary)
	}
}

// TestMemoryIsConstant is not parallel, because it looks at the heap.
func TestMemoryIsConstant(t *testing.T) {
	const items, each = 100_000, 4 << 10
	out := strings.Repeat("x", each)
	var most uint64
	var mu sync.Mutex
	r := &runner{attempt: func(_ context.Context, it *batch.Item, _ batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		started()
		if it.Index%5000 == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			mu.Lock()
			most = max(most, m.HeapAlloc)
			mu.Unlock()
		}
		return exits(0, out), nil
	}}
	r.runs = nil
	var stdout countWriter
	log, err := batch.OpenLog(t.TempDir()+"/log", false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	plain := plainRunner{r}
	s, err := batch.New(batch.Config{
		Runner: plain, Fleet: fleet(4), Log: log, Stdout: &stdout,
		Stderr: io.Discard,
	}).Run(t.Context(), &numbers{n: items})
	if err != nil || s.Succeeded != items || stdout != items*each {
		t.Fatalf("%v, %+v, %d bytes", err, s, stdout)
	}
	if most > 64<<20 {
		t.Errorf("%d bytes of heap", most)
	}
}

// plainRunner is a runner that keeps nothing.
type plainRunner struct{ *runner }

func (r plainRunner) Describe(_ context.Context, it *batch.Item) (batch.Job, error) {
	return plainJob{fakeJob{r.runner, it}}, nil
}

type plainJob struct{ fakeJob }

func (j plainJob) Attempt(ctx context.Context, a batch.Attempt, started func()) (*batch.Result, *batch.Failure) {
	return j.r.attempt(ctx, j.it, a, started)
}

type countWriter int64

func (c *countWriter) Write(p []byte) (int, error) {
	*c += countWriter(len(p))
	return len(p), nil
}

func TestBadItemsAreErrorsOfTheirOwn(t *testing.T) {
	t.Parallel()
	got := run(t, batch.Config{Runner: &runner{attempt: prompt}, Fleet: fleet(2)},
		&numbers{n: 4, make: func(it *batch.Item) {
			if it.Index%2 == 0 {
				it.Err = errors.New("bad line")
			}
		}})
	if got.err != nil || got.stdout != "1\n3\n" || got.stderr != "item 2: bad line\nitem 4: bad line\n" ||
		got.Failed != 2 {
		t.Errorf("%v, %q, %q, %+v", got.err, got.stdout, got.stderr, got.Summary)
	}
}

func TestHalt(t *testing.T) {
	t.Parallel()
	r := &runner{attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		if it.Index == 3 {
			started()
			return exits(1, "3\n"), nil
		}
		return prompt(ctx, it, a, started)
	}}
	got := run(t, batch.Config{Runner: r, Fleet: fleet(2), Halt: true}, &numbers{n: 1_000_000})
	if got.err != nil || got.Failed != 1 || got.Whole || got.Items > 10 || got.Succeeded != got.Items-1 {
		t.Errorf("%v, %+v", got.err, got.Summary)
	}
}

func TestWhatRunsIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	var running sync.WaitGroup
	running.Add(4)
	go func() {
		running.Wait()
		cancel(stopped)
	}()
	r := &runner{attempt: func(ctx context.Context, _ *batch.Item, _ batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		started()
		running.Done()
		<-ctx.Done()
		return &batch.Result{Status: job.Cancelled}, nil
	}}
	log := t.TempDir() + "/log"
	l, err := batch.OpenLog(log, false)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	s, err := batch.New(batch.Config{Runner: r, Fleet: fleet(4), Log: l, Stdout: &stdout, Stderr: &stderr}).Run(ctx,
		&numbers{n: 100})
	if !errors.Is(err, stopped) || s.Whole || s.Succeeded+s.Failed != 0 || stdout.Len()+stderr.Len() != 0 {
		t.Errorf("%v, %+v, %q %q", err, s, &stdout, &stderr)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	all := &runner{attempt: prompt}
	if l, err = batch.OpenLog(log, true); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if got := run(t, batch.Config{Runner: all, Fleet: fleet(4), Log: l}, &numbers{n: 100}); got.err != nil ||
		got.stdout != lines(100) || got.Resumed != 0 {
		t.Errorf("resumed: %v, %+v", got.err, got.Summary)
	}
}

// TestListThatBreaks lets what runs end.
func TestListThatBreaks(t *testing.T) {
	t.Parallel()
	sick := errors.New("sick disk")
	got := run(t, batch.Config{Runner: &runner{attempt: prompt}, Fleet: fleet(2)}, sickList{&numbers{n: 3}, sick})
	if !errors.Is(got.err, sick) || got.stdout != lines(3) || got.Whole {
		t.Errorf("%v, %q", got.err, got.stdout)
	}
}

type sickList struct {
	batch.List
	err error
}

func (l sickList) Next() (*batch.Item, error) {
	it, err := l.List.Next()
	if errors.Is(err, io.EOF) {
		err = l.err
	}
	return it, err
}

// TestOutputThatCannotBeWritten breaks the batch off.
func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	for _, unordered := range []bool{false, true} {
		s, err := batch.New(batch.Config{
			Runner: &runner{attempt: prompt}, Fleet: fleet(2), Unordered: unordered, Stdout: sickWriter{full},
			Stderr: io.Discard,
		}).Run(t.Context(), &numbers{n: 1_000_000})
		if !errors.Is(err, full) || s.Succeeded != 0 || s.Items > 1000 {
			t.Errorf("unordered %v: %v, %+v", unordered, err, s)
		}
	}
}

type sickWriter struct{ err error }

func (w sickWriter) Write([]byte) (int, error) { return 0, w.err }
