// Package store is what a node keeps on disk: the modules and folders that requesters have
// sent, and their jobs, running and done.
//
// # On disk
//
// Below the node's data folder, folders of mode 0700 and files of 0600:
//
//	content/REQUESTER/HEX      a module, named by its SHA-256; its modification time says when it was last used
//	content/REQUESTER/HEX.pack the folders that a job begins with, as lib/tree packs them, named by the SHA-256 of
//	                           their digests; likewise
//	jobs/REQUESTER/ID/         a job that is done and kept:
//	    manifest               the manifest document, as it came
//	    receipt                the receipt's envelope, as it was signed; its modification
//	                           time says when the job was done
//	    stdout stderr          what the guest wrote
//	    folders                what it left in its folders, where it had some, as lib/tree has streams
//	unfinished/job-N/          a job that isn't done: stdin and the outputs, as far as they have come
//	unfinished/content-N       a module, or a pack, that is arriving
//	unfinished/gone-N          what is being removed
//
// REQUESTER is a peer ID and ID a job's, both checked before they become a name.
//
// # What a crash leaves
//
// What stands in content and jobs is whole. It is made in unfinished, synced, and
// renamed into place in one step; it leaves by a rename too. So [Open] only empties
// unfinished: a job that was running when the node died has no result, and its ID
// can run again. Once [Run.Finish] has returned nil the result outlives a power cut;
// before, it may or may not, but nobody has been told of it. A removal isn't synced:
// a power cut can bring a result back, the same to the byte. Content isn't
// either: what a power cut loses is sent again.
//
// What came to harm on the disk later is found when a result is opened: its receipt
// is checked then by [Config.Sound], and its outputs are digested. A module is digested
// when it is loaded. A pack is when a process first uses it, and whenever its size or
// modification time are not what they were then.
//
// An fsync that fails is never tried again, because the kernel may forget what it
// could not write: what it was for is given up as a whole.
//
// # Bounds
//
// Content has a bound in bytes and one in number, jobs have others. A small file
// costs the disk more than its bytes, so each module and pack is charged 8 KiB and each
// job 32 KiB on top. Of all that, unlisted requesters together have at most a
// share. What isn't in use leaves when its room is needed: modules by last use,
// results by age. An unlisted requester pushes out results of listed ones only while
// those hold more than what isn't the unlisted's share.
//
// What is in use stays, but for results whose requester keeps more from going, by
// reading them, than a newcomer would: those are taken from their readers when
// nothing else makes room, the oldest of the requester that keeps most first. A job
// that runs is never touched, and an unlisted requester takes nothing from a listed one.
//
// A job's input and output, its scratch file, and the packs of its folders, are charged when it is
// accepted, against the bound and
// against what the disk has left, so that want of room shows then.
//
// # Age
//
// A result goes when two clocks agree that it is too old: the wall clock, from the
// receipt's modification time; and this process's own, which knows no jumps and
// begins, for a result from an earlier process, at the wall clock's age, but with
// an hour to live at least. So a clock that jumps a year ahead removes nothing, not even
// one that does while the node starts, unless it is wrong for an hour. A result of
// the future has only the second clock.
//
// # Requesters
//
// Each requester has copies of its own. Whether somebody else's module or file is here
// cannot be found out, and what is charged to whom needs no rule.
package store

import (
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"plasm/lib/job"
)

// Config says what a store may take. The zero value of each field but Dir is
// usable.
type Config struct {
	Dir          string // the node's data folder; made, 0700, when it isn't there
	ContentBytes int64  // most bytes of modules and packs; default 2 GiB
	Contents     int64  // most modules and packs; default 20,000
	JobBytes     int64  // most bytes of jobs, running and done; default 8 GiB
	Jobs         int64  // most jobs, running and done; default 100,000
	// of each of these, what unlisted requesters may have together, rounded up; 1 to 100, default
	// 50
	UnlistedPercent int64
	MaxAge          time.Duration // how long a result is kept at most; default 24 h
	// asked for each requester by Open, and for each new job or module; default: nobody is listed
	Listed func(requester string) bool
	Log    *slog.Logger // what could not be removed; default: none

	// Sound checks a result that is read from the disk, and returns what its outputs must
	// be. A result that isn't sound is removed, with a warning, and
	// its job can run again. Default: results are taken as they are.
	Sound func(requester string, manifest, receipt []byte) (Outputs, error)
}

// Outputs is what the outputs of a result must be.
type Outputs struct {
	Stdout, Stderr job.Digest
	// refuses what are not the folders; there may be none, and then it is given nothing
	Folders func(io.Reader) error
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *int64
		value int64
	}{
		{&c.ContentBytes, 2 << 30},
		{&c.Contents, 20_000},
		{&c.JobBytes, 8 << 30},
		{&c.Jobs, 100_000},
		{&c.UnlistedPercent, 50},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.MaxAge == 0 {
		c.MaxAge = 24 * time.Hour
	}
	if c.Listed == nil {
		c.Listed = func(string) bool { return false }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Store is what a node keeps. Its methods are safe for concurrent use. One store
// at a time may use a folder; that is for the caller to see to, with a lock that a
// killed process lets go of. A store has no goroutines and nothing to close.
type Store struct {
	cfg   Config
	disk  disk
	clock clock

	recent recent // modules in memory

	// Entry.mu, where both are needed, is taken before mu. The renames that put
	// entries into modules and jobs and take them away happen under mu, so that a
	// name there belongs to the entry that the shelf has under that key.
	mu      sync.Mutex
	content *shelf
	jobs    *shelf
	running map[*entry]struct{} // jobs, and packs that arrive, with room that isn't used yet
	cut     []*entry            // taken from their readers, whose files are still to be closed
	fresh   map[string]bool     // folders in jobs whose own name isn't synced yet
	names   uint64              // how many names have been taken in unfinished
}

// Open prepares the folder, removes what a crash left half done, and makes what is
// there fit the bounds, oldest first. An error is a *job.Error; a disk that is full
// is none yet.
func Open(cfg Config) (*Store, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, ioError("folder cannot be used", err)
	}
	return open(cfg, &osDisk{dir: dir}, systemClock())
}

func open(cfg Config, d disk, c clock) (*Store, error) {
	cfg = cfg.withDefaults()
	s := &Store{
		cfg:     cfg,
		disk:    d,
		clock:   c,
		content: newShelf(contentDir, amount{cfg.ContentBytes, cfg.Contents}, cfg.UnlistedPercent),
		jobs:    newShelf(jobsDir, amount{cfg.JobBytes, cfg.Jobs}, cfg.UnlistedPercent),
		running: map[*entry]struct{}{},
		fresh:   map[string]bool{},
	}
	if err := s.prepare(); err != nil {
		return nil, ioError("folder cannot be used", err)
	}
	if err := s.scan(s.content, s.measureContent); err != nil {
		return nil, err
	}
	if err := s.scan(s.jobs, s.measureJob); err != nil {
		return nil, err
	}
	return s, nil
}

// Usage is how much of a bound is taken.
type Usage struct {
	Bytes, MostBytes     int64 // what is charged; and the bound
	Entries, MostEntries int64
}

// Usage returns what content and jobs take, running jobs' reservations included.
func (s *Store) Usage() (content, jobs Usage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.content.usage(), s.jobs.usage()
}

// Free returns how many bytes the data folder's file system has left for this user, -1
// where it does not say.
func (s *Store) Free() int64 {
	free, err := s.disk.free()
	if err != nil {
		return -1
	}
	return free
}

// expireBatch is how many results Expire removes before it lets others in.
const expireBatch = 64

// Expire removes the results that are too old, and returns how many there were.
// Results in use stay for a later call. Call it every few minutes. An error is a *job.Error.
func (s *Store) Expire() (int, error) {
	removed := 0
	for {
		trash, err := s.expireSome()
		s.discard(trash)
		removed += len(trash)
		if err != nil || len(trash) < expireBatch {
			return removed, err
		}
	}
}

func (s *Store) expireSome() ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	var old []*entry
	for class := range s.jobs.idle {
		for el := s.jobs.idle[class].Front(); el != nil && len(old) < expireBatch; el = el.Next() {
			e := entryAt(el)
			if !s.old(e, now) {
				break // so are all that follow
			}
			if e.pins == 0 && s.oldByWall(e, now) {
				old = append(old, e)
			}
		}
	}
	return s.evict(old)
}
