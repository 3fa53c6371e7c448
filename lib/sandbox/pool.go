package sandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// pool keeps worker processes that were started before anybody needed them. Each
// has confined itself as far as no job changes that, knows nothing of a job, and
// is used for one. One that ends while it waits is replaced: at once if it lived
// for a while, else after a pause that grows, so that a worker that cannot live does
// not keep the machine busy.
type pool struct {
	spawner *spawner
	command []string
	log     *slog.Logger
	keep    int

	mu       sync.Mutex
	spare    []*start // the oldest first
	deaths   int      // of spare workers one after the other, soon after their start
	pause    *time.Timer
	closed   bool
	watchers sync.WaitGroup // added to under mu while not closed
}

const (
	firstPause = 100 * time.Millisecond // before a spare worker that has died is replaced
	mostPause  = time.Minute
	youth      = time.Minute // within which a death makes the pause longer
)

// fill begins to start workers until there are n, and returns at once.
func (p *pool) fill(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.spare) < n && !p.closed && p.pause == nil {
		w := newStart()
		p.spare = append(p.spare, w)
		p.watchers.Go(func() { p.watch(w) })
	}
}

// refill replaces the workers that were taken.
func (p *pool) refill() { p.fill(p.keep) }

// take returns a worker that was alive just now, or is being started; nil when
// there is none.
func (p *pool) take() *start {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, w := range p.spare {
		if !w.dead() {
			p.spare = slices.Delete(p.spare, i, i+1)
			return w
		}
	}
	return nil
}

// count returns how many workers wait or are being started.
func (p *pool) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.spare)
}

// dead reports whether the worker has ended, or could not be started.
func (w *start) dead() bool {
	select {
	case <-w.done:
	default:
		return false
	}
	if w.err != nil {
		return true
	}
	select {
	case <-w.p.exited:
		return true
	default:
		return false
	}
}

// watch starts a spare worker, and replaces it if it ends before it is taken.
func (p *pool) watch(w *start) {
	began := time.Now()
	p.spawner.begin(p.command, w)
	<-w.done
	if w.err == nil {
		<-w.p.exited
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.spare, w)
	if i < 0 {
		return // whoever has taken it sees to it
	}
	p.spare = slices.Delete(p.spare, i, i+1)
	if w.err == nil {
		w.p.closeFiles()
	}
	if time.Since(began) > youth {
		p.deaths = 0
	}
	p.deaths++
	wait := min(firstPause<<min(p.deaths-1, 10), mostPause)
	p.log.Warn("spare worker ended", "error", w.why(), "again", wait)
	if p.pause != nil {
		p.pause.Stop()
	}
	p.pause = time.AfterFunc(wait, p.resume)
}

// why says how a worker that is dead came to that.
func (w *start) why() string {
	if w.err != nil {
		return w.err.Error()
	}
	return w.p.death()
}

// resume ends a pause.
func (p *pool) resume() {
	p.mu.Lock()
	p.pause = nil
	p.mu.Unlock()
	p.refill()
}

// close ends the spare workers, and waits until those that were taken have ended.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	spare := p.spare
	p.spare = nil
	if p.pause != nil {
		p.pause.Stop()
	}
	p.mu.Unlock()
	for _, w := range spare {
		if running, err := w.worker(); err == nil {
			running.end()
		}
	}
	p.watchers.Wait()
}

// ErrNoWorker marks the error of a job of which no worker took anything: none could be
// started, or lived, or was of the build that it should be. Another engine may do.
var ErrNoWorker = errors.New("no worker took the job")

// errUntouched marks the error of a worker that died, or could not be started,
// before it took anything of a job.
var errUntouched = fmt.Errorf("the worker took nothing of the job: %w", ErrNoWorker)

// mostWorkers is how many workers are tried, one after the other, until one takes
// a task.
const mostWorkers = 3

// withWorker calls f with a fresh worker, which f ends, and again with another
// where that one took nothing of the job, or was killed before the job started.
func (s *Supervisor) withWorker(fresh func() (*process, error), f func(*process) error) error {
	for tries := 1; ; tries++ {
		p, err := fresh()
		if err == nil {
			err = f(p)
		}
		if tries == mostWorkers || !errors.Is(err, errUntouched) && !errors.Is(err, errKilled) {
			return err
		}
		s.cfg.Log.Warn("worker replaced", "error", err)
	}
}
