package batch_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"plasm/lib/batch"
)

var errOutrun = errors.New("outrun")

// two has two places of so many slots each.
func two(slots int) *batch.Fleet {
	f := &batch.Fleet{}
	f.Join("slow", slots+1, 0) // and so the first that is asked
	f.Join("fast", slots, 0)
	f.Settled()
	return f
}

// TestHedge has a place that answers nothing beside one that does.
func TestHedge(t *testing.T) {
	t.Parallel()
	for _, hedge := range []time.Duration{time.Millisecond, batch.HedgeAuto} {
		var mu sync.Mutex
		causes := map[error]int{}
		r := &runner{attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
			started func(),
		) (*batch.Result, *batch.Failure) {
			if a.Place == "fast" {
				if !a.First() {
					t.Errorf("item %d: another was first", it.Index)
				}
				return prompt(ctx, it, a, started)
			}
			started()
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			causes[context.Cause(ctx)]++
			return nil, &batch.Failure{Kind: batch.Final, Err: context.Cause(ctx)}
		}}
		got := run(t, batch.Config{Runner: r, Fleet: two(4), Hedge: hedge, Outrun: errOutrun}, &numbers{n: 100})
		if got.err != nil || got.stdout != lines(100) || got.stderr != "" || got.Succeeded != 100 {
			t.Errorf("%v: %v, %+v, %q", hedge, got.err, got.Summary, got.stderr)
		}
		if len(got.Places) != 1 || got.Places[0].Name != "fast" || got.Places[0].Failures != 0 {
			t.Errorf("%v: blamed: %+v", hedge, got.Places)
		}
		if len(causes) != 1 || causes[errOutrun] == 0 {
			t.Errorf("%v: ended by %v", hedge, causes)
		}
	}
}

// TestHedgeTakesOneResult has both places answer at the same time.
func TestHedgeTakesOneResult(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	first := map[int64]int{}
	both := map[int64]chan struct{}{}
	r := &runner{attempt: func(_ context.Context, it *batch.Item, a batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		started()
		mu.Lock()
		c := both[it.Index]
		if c == nil {
			c = make(chan struct{})
			both[it.Index] = c
		} else {
			close(c)
		}
		mu.Unlock()
		<-c
		if !a.First() {
			return nil, &batch.Failure{Kind: batch.Outrun, Err: errOutrun}
		}
		mu.Lock()
		defer mu.Unlock()
		first[it.Index]++
		return exits(0, fmt.Sprintln(it.Index)), nil
	}}
	got := run(t, batch.Config{Runner: r, Fleet: two(1), Parallel: 1, Hedge: time.Millisecond}, &numbers{n: 50})
	if got.err != nil || got.stdout != lines(50) || got.Succeeded != 50 || len(first) != 50 {
		t.Errorf("%v, %+v, %q", got.err, got.Summary, got.stderr)
	}
	for it, n := range first {
		if n != 1 {
			t.Errorf("item %d has %d results", it, n)
		}
	}
}

// TestHedgeOfOnePlace waits for the only place that there is, and for the better of two.
func TestHedgeOfOnePlace(t *testing.T) {
	t.Parallel()
	got := run(t, batch.Config{Runner: &runner{attempt: prompt}, Fleet: fleet(2), Hedge: time.Nanosecond},
		&numbers{n: 50})
	if got.err != nil || got.stdout != lines(50) {
		t.Errorf("%v, %+v, %q", got.err, got.Summary, got.stderr)
	}
	failed := make(chan struct{})
	r := &runner{attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		if a.Place == "fast" {
			defer close(failed)
			return nil, &batch.Failure{Kind: batch.Unfit, Err: errors.New("unfit")}
		}
		<-failed
		return prompt(ctx, it, a, started)
	}}
	got = run(t, batch.Config{Runner: r, Fleet: two(1), Hedge: time.Nanosecond}, &numbers{n: 1})
	if got.err != nil || got.stdout != lines(1) || got.Succeeded != 1 {
		t.Errorf("%v, %+v, %q", got.err, got.Summary, got.stderr)
	}
}
