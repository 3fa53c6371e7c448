// Package batch runs a list of jobs: items in, attempts at places through a Runner,
// results out, in the order of the list or as they end. It knows neither network nor
// sandbox, and needs the same memory for ten items and for a million: results that
// wait for their turn wait on disk.
//
// # Items
//
// A list is read line by line, and no further than there is work for. Lines gives an
// item for each line, which a Template puts into flags; Objects gives an item for each
// line with a JSON object. A line that breaks a rule is the error of its item, with its
// number; the others go on.
//
// # Places
//
// A Fleet holds the places where jobs run, each with its slots: nodes, or this machine.
// A place without room, or that fails, is left alone for a pause that grows; its jobs
// go elsewhere. A place gets one job until that has started, and with it the module,
// and from then on as many as it holds.
//
// # Log
//
// A Log says which items have started, ended and failed, so that a batch that was
// stopped, or killed at any moment, goes on where it was: what ended is not run again,
// and what had started keeps its job ID, by which a node knows it.
package batch

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"plasm/lib/job"
)

// Item is one job of a batch, as the list has it.
type Item struct {
	Index int64  // the number of its line, from 1
	Label string // its name for people, or ""
	Line  *Line  // what the line says
	Filed bool   // all its output goes to files, so that it waits for nobody's turn
	Err   error  // what is wrong with the line, a *job.Error: the item is not run
}

// List gives the items in their order. It is used by one goroutine at a time.
type List interface {
	// Next returns the next item, or io.EOF behind the last. Another error says that
	// the list cannot be read any further.
	Next() (*Item, error)
}

// Runner runs the jobs of a batch. It is safe for concurrent use.
type Runner interface {
	// Describe reads what the item's job is made of. An error is the item's.
	Describe(ctx context.Context, it *Item) (Job, error)
	// Failed returns what is printed of an item that has no result.
	Failed(it *Item, a Attempt, err error) Printed
}

// Job is an item's job. Its methods are called by one goroutine at a time, but for
// Attempt with Config.Hedge: two may run at once then.
type Job interface {
	// Work returns the digest of the manifest without its id.
	Work() job.Digest
	// Deadline returns how long the item may take from its first attempt on; 0: any time.
	Deadline() time.Duration
	// Check looks at where its results go, before it is logged as started. Where again is
	// true the log says that it was before: what it makes may be there. An error is the item's.
	Check(again bool) error
	// Attempt runs the job once. It calls started once when the program runs. Of the
	// result and the failure one is nil. When ctx ends, it ends soon.
	Attempt(ctx context.Context, a Attempt, started func()) (*Result, *Failure)
	// Close lets go of what Describe has opened.
	Close()
}

// Attempt says under which job ID and where a job is run.
type Attempt struct {
	ID    string // "": there was none
	Place string

	// First is called when there is a result, before anything is made of it. When it
	// returns false another attempt has one, and this one has failed as Outrun. Nil: there
	// is no other.
	First func() bool
}

// Printed is what an item writes to the command's own streams, once it is its turn:
// Stderr is called before Stdout, each at most once, then Close. Each may be nil.
type Printed struct {
	Stderr, Stdout func(io.Writer) error
	Close          func()
}

// Result is how a job that started has ended. Its files are in place.
type Result struct {
	Printed

	Status   job.Status
	ExitCode *uint32    // with job.Exit
	Receipt  job.Digest // of the receipt's envelope, or ""
	Failed   bool       // its output, files or receipt could not be written
	Reused   bool       // it is of an earlier run
}

// succeeded reports whether the program exited with 0 and nothing went wrong beside.
func (r *Result) succeeded() bool {
	return r.Status == job.Exit && r.ExitCode != nil && *r.ExitCode == 0 && !r.Failed
}

// ended reports whether the job has ended by itself, so that it is not run again.
func (r *Result) ended() bool {
	return r.Status != job.Cancelled && r.Status != job.EngineFailed && !r.Failed
}

// Kind says what is to be done about a failed attempt.
type Kind int

// The kinds of failures.
const (
	Final     Kind = iota // no place will do: the item has failed
	Hopeless              // likewise, and so will all others if none has started yet
	Unfit                 // this place will not do for this item, and nothing is wrong with it
	Outrun                // another place has answered first
	Another               // this place has given its answer, and that of one more is wanted
	Busy                  // this place has no room now
	Faulty                // this place has failed, and is left alone for a while
	Unreached             // this place is not there, and is left alone for a while
	Closed                // this place takes nothing of this batch, and is left until it joins again
)

// Failure is why an attempt has no result.
type Failure struct {
	Kind    Kind
	Err     error         // what the item fails with when nothing better comes
	Fault   error         // what is said of the place at the end; nil: Err
	Counted bool          // it counts against Config.Retries
	After   time.Duration // how long a busy place asks to be left alone
	Result  *Result       // what there is to show when nothing better comes, or nil
}

// Config says how a batch is run.
type Config struct {
	Runner Runner
	Fleet  *Fleet
	Log    *Log // nil: none is kept

	Parallel  int  // most jobs at once; 0: as many as the fleet holds
	Retries   int  // new attempts after those that count
	Unordered bool // print results as they end
	Halt      bool // after a failure nothing new starts

	Hedge time.Duration // after so long without a result the job runs at another place too; HedgeAuto; 0: it does not

	Patience time.Duration // how long there may be no place that works; 0: any time
	Expired  error         // the cause of a context that ends with an item's deadline
	Outrun   error         // the cause of one that ends as another attempt has a result; nil: none is said

	Stdout, Stderr io.Writer    // Stderr takes messages too
	Note           func(string) // is told what a person wants to know, one line each; nil: nobody is
}

// Counts is how far a batch has come, in items.
type Counts struct {
	Items     int64 // read from the list
	Running   int64
	Succeeded int64 // exited with 0, now or before it was resumed
	Failed    int64 // the others that are over
	Resumed   int64 // of both, those that had ended before
}

// Summary is what came of a batch.
type Summary struct {
	Counts

	Places []PlaceSummary // those that were used, in the order in which they came
	Took   time.Duration
	Whole  bool // the list was read to its end, and each of its items is over
}

// waitingPerJob is how many ended items may wait for their turn, for each that may run.
const waitingPerJob = 64

var (
	// ErrNoPlace is the error of an item that no place of the fleet takes, and of a
	// batch none of whose jobs has started anywhere.
	ErrNoPlace = errors.New("no place runs jobs")
	// ErrStarved is the error of a batch for which no place has worked for
	// Config.Patience.
	ErrStarved = errors.New("no place runs jobs any more")
)

// Batch is one run of a list. Counts may be called at any time, Run once.
type Batch struct {
	cfg     Config
	printer *printer
	pace    *pace                   // of Config.Hedge
	working *sync.WaitGroup         // what Run waits for
	stop    context.CancelCauseFunc // ends what runs
	over    chan struct{}           // closed when nothing new is to start
	close   func()                  // closes it
	wake    chan struct{}           // has a value after something has ended or room has come

	items, running, succeeded, failed, resumed atomic.Int64
	worked                                     atomic.Bool // a job has started somewhere
	left                                       atomic.Bool // an item was not brought to its end
}

// New returns a batch.
func New(cfg Config) *Batch {
	if cfg.Note == nil {
		cfg.Note = func(string) {}
	}
	b := &Batch{
		cfg: cfg, pace: newPace(cfg.Hedge), working: &sync.WaitGroup{}, over: make(chan struct{}),
		wake: make(chan struct{}, 1),
	}
	b.close = sync.OnceFunc(func() { close(b.over) })
	b.printer = newPrinter(cfg.Stdout, cfg.Stderr, cfg.Unordered, b.stirred)
	cfg.Fleet.watch(b.stirred)
	return b
}

// Counts returns how far the batch has come.
func (b *Batch) Counts() Counts {
	return Counts{
		Items: b.items.Load(), Running: b.running.Load(), Succeeded: b.succeeded.Load(),
		Failed: b.failed.Load(), Resumed: b.resumed.Load(),
	}
}

func (b *Batch) stirred() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Run runs the items of list to the end of the last. When ctx ends, what runs is
// cancelled. An error says why the batch was broken off: the cause of ctx, or that the
// list, the log or an output stream cannot be used any more, or that there is no place
// at all. The summary is valid with an error too.
func (b *Batch) Run(ctx context.Context, list List) (*Summary, error) {
	began := time.Now()
	ctx, b.stop = context.WithCancelCause(ctx)
	defer b.stop(nil)
	defer context.AfterFunc(ctx, b.printer.interrupt)()
	err := b.start(ctx, list)
	if ctx.Err() != nil { // before anything that it led to
		err = context.Cause(ctx)
	}
	s := &Summary{Counts: b.Counts(), Places: b.cfg.Fleet.summary(), Took: time.Since(began), Whole: err == nil &&
		!b.left.Load()}
	if logErr := b.cfg.Log.flush(); err == nil {
		err = logErr
	}
	return s, err
}

// entry is what the list has given.
type entry struct {
	item *Item
	err  error
}

// start starts items as there is room, and waits for the end of the last.
func (b *Batch) start(ctx context.Context, list List) error {
	defer b.printer.close()
	defer b.working.Wait()
	defer b.close()
	entries := make(chan entry)
	go b.read(list, entries) // a read that blocks is left behind, as it cannot be broken off
	for {
		if !b.room() {
			select {
			case <-b.wake:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		select {
		case <-b.over:
			b.left.Store(true)
			return nil
		default:
		}
		select {
		case e := <-entries:
			if errors.Is(e.err, io.EOF) {
				return nil
			}
			if e.err != nil {
				return e.err
			}
			b.items.Add(1)
			b.running.Add(1)
			turn := b.printer.turn(e.item)
			b.working.Go(func() { b.work(ctx, e.item, turn) })
		case <-b.over:
		case <-ctx.Done():
			return nil
		}
	}
}

// read hands on what the list has, an item at a time, until nothing new is to start.
func (b *Batch) read(list List, to chan<- entry) {
	for {
		it, err := list.Next()
		select {
		case to <- entry{it, err}:
		case <-b.over:
			return
		}
		if err != nil {
			return
		}
	}
}

// room reports whether another item may start.
func (b *Batch) room() bool {
	most := max(b.cfg.Fleet.capacity(), 1)
	if b.cfg.Parallel > 0 {
		most = min(most, b.cfg.Parallel)
	}
	running := int(b.running.Load())
	return running < most && running+b.printer.waiting() < waitingPerJob*max(most, b.cfg.Parallel)
}
