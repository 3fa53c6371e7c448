package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
)

// The folders, and how names in unfinished begin.
const (
	contentDir    = "content"
	jobsDir       = "jobs"
	unfinishedDir = "unfinished"

	jobPrefix     = "job-"
	contentPrefix = "content-"
	gonePrefix    = "gone-"
)

// finalPath is where an entry stands when it is whole.
func (e *entry) finalPath() string { return path.Join(e.shelf.kind, e.key.requester, e.key.name) }

// unfinished returns a new name in the folder of what isn't whole; s.mu is held.
func (s *Store) unfinished(prefix string) string {
	s.names++
	return path.Join(unfinishedDir, prefix+strconv.FormatUint(s.names, 10))
}

// makeRoom takes away what must go so that need fits, into the bounds and onto the
// disk, for an entry of a requester that has been charged has bytes before; s.mu is
// held. What it returns is for discard, also with an error.
func (s *Store) makeRoom(sh *shelf, c class, who string, need amount, has int64) ([]string, error) {
	free, err := s.disk.free()
	if err != nil {
		return nil, ioError("free room cannot be asked for", err)
	}
	short := s.promised() + need.bytes - free
	victims, ok := sh.plan(c, who, need, short)
	if !ok {
		if _, ok := sh.plan(c, who, need, 0); ok { // the bounds would allow it
			return nil, diskFull(need.bytes, max(0, need.bytes-short))
		}
		return nil, roomError(has+need.bytes, sh.most(c).bytes)
	}
	return s.evict(victims)
}

// promised returns the bytes that running jobs may still write; s.mu is held.
func (s *Store) promised() int64 {
	var bytes int64
	for e := range s.running {
		for _, r := range e.rooms {
			bytes += r.left.Load()
		}
	}
	return bytes
}

// evict takes entries away; s.mu is held. Those that are in use are taken from their
// readers, by discard. What it returns is for discard, also with an error.
func (s *Store) evict(entries []*entry) ([]string, error) {
	var trash []string
	for _, e := range entries {
		if err := s.withdraw(e); err != nil {
			return trash, ioError(fmt.Sprintf("%s of %s cannot be removed", e.key.name, e.key.requester), err)
		}
		trash = append(trash, s.reap(e))
		if e.pins > 0 {
			e.cut = true
			s.cut = append(s.cut, e)
			s.cfg.Log.Info("result taken from its readers: others want the room", "requester", e.key.requester, "job",
				e.key.name)
		}
	}
	return trash, nil
}

// withdraw takes an entry off its shelf, so that its name is free; s.mu is held.
// After an error nothing has changed.
func (s *Store) withdraw(e *entry) error {
	if e.place != nil {
		to := s.unfinished(gonePrefix)
		if err := s.disk.rename(e.path, to); err != nil && !errors.Is(err, fs.ErrNotExist) { // somebody else removed it
			return err
		}
		e.path = to
		e.shelf.idle[e.class].Remove(e.place)
		e.place = nil
		s.removeFolder(e)
	}
	if e.shelf.items[e.key] == e { // it may be gone already, and another one there
		delete(e.shelf.items, e.key)
	}
	e.gone = true
	return nil
}

// removeFolder removes the folder of an entry's requester if nothing is left in it.
func (s *Store) removeFolder(e *entry) {
	dir := path.Dir(e.finalPath())
	if s.disk.remove(dir) == nil { // else there is something
		delete(s.fresh, dir)
	}
}

// reap gives back what a withdrawn entry was charged, when nobody uses it any more,
// and returns what is to be discarded; s.mu is held.
func (s *Store) reap(e *entry) string {
	e.shelf.drop(e)
	delete(s.running, e)
	return e.path
}

// pin keeps an entry from being evicted; s.mu is held.
func (s *Store) pin(e *entry) {
	e.pins++
	e.shelf.busy[e] = struct{}{}
}

// unpin gives a pin back. With the last one, the files of an open job are closed,
// and what is left of one that is gone is removed.
func (s *Store) unpin(e *entry) {
	var last *live
	var trash []string
	e.mu.Lock() // so that nobody opens it between the two
	s.mu.Lock()
	e.pins--
	if e.pins == 0 {
		last, e.live = e.live, nil
		delete(e.shelf.busy, e)
		if e.gone && !e.cut {
			trash = append(trash, s.reap(e))
		}
	}
	s.mu.Unlock()
	e.mu.Unlock()
	if last != nil {
		last.close()
	}
	s.discard(trash)
}

// discard closes the files of what was taken from its readers, and removes what
// was taken away.
func (s *Store) discard(trash []string) {
	s.mu.Lock()
	cut := s.cut
	s.cut = nil
	s.mu.Unlock()
	for _, e := range cut {
		e.mu.Lock()
		if e.live != nil {
			e.live.close()
		}
		e.mu.Unlock()
	}
	s.removeAll(trash)
}

// removeAll removes what was taken away. Where that fails the next Open does it.
func (s *Store) removeAll(trash []string) {
	for _, name := range trash {
		if err := s.disk.removeAll(name); err != nil {
			s.cfg.Log.Warn("file not removed", "error", err)
		}
	}
}
