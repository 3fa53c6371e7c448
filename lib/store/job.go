package store

import (
	"fmt"
	"os"
	"sync"
	"time"

	"plasm/lib/job"
)

// Request is a job that is to be known.
type Request struct {
	Requester string // a peer ID
	ID        string // the job's
	Manifest  []byte // the document as it came, at most job.MaxManifest bytes; not changed
	Input     int64  // bytes to reserve for stdin, 0 to job.MaxSafeInt
	Output    int64  // bytes to reserve for stdout and stderr together, 0 to job.MaxSafeInt
	Scratch   int64  // bytes to reserve for a scratch file, 0 to job.MaxSafeInt; 0: there is none
	Folders   int64  // bytes to reserve for the folders that the job leaves, 0 to job.MaxSafeInt; 0: it leaves none
}

func (r *Request) check() error {
	if err := check(r.Requester, "job ID", r.ID, job.ValidID(r.ID)); err != nil {
		return err
	}
	if len(r.Manifest) > job.MaxManifest {
		return &job.Error{
			Code:    job.CodeInternal,
			Message: fmt.Sprintf("node's store: a manifest of %d bytes is out of range", len(r.Manifest)),
		}
	}
	for _, n := range []int64{r.Input, r.Output, r.Scratch, r.Folders} {
		if n < 0 || n > job.MaxSafeInt {
			return &job.Error{
				Code:    job.CodeInternal,
				Message: fmt.Sprintf("node's store: %d bytes to reserve are out of range", n),
			}
		}
	}
	return nil
}

// charge is what a job is charged until it is done. The receipt repeats the
// manifest in base64.
func (r *Request) charge() int64 {
	return jobCharge + r.Input + r.Output + r.Scratch + r.Folders + 3*int64(len(r.Manifest))
}

// Job is a job that somebody has open: running, done, or given up meanwhile. It is
// safe for concurrent use. Close it: until then it isn't removed, unless it has ended,
// its requester keeps more from going than others have, and these want the room; reading
// its streams fails then.
type Job struct {
	store *Store
	entry *entry
	live  *live
	close sync.Once
}

// Manifest returns the manifest document as it came when the job was accepted. The caller
// must not change it.
func (j *Job) Manifest() []byte { return j.live.manifest }

// Stdin returns the input of a job that is running, nil of one that was done when it
// was opened.
func (j *Job) Stdin() *Spool { return j.live.stdin }

// Stdout returns what the guest has written to its standard output.
func (j *Job) Stdout() *Spool { return j.live.stdout }

// Stderr returns what the guest has written to its standard error.
func (j *Job) Stderr() *Spool { return j.live.stderr }

// Folders returns what the guest has left in its folders, nil when the job has none.
func (j *Job) Folders() *Spool { return j.live.folders }

// Scratch returns the scratch file of a job that is running, which has no name and is closed
// with the job; nil when it has none.
func (j *Job) Scratch() *os.File { return scratchOf(j.live.scratch) }

// Done is closed when the job is done or given up, and what is kept of it is on
// disk.
func (j *Job) Done() <-chan struct{} { return j.live.done }

// Receipt returns the receipt's envelope once Done is closed, always the same
// bytes; nil before, or when the job was given up without one. The caller must not
// change it.
func (j *Job) Receipt() []byte {
	select {
	case <-j.live.done:
		return j.live.receipt
	default:
		return nil
	}
}

// Keep returns how long the result is kept at most: of a job that is done, from now on,
// else from when it is. Room for others may cost it its place before.
func (j *Job) Keep() time.Duration {
	s := j.store
	select {
	case <-j.live.done:
	default:
		return s.cfg.MaxAge
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.cfg.MaxAge-(s.clock.now().mono-j.entry.born), 0)
}

// Close lets go of the job. Spools that came from it must not be used any more.
// Further calls do nothing.
func (j *Job) Close() { j.close.Do(func() { j.store.unpin(j.entry) }) }

// Find opens the job of that ID, if the requester has one here, running or done.
// An error is a *job.Error.
func (s *Store) Find(requester, id string) (*Job, bool, error) {
	if err := check(requester, "job ID", id, job.ValidID(id)); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	e := s.jobs.items[key{requester, id}]
	if e != nil {
		s.pin(e)
	}
	s.mu.Unlock()
	if e == nil {
		return nil, false, nil
	}
	j, err := s.openJob(e)
	return j, j != nil, err
}

// openJob opens a pinned entry; nil when there is no such job any more. The pin
// is the job's, or given back.
func (s *Store) openJob(e *entry) (*Job, error) {
	l, err := s.attach(e)
	if l == nil {
		s.unpin(e)
		return nil, err
	}
	return &Job{store: s, entry: e, live: l}, nil
}

// Accept opens the job of that ID, and makes it when the requester has none here:
// then run isn't nil, and the caller alone is the one to run it. Of any number of
// calls at once for one ID exactly one makes it. Whether the manifest is the one
// asked for now is for the caller to compare.
//
// A new job's input and output are reserved, for which old results may have to go;
// room that cannot be had is a *RoomError, or ENOSPC where it is the disk's.
// An error is a *job.Error and leaves nothing behind.
func (s *Store) Accept(r Request) (j *Job, run *Run, err error) {
	if err := r.check(); err != nil {
		return nil, nil, err
	}
	c := s.classOf(r.Requester)
	for j == nil && err == nil {
		e, created, fail := s.reserve(r, c)
		switch {
		case fail != nil:
			err = fail
		case created:
			j, run, err = s.create(e, r)
		default:
			j, err = s.openJob(e)
		}
	}
	return j, run, err
}

func (s *Store) classOf(requester string) class {
	if s.cfg.Listed(requester) {
		return listed
	}
	return unlisted
}

// reserve returns the entry of a job, pinned. When it made it, it has e.mu locked
// and a second pin, for the run.
func (s *Store) reserve(r Request, c class) (e *entry, created bool, err error) {
	k := key{r.Requester, r.ID}
	var trash []string
	defer func() { s.discard(trash) }()
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.jobs.items[k]; e != nil {
		s.pin(e)
		return e, false, nil
	}
	charge := r.charge()
	trash, err = s.makeRoom(s.jobs, c, r.Requester, amount{charge, 1}, 0)
	if err != nil {
		return nil, false, err
	}
	e = &entry{
		shelf:  s.jobs,
		key:    k,
		class:  c,
		path:   s.unfinished(jobPrefix),
		charge: charge,
		pins:   2,
		rooms:  []*room{newRoom(r.Input), newRoom(r.Output), newRoom(r.Folders), newRoom(r.Scratch)},
	}
	s.jobs.add(e)
	s.jobs.items[k] = e
	s.jobs.busy[e] = struct{}{}
	s.running[e] = struct{}{}
	e.mu.Lock() // nobody else knows it; whoever attaches waits until it is there
	return e, true, nil
}

// create makes the folder of an entry that reserve has made.
func (s *Store) create(e *entry, r Request) (*Job, *Run, error) {
	l, err := s.begin(e.path, &r, e.rooms)
	e.live = l
	if err != nil {
		s.mu.Lock()
		_ = s.withdraw(e) // which only moves what is kept
		s.mu.Unlock()
	}
	e.mu.Unlock()
	if err != nil {
		s.unpin(e)
		s.unpin(e)
		return nil, nil, ioError("job cannot be begun", err)
	}
	return &Job{store: s, entry: e, live: l}, &Run{store: s, entry: e, live: l}, nil
}
