package sandbox

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plasm/lib/job"
	"plasm/test/guest"
)

// most is how late a job may be ended; tries is how often one is run that was later,
// as the machine may have had something else to do: one that is always late is never
// in time.
const (
	most  = 100 * time.Millisecond
	tries = 100
)

// punctual fails a test unless one of several tries was late by at most 100 ms.
func punctual(t *testing.T, try func(t *testing.T) (late time.Duration)) {
	t.Helper()
	var all []time.Duration
	for range tries {
		late := try(t)
		if late < 0 {
			t.Fatalf("ended %v too early", -late)
		}
		if late <= most {
			return
		}
		all = append(all, late)
	}
	t.Errorf("late by %v, more than %v each time", all, most)
}

// TestLate ends jobs that would never end, in each way that there is not to. It is
// not parallel: what is measured is how fast the supervisor is when it may be.
func TestLate(t *testing.T) {
	const timeout = 100 * time.Millisecond
	s := supervisor(t, realConfig())
	for _, name := range []string{
		"loop", "calls", "start-loop", "flood-both", "fill", "blocked read", "sleep",
		"slow reader",
	} {
		t.Run(name, func(t *testing.T) {
			punctual(t, func(t *testing.T) time.Duration {
				t.Helper()
				j := never(t, name)
				j.Manifest.TimeoutMS, j.Manifest.OutputLimitBytes = timeout.Milliseconds(), job.MaxSafeInt
				r := play(t.Context(), t, s, j)
				r.wantStatus(t, job.Timeout, "")
				return time.Duration(r.Outcome.WallTimeUS)*time.Microsecond - timeout
			})
		})
	}
}

// never is a job that never ends.
func never(t *testing.T, name string) *Job {
	t.Helper()
	switch name {
	case "fill":
		j := described(t, "nothing")
		const pages = 4096 // all that it may have
		b := guest.Builder{
			Memory:  &guest.Limits{Min: pages},
			Exports: []guest.Export{{Name: "_start"}},
			Funcs: []guest.Func{{Body: guest.Loop(guest.MemoryFill(guest.Int(0), guest.Int(1), guest.Int(pages<<16)),
				guest.Br(0))}},
		}
		j.Module = b.Bytes()
		j.Manifest.ModuleHash = job.Sum(j.Module)
		return j
	case "blocked read": // of input that never comes
		j := described(t, "cat")
		in, _ := pipe2(t)
		j.Manifest.StdinHash, j.Input = "", Input{Reader: in}
		return j
	case "sleep":
		j := described(t, "sleep-hour")
		j.Manifest.Deterministic = false
		return j
	case "slow reader": // of a pipe that is full at once
		j := described(t, "yes")
		var reading sync.WaitGroup
		t.Cleanup(reading.Wait) // when the pipe below has been closed
		r, w := pipe2(t)
		j.Stdout = w
		reading.Go(func() { slowly(r) })
		return j
	}
	j := described(t, name)
	j.Stdout, j.Stderr = discard{}, discard{}
	return j
}

// slowly reads a little now and then, until the end.
func slowly(r *os.File) {
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for buf := make([]byte, 100); ; <-pace.C {
		if _, err := r.Read(buf); err != nil {
			return
		}
	}
}

// TestCompileLate ends a real compile that takes longer than it may: with a cache, in
// the worker that compiles for it, and without one, in the one that would run it. Its
// time is told from outside, with all that is done before and behind.
func TestCompileLate(t *testing.T) {
	const limit = 200 * time.Millisecond
	b := guest.Builder{Exports: []guest.Export{{Name: "_start"}}}
	for range 20 { // functions with nearly as many blocks as may be: each takes a second
		b.Funcs = append(b.Funcs,
			guest.Func{Body: slices.Concat(slices.Repeat([]guest.Code{guest.If(guest.Int(1))}, 9000)...)})
	}
	for _, where := range []string{"with a cache", "without a cache"} {
		t.Run(where, func(t *testing.T) {
			cfg := realConfig()
			cfg.CompileTimeout = limit
			if where == "with a cache" {
				cfg.CacheDir = t.TempDir()
			}
			s := supervisor(t, cfg)
			punctual(t, func(t *testing.T) time.Duration {
				t.Helper()
				j := described(t, "nothing")
				j.Module = b.Bytes()
				j.Manifest.ModuleHash = job.Sum(j.Module)
				begun := time.Now()
				_, err := s.Run(t.Context(), j)
				took := time.Since(begun)
				if codeOf(err) != job.CodeCompileLimit || !strings.Contains(err.Error(), "more than 200ms") {
					t.Fatalf("%v", err)
				}
				return took - limit
			})
		})
	}
}
