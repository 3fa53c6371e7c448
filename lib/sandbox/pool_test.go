package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"plasm/lib/job"
)

// pids returns the processes that wait in the pool, once all are started.
func (p *pool) pids(t *testing.T) []int {
	t.Helper()
	p.mu.Lock()
	spare := slices.Clone(p.spare)
	p.mu.Unlock()
	all := make([]int, 0, len(spare))
	for _, w := range spare {
		running, err := w.worker()
		must(t, err)
		all = append(all, running.pid)
	}
	return all
}

// eventually waits for something to become true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	late := time.After(time.Minute)
	for !is() {
		select {
		case <-late:
			t.Fatalf("after 30 s: not %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

// TestPool has workers ready before there is a job, uses each for one task, and is
// full again afterwards.
func TestPool(t *testing.T) {
	t.Parallel()
	const keep = 3
	cfg := realConfig()
	cfg.Spare = keep
	s := supervisor(t, cfg)
	if n := s.Spare(); n != 0 {
		t.Errorf("%d workers before they are asked for", n)
	}
	s.Warm()
	s.Warm()
	before := s.pool.pids(t)
	if len(before) != keep {
		t.Fatalf("%d workers, want %d", len(before), keep)
	}
	play(t.Context(), t, s, described(t, "exit-0")).wantExit(t, 0) // one compiles, the next runs
	after := s.pool.pids(t)
	if len(after) != keep {
		t.Errorf("%d workers after a job, want %d", len(after), keep)
	}
	if slices.Contains(after, before[0]) || slices.Contains(after, before[1]) || !slices.Contains(after, before[2]) {
		t.Errorf("workers %v, then a job, then %v: the two oldest should be gone", before, after)
	}
}

// TestPoolDuringJob: the replacement does not wait for the job's end.
func TestPoolDuringJob(t *testing.T) {
	t.Parallel()
	cfg := realConfig()
	cfg.Spare = 1
	s := supervisor(t, cfg)
	s.Warm()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	j := described(t, "hang")
	started := make(chan struct{})
	j.Started = func() { close(started) }
	done := make(chan error, 1)
	go func() {
		_, err := s.Run(ctx, j)
		done <- err
	}()
	<-started
	eventually(t, "full again", func() bool { return s.Spare() == 1 })
	cancel()
	must(t, <-done)
}

// TestPoolReplacesTheDead kills workers that wait.
func TestPoolReplacesTheDead(t *testing.T) {
	t.Parallel()
	cfg := realConfig()
	cfg.Spare = 2
	s := supervisor(t, cfg)
	s.Warm()
	dead := s.pool.pids(t)
	for _, pid := range dead {
		must(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	play(t.Context(), t, s, described(t, "exit-0")).wantExit(t, 0) // whatever the pool knows of it by now
	eventually(t, "two that live", func() bool {
		alive := 0
		s.pool.mu.Lock()
		defer s.pool.mu.Unlock()
		for _, w := range s.pool.spare {
			select {
			case <-w.done:
				if !w.dead() && !slices.Contains(dead, w.p.pid) {
					alive++
				}
			default:
			}
		}
		return alive == 2
	})
}

// TestPoolPauses: workers that cannot live are started again and again, and less
// and less often.
func TestPoolPauses(t *testing.T) {
	t.Parallel()
	tally := filepath.Join(t.TempDir(), "tally")
	cfg := fakeConfig(t, "tally="+tally+",1000000")
	cfg.Spare = 2
	s := supervisor(t, cfg)
	s.Warm()
	const deaths = 5
	eventually(t, "five deaths", func() bool {
		s.pool.mu.Lock()
		defer s.pool.mu.Unlock()
		return s.pool.deaths >= deaths
	})
	s.pool.mu.Lock()
	waiting, n := s.pool.pause != nil, s.pool.deaths
	s.pool.mu.Unlock()
	info, err := os.Stat(tally)
	must(t, err)
	if most := int64(n + cfg.Spare); !waiting && info.Size() > most {
		t.Errorf("%d workers for %d deaths, more than %d", info.Size(), n, most)
	}
}

// TestUntouchedJobGoesOn: a worker that dies before it has taken anything is
// replaced, and not for ever.
func TestUntouchedJobGoesOn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ die, tried int }{
		{0, 1},
		{1, 2},
		{mostWorkers - 1, mostWorkers},
		{mostWorkers, mostWorkers},
	} {
		t.Run(fmt.Sprint(test.die), func(t *testing.T) {
			t.Parallel()
			tally := filepath.Join(t.TempDir(), "tally")
			s := supervisor(t, engineConfig(t, fmt.Sprintf("tally=%s,%d ready=process module loaded", tally, test.die)))
			_, _, err := s.prepared(t.Context(), asked(t, 0, false))
			if dies := test.die >= mostWorkers; (err != nil) != dies || dies && codeOf(err) != job.CodeInternal {
				t.Errorf("error %v", err)
			}
			info, err := os.Stat(tally)
			must(t, err)
			if info.Size() != int64(test.tried) {
				t.Errorf("%d workers, want %d", info.Size(), test.tried)
			}
		})
	}
}

// TestTouchedJobIsNotRunTwice: once a worker has confined itself for a job, it has
// the only one that there will be.
func TestTouchedJobIsNotRunTwice(t *testing.T) {
	t.Parallel()
	tally := filepath.Join(t.TempDir(), "tally")
	s := supervisor(t, fakeConfig(t, "tally="+tally+",0 ready=process exit=1"))
	if _, err := s.Run(t.Context(), described(t, "exit-0")); err == nil {
		t.Error("no error")
	}
	info, err := os.Stat(tally)
	must(t, err)
	if info.Size() != 2 { // one has compiled
		t.Errorf("%d workers, want 2", info.Size())
	}
}
