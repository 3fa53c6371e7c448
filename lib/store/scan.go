package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// prepare makes the folders and empties that of what isn't whole.
func (s *Store) prepare() error {
	if err := s.disk.mkdir("."); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for _, dir := range []string{contentDir, jobsDir, unfinishedDir} {
		if err := s.disk.mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := s.disk.chmod(dir); err != nil {
			return err
		}
	}
	if err := s.disk.syncDir("."); err != nil {
		return err
	}
	if err := s.sweep(); err != nil {
		return err
	}
	return s.probe()
}

// sweep removes what an earlier process left unfinished. Names that aren't ours stay.
func (s *Store) sweep() error {
	names, err := s.disk.readDir(unfinishedDir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !isUnfinished(name) {
			continue
		}
		if err := s.disk.removeAll(path.Join(unfinishedDir, name)); err != nil {
			return err
		}
	}
	return nil
}

// isUnfinished reports whether name is one that Store.unfinished returns.
func isUnfinished(name string) bool {
	for _, prefix := range []string{jobPrefix, contentPrefix, gonePrefix} {
		if number, ok := strings.CutPrefix(name, prefix); ok {
			return number != "" && strings.Trim(number, "0123456789") == ""
		}
	}
	return false
}

// probe finds out whether files can be made. That the disk is full shows when a
// job comes.
func (s *Store) probe() error {
	name := s.unfinished(contentPrefix)
	f, err := s.disk.create(name)
	if err != nil {
		if isFull(err) {
			return nil
		}
		return err
	}
	return errors.Join(f.Close(), s.disk.remove(name))
}

// found is an entry on disk, before its shelf knows it.
type found struct {
	entry *entry
	bytes int64
	err   error // it isn't sound
}

// measure looks at what stands at name: how many bytes it has, and when it changed.
type measure func(e *entry) (bytes int64, err error)

func (s *Store) measureContent(e *entry) (int64, error) {
	in, err := s.disk.stat(e.path)
	if err == nil && !in.regular {
		err = fmt.Errorf("%s: %w", e.path, errNotRegular)
	}
	e.changed = in.changed
	return contentCharge + in.size, err
}

func (s *Store) measureJob(e *entry) (int64, error) {
	total := int64(jobCharge)
	for _, name := range []string{manifestFile, receiptFile, stdoutFile, stderrFile, foldersFile} {
		in, err := s.disk.stat(path.Join(e.path, name))
		if name == foldersFile && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if !in.regular {
			return 0, fmt.Errorf("%s: %w", path.Join(e.path, name), errNotRegular)
		}
		if name == receiptFile {
			e.changed = in.changed
		}
		total += in.size
	}
	return total, nil
}

// scanWorkers is how many entries are looked at at once: a cold disk answers many
// questions in the time of one.
const scanWorkers = 8

// scan puts what is on disk on its shelf, removes what isn't sound, and what is too
// much, oldest first. Names that aren't ours are left alone.
func (s *Store) scan(sh *shelf, look measure) error {
	all, err := s.list(sh)
	if err != nil {
		return ioError("folder cannot be read", err)
	}
	var wait sync.WaitGroup
	for worker := range scanWorkers {
		wait.Go(func() {
			for i := worker; i < len(all); i += scanWorkers {
				all[i].bytes, all[i].err = look(all[i].entry)
			}
		})
	}
	wait.Wait()
	slices.SortFunc(all, func(a, b found) int { return a.entry.changed.Compare(b.entry.changed) })
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	for _, f := range all {
		f.entry.charge = f.bytes
		f.entry.born = s.bornBefore(f.entry.changed, now)
		sh.items[f.entry.key] = f.entry
		sh.add(f.entry)
		sh.settle(f.entry)
	}
	return s.tidy(sh, all)
}

// tidy removes what isn't sound, then what is too much; s.mu is held.
func (s *Store) tidy(sh *shelf, all []found) error {
	for _, f := range all {
		if f.err == nil {
			continue
		}
		s.cfg.Log.Warn("damaged entry removed", "path", f.entry.path, "error", f.err)
		trash, err := s.evict([]*entry{f.entry})
		if err != nil {
			return err
		}
		s.removeAll(trash)
	}
	for _, c := range []class{unlisted, listed} {
		victims, _ := sh.plan(c, "", amount{}, 0) // nobody uses any, so it can be had
		trash, err := s.evict(victims)
		s.removeAll(trash)
		if err != nil {
			return err
		}
	}
	return nil
}

// list returns what a shelf's folder has whose name is one of ours.
func (s *Store) list(sh *shelf) ([]found, error) {
	requesters, err := s.disk.readDir(sh.kind)
	if err != nil {
		return nil, err
	}
	var all []found
	for _, requester := range requesters {
		if _, err := identity.ParsePeerID(requester); err != nil {
			continue
		}
		dir := path.Join(sh.kind, requester)
		names, err := s.disk.readDir(dir)
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			_ = s.disk.remove(dir) // a crash came between the last entry's removal and this one
			continue
		}
		c := s.classOf(requester)
		for _, name := range names {
			if valid(sh.kind, name) {
				k := key{requester, name}
				all = append(all, found{entry: &entry{shelf: sh, key: k, class: c, path: path.Join(dir, name)}})
			}
		}
	}
	return all, nil
}

// valid reports whether name is one that an entry of that kind has.
func valid(kind, name string) bool {
	if kind == jobsDir {
		return job.ValidID(name)
	}
	return job.Digest("sha256:" + strings.TrimSuffix(name, packSuffix)).Valid()
}
