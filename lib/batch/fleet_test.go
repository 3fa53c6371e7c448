package batch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"plasm/lib/batch"
	"plasm/lib/job"
)

// places is a fleet with places of so many slots and one job more each.
func places(slots map[string]int) *batch.Fleet {
	f := &batch.Fleet{}
	for name, n := range slots {
		f.Join(name, n, 1)
	}
	f.Settled()
	return f
}

// byPlace counts the jobs of each place.
func byPlace(s *batch.Summary) map[string]int64 {
	jobs := map[string]int64{}
	for _, p := range s.Places {
		jobs[p.Name] = p.Jobs
	}
	return jobs
}

// TestSlowPlaceHoldsUpOnlyWhatItHas has two places of four slots, one of them ten times
// slower than the other, in virtual time.
func TestSlowPlaceHoldsUpOnlyWhatItHas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slots := map[string]chan struct{}{"quick": make(chan struct{}, 4), "slow": make(chan struct{}, 4)}
		r := &runner{attempt: func(_ context.Context, _ *batch.Item, a batch.Attempt,
			started func(),
		) (*batch.Result, *batch.Failure) {
			slots[a.Place] <- struct{}{}
			defer func() { <-slots[a.Place] }()
			started()
			if a.Place == "slow" {
				time.Sleep(900 * time.Millisecond) //nolint:forbidigo // virtual time: what the job takes
			}
			time.Sleep(100 * time.Millisecond) //nolint:forbidigo // as above
			return exits(0, ""), nil
		}}
		s, err := batch.New(batch.Config{
			Runner: r, Fleet: places(map[string]int{"quick": 4, "slow": 4}),
			Stdout: io.Discard, Stderr: io.Discard,
		}).Run(t.Context(), &numbers{n: 440})
		if err != nil || s.Succeeded != 440 {
			t.Fatalf("%v, %+v", err, s)
		}
		if s.Took > 12*time.Second { // 10 s, were there no beginning and no end
			t.Errorf("%v: %v", s.Took, byPlace(s))
		}
	})
}

// TestModuleGoesToAPlaceOnce counts the attempts that are under way before the first has
// started.
func TestModuleGoesToAPlaceOnce(t *testing.T) {
	t.Parallel()
	var cold, most atomic.Int64
	warm := map[string]*atomic.Bool{"a": {}, "b": {}}
	r := &runner{attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		if !warm[a.Place].Load() {
			most.Store(max(most.Load(), cold.Add(1)))
			warm[a.Place].Store(true)
		}
		return prompt(ctx, it, a, started)
	}}
	got := run(t, batch.Config{Runner: r, Fleet: places(map[string]int{"a": 8, "b": 8})}, &numbers{n: 200})
	if got.err != nil || got.Succeeded != 200 || cold.Load() > 2 {
		t.Errorf("%v, %+v, %d", got.err, got.Summary, cold.Load())
	}
}

// TestFailingPlaceIsLeft has one of two places fail all that it gets.
func TestFailingPlaceIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tried atomic.Int64
		lie := errors.New("its result does not verify")
		r := &runner{attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
			started func(),
		) (*batch.Result, *batch.Failure) {
			if a.Place == "liar" {
				tried.Add(1)
				return nil, &batch.Failure{Kind: batch.Faulty, Err: lie, Counted: true}
			}
			time.Sleep(100 * time.Millisecond) //nolint:forbidigo // virtual time: what the job takes
			return prompt(ctx, it, a, started)
		}}
		got := run(t, batch.Config{Runner: r, Fleet: places(map[string]int{"good": 4, "liar": 4}), Retries: 3},
			&numbers{n: 1200})
		if got.err != nil || got.stdout != lines(1200) {
			t.Fatalf("%v, %+v", got.err, got.Summary)
		}
		if n := tried.Load(); n < 4 || n > 8 { // half a minute, with pauses of ½, 1, 2, 4, 8, 16 s
			t.Errorf("the liar was tried %d times in %v", n, got.Took)
		}
		for _, p := range got.Places {
			if p.Name == "liar" && (p.Failures != tried.Load() || !errors.Is(p.Last, lie)) {
				t.Errorf("%+v", p)
			}
		}
	})
}

// TestPlacesComeAndGo runs a batch over a place that goes away with what it has, and
// another that comes then.
func TestPlacesComeAndGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := places(map[string]int{"first": 2})
		var gone atomic.Bool
		var once sync.Once
		r := &runner{attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
			started func(),
		) (*batch.Result, *batch.Failure) {
			if it.Index >= 50 && a.Place == "first" {
				gone.Store(true)
				once.Do(func() { f.Join("second", 2, 1) })
			}
			if gone.Load() && a.Place == "first" {
				return nil, &batch.Failure{Kind: batch.Unreached, Err: errors.New("gone")}
			}
			return prompt(ctx, it, a, started)
		}}
		got := run(t, batch.Config{Runner: r, Fleet: f}, &numbers{n: 100})
		if got.err != nil || got.stdout != lines(100) || byPlace(got.Summary)["second"] < 45 {
			t.Errorf("%v, %+v", got.err, got.Summary)
		}
	})
}

// TestBusyPlaceIsGivenLess has a place that takes fewer jobs than it has said.
func TestBusyPlaceIsGivenLess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running, turned atomic.Int64
		r := &runner{attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
			started func(),
		) (*batch.Result, *batch.Failure) {
			defer running.Add(-1)
			if running.Add(1) > 3 {
				turned.Add(1)
				return nil, &batch.Failure{Kind: batch.Busy, Err: errors.New("busy"), After: 50 * time.Millisecond}
			}
			started()
			time.Sleep(100 * time.Millisecond) //nolint:forbidigo // virtual time: what the job takes
			return prompt(ctx, it, a, func() {})
		}}
		got := run(t, batch.Config{Runner: r, Fleet: places(map[string]int{"small": 8})}, &numbers{n: 300})
		if got.err != nil || got.stdout != lines(300) || turned.Load() > 300 {
			t.Errorf("%v, %+v, turned away %d times", got.err, got.Summary, turned.Load())
		}
	})
}

func TestBatchWithoutPlaces(t *testing.T) {
	t.Parallel()
	gone := errors.New("no answer")
	refused := errors.New("not allowed")
	for name, test := range map[string]struct {
		fleet *batch.Fleet
		why   *batch.Failure
		want  error
	}{
		"none":      {places(nil), nil, batch.ErrNoPlace},
		"unreached": {places(map[string]int{"a": 1, "b": 1}), &batch.Failure{Kind: batch.Unreached, Err: gone}, gone},
		"closed": {
			places(map[string]int{"a": 1, "b": 1}), &batch.Failure{Kind: batch.Closed, Err: refused},
			refused,
		},
		"hopeless": {
			places(map[string]int{"a": 1, "b": 1}), &batch.Failure{Kind: batch.Hopeless, Err: refused},
			refused,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := &runner{attempt: func(context.Context, *batch.Item, batch.Attempt,
					func(),
				) (*batch.Result, *batch.Failure) {
					return nil, test.why
				}}
				got := run(t, batch.Config{Runner: r, Fleet: test.fleet}, &numbers{n: 1000})
				if !errors.Is(got.err, test.want) || got.Failed+got.Succeeded != 0 || got.Items > 10 ||
					got.stdout+got.stderr != "" {
					t.Errorf("%v, %+v, %q", got.err, got.Summary, got.stderr)
				}
			})
		})
	}
}

// TestPlaceClosesToAllThatWait has the items that wait for a place end before the one
// that it was closed to: whichever is first says why.
func TestPlaceClosesToAllThatWait(t *testing.T) {
	t.Parallel()
	refused := errors.New("not allowed")
	r := &runner{attempt: func(context.Context, *batch.Item, batch.Attempt, func()) (*batch.Result, *batch.Failure) {
		return nil, &batch.Failure{Kind: batch.Closed, Err: refused}
	}}
	for range 500 {
		if got := run(t, batch.Config{Runner: r, Fleet: places(map[string]int{"a": 4})},
			&numbers{n: 8}); !errors.Is(got.err, refused) {
			t.Fatalf("%v, %+v", got.err, got.Summary)
		}
	}
}

// TestItemThatFitsNowhere fails alone.
func TestItemThatFitsNowhere(t *testing.T) {
	t.Parallel()
	r := &runner{attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
		started func(),
	) (*batch.Result, *batch.Failure) {
		if it.Index == 2 {
			return nil, &batch.Failure{Kind: batch.Unfit, Err: fmt.Errorf("%s has too little memory", a.Place)}
		}
		return prompt(ctx, it, a, started)
	}}
	got := run(t, batch.Config{Runner: r, Fleet: places(map[string]int{"a": 2, "b": 2})}, &numbers{n: 3})
	if got.err != nil || got.stdout != "1\n3\n" || got.Failed != 1 || len(r.runs[2]) != 2 {
		t.Errorf("%v, %q, %+v, %v", got.err, got.stdout, got.Summary, r.runs[2])
	}
}

// TestRetriesAreCounted fails an item again and again that places take.
func TestRetriesAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		code := uint32(0)
		r := &runner{attempt: func(_ context.Context, _ *batch.Item, a batch.Attempt,
			_ func(),
		) (*batch.Result, *batch.Failure) {
			f := &batch.Failure{Kind: batch.Faulty, Err: errors.New("the engine failed"), Counted: true}
			if a.Place == "a" {
				f.Result = &batch.Result{
					Status: job.EngineFailed, ExitCode: &code,
					Printed: batch.Printed{Stdout: text("what there is\n")},
				}
			}
			return nil, f
		}}
		got := run(t, batch.Config{Runner: r, Fleet: places(map[string]int{"a": 1, "b": 1}), Retries: 2},
			&numbers{n: 1})
		if got.err != nil || got.stdout != "what there is\n" || got.Failed != 1 || len(r.runs[1]) != 3 {
			t.Errorf("%v, %q, %+v, %v", got.err, got.stdout, got.Summary, r.runs[1])
		}
	})
}

// TestDeadlineCountsFromTheFirstAttempt has the only place taken for longer than the
// deadline.
func TestDeadlineCountsFromTheFirstAttempt(t *testing.T) {
	t.Parallel()
	expired := errors.New("the deadline has passed")
	synctest.Test(t, func(t *testing.T) {
		r := &runner{deadline: time.Second, attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
			started func(),
		) (*batch.Result, *batch.Failure) {
			started()
			if it.Index == 2 {
				<-ctx.Done()
				return nil, &batch.Failure{Kind: batch.Final, Err: context.Cause(ctx)}
			}
			time.Sleep(900 * time.Millisecond) //nolint:forbidigo // virtual time: what the job takes
			return prompt(ctx, it, a, func() {})
		}}
		got := run(t, batch.Config{Runner: r, Fleet: fleet(1), Expired: expired}, &numbers{n: 4})
		if got.err != nil || got.stdout != "1\n3\n4\n" || got.stderr != "item 2: the deadline has passed\n" {
			t.Errorf("%v, %q, %q", got.err, got.stdout, got.stderr)
		}
	})
}

// TestPatienceEnds waits for places that do not come back, for so long and no longer.
func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &runner{attempt: func(ctx context.Context, it *batch.Item, a batch.Attempt,
			started func(),
		) (*batch.Result, *batch.Failure) {
			if it.Index > 10 {
				return nil, &batch.Failure{Kind: batch.Unreached, Err: errors.New("gone")}
			}
			return prompt(ctx, it, a, started)
		}}
		const patience = 10 * time.Minute
		s, err := batch.New(batch.Config{
			Runner: r, Fleet: fleet(1), Patience: patience, Stdout: io.Discard,
			Stderr: io.Discard,
		}).Run(t.Context(), &numbers{n: 1000})
		if !errors.Is(err, batch.ErrStarved) || s.Succeeded != 10 || s.Took < patience ||
			s.Took > patience+2*time.Minute {
			t.Errorf("%v, %+v", err, s)
		}
	})
}
