// Package sandbox runs jobs in worker processes and believes none of them: it
// starts, feeds, limits and ends the workers, digests all that they read and
// write, and tells what happened. Package wire is the language they share.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/tree"
)

// EngineInfo says which engine a worker has.
type EngineInfo struct {
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Features []string `json:"features"`
}

// Config is what no job changes. The zero value of each field but Worker, Engine and
// Version is usable.
type Config struct {
	Worker  []string   // command line of a worker: an executable and its arguments
	Engine  EngineInfo // the engine in that worker
	Version string     // of plasm: this one's and the worker's
	// command line of a plasm-run's worker, which prepares modules for Worker; nil: Worker is one,
	// and does it itself
	Preparer       []string
	CacheDir       string        // where compiled modules are kept; "" keeps none
	CacheBytes     int64         // most bytes kept there; default 1 GiB
	CacheLevel     slog.Level    // at which trouble with that folder is logged; default info
	CompileTimeout time.Duration // longest that a worker may compile or load; default 60 s
	// workers kept ready for jobs to come, from the first Warm on; default 0: as many as Warm is
	// called for, one at a time
	Spare int
	// that all workers of this process may have together, on Linux and where it is not root's;
	// default 0: any number
	Threads uint64
	Log     *slog.Logger // default: none
}

// Input is a guest's standard input.
type Input struct {
	Reader io.Reader  // nil: empty
	Hash   job.Digest // of all its bytes, where they are known before the job starts, else ""
}

// Job is one job.
//
// When the job ends while Input.Reader is still blocked in Read, that Read is
// left behind until it returns.
type Job struct {
	Manifest      *job.Manifest // valid
	Module        []byte        // what Manifest.ModuleHash names; not changed
	Input         Input
	Stdout        io.Writer // written by one goroutine, in order; nil discards
	Stderr        io.Writer // as Stdout
	Dirs          []engine.Dir
	Folders       *Folders // those of the manifest that travel; nil when none does
	Requester     string   // whose job it is, where there is more than one: none finds what another had compiled
	RequireGuards []string // what must be proved before the worker sees a byte
	Started       func()   // called once when the guest's first instruction may have run; must not block; nil: nobody
}

// deadliner is what an output may implement so that a job that has ended does
// not wait on for a reader who has stopped reading: the bytes that were not
// taken by then are dropped, and not in the digest.
type deadliner interface {
	SetWriteDeadline(t time.Time) error
}

// Report is what happened to a job that started.
type Report struct {
	Outcome    job.Outcome
	StdoutHash job.Digest
	StderrHash job.Digest
	Guards     []string
	Engine     EngineInfo // what ran it
	Started    time.Time
	Finished   time.Time
	Outputs    []*tree.Output // the folders of Outcome.Dirs; their contents are read from Job.Folders
	Trace      []string       // with Trap: the functions that were running, by the worker's word and as job has them
	// with Cancelled and EngineFailed, and with OutOfMemory where it is the machine's
	// (ErrNoMemory): why, for people; else nil
	Cause error
}

// Supervisor runs jobs. Its methods are safe for concurrent use.
type Supervisor struct {
	cfg     Config
	spawner *spawner
	cache   *cache // nil: none
	pool    pool

	noLandlock atomic.Bool // a worker has said so
}

// New returns a supervisor. On Linux it also makes this process one that nobody
// but root can attach to or dump. A cache folder that cannot be used is logged and
// done without. Close it to end its workers.
func New(cfg Config) *Supervisor {
	if cfg.CompileTimeout == 0 {
		cfg.CompileTimeout = time.Minute
	}
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = 1 << 30
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	shield()
	s := &Supervisor{cfg: cfg, spawner: newSpawner(cfg.Threads)}
	s.pool.spawner, s.pool.command, s.pool.log, s.pool.keep = s.spawner, cfg.Worker, cfg.Log, cfg.Spare
	return s
}

// OpenCache prepares the compile cache, if there is to be one. It is apart from
// New so that a worker can start meanwhile (see Warm).
func (s *Supervisor) OpenCache() {
	if s.cfg.CacheDir == "" {
		return
	}
	c, err := openCache(s.cfg.CacheDir, s.cfg.CacheBytes, s.cfg.Engine)
	if err != nil {
		s.withoutCache(err)
		return
	}
	s.cache = c
}

// withoutCache logs why the compile cache is not used. One that others can change is a
// warning, whoever chose it.
func (s *Supervisor) withoutCache(err error) {
	level, facts := s.cfg.CacheLevel, []any{"dir", s.cfg.CacheDir, "error", err}
	if _, unsafe := errors.AsType[*notOursError](err); unsafe {
		level = slog.LevelWarn
		facts = append(facts, "hint",
			"only root and you may write to it and to the folders above it; take another with --cache-dir, or none "+
				"with --no-cache")
	}
	s.cfg.Log.Log(context.Background(), level, "compile cache unusable, going on without", facts...)
}

// Warm begins to start workers for the next jobs, up to Config.Spare or at least
// one, and returns at once. When as many are waiting it does nothing.
func (s *Supervisor) Warm() { s.pool.fill(max(s.pool.keep, 1)) }

// Spare returns how many workers wait for a job, those that are being started
// included.
func (s *Supervisor) Spare() int { return s.pool.count() }

// worker returns a fresh worker process.
func (s *Supervisor) worker() (*process, error) {
	w := s.pool.take()
	if w == nil {
		w = newStart()
		s.spawner.begin(s.cfg.Worker, w)
	}
	return w.worker()
}

// Close ends the spare workers and the thread that starts workers. Jobs must have
// ended.
func (s *Supervisor) Close() {
	s.pool.close()
	s.spawner.stop()
}

// Run runs one job. It returns a report for every job that started, however it
// ended, and a *job.Error for one that did not. Cancelling ctx ends the job with
// status cancelled and context.Cause(ctx) as the cause.
func (s *Supervisor) Run(ctx context.Context, j *Job) (*Report, error) {
	defer s.pool.refill()
	if err := timeFor(j.Manifest); err != nil {
		return nil, err
	}
	report, err := s.runFrom(ctx, j, false)
	if errors.Is(err, errNotUsed) { // the module can still be compiled
		report, err = s.runFrom(ctx, j, true)
	}
	if errors.Is(err, errNotUsed) {
		err = &job.Error{
			Code:    job.CodeInternal,
			Message: fmt.Sprintf("the engine does not take what it has compiled: %v", err), Err: err,
		}
	}
	return report, err
}

// runFrom runs a job once, with machine code from the cache or, anew, with machine code
// just made.
func (s *Supervisor) runFrom(ctx context.Context, j *Job, anew bool) (report *Report, err error) {
	j, source, err := s.compiled(ctx, j, anew)
	if err != nil {
		return nil, err
	}
	defer source.close()
	err = s.withWorker(s.worker, func(p *process) error {
		report, err = newRun(s, j, p).do(ctx, source)
		return err
	})
	return report, err
}
