package store

import (
	"fmt"
	"sync"

	"plasm/lib/job"
)

// Module is a module that somebody uses. It is safe for concurrent use. Close it:
// until then it isn't removed.
type Module struct {
	store  *Store
	entry  *entry
	digest job.Digest
	bytes  int64
	close  sync.Once
}

// Module returns the module that a requester has sent before, if it is here still.
// That another requester's is here makes no difference. An error is a *job.Error.
func (s *Store) Module(requester string, digest job.Digest) (*Module, bool, error) {
	if err := check(requester, "module digest", string(digest), digest.Valid()); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.content.items[key{requester, digest.Hex()}]
	if e == nil {
		return nil, false, nil
	}
	return s.useModule(e), true, nil
}

// useModule pins a module and makes it the last used; s.mu is held.
func (s *Store) useModule(e *entry) *Module {
	s.pin(e)
	s.content.refresh(e)
	_ = s.disk.touch(e.path, s.clock.wall()) // the next process's order is only worse without
	return &Module{store: s, entry: e, digest: digestOf(e.key), bytes: e.charge - contentCharge}
}

// digestOf returns the digest that a module's key names.
func digestOf(k key) job.Digest { return job.Digest("sha256:" + k.name) }

// Bytes returns how long the module is.
func (m *Module) Bytes() int64 { return m.bytes }

// Load reads the module into memory and checks its digest, unless it was used just
// before. One that was damaged on disk is removed, and the *job.Error wraps
// ErrMismatch: the requester must send it again. The bytes are for reading only.
func (m *Module) Load() ([]byte, error) {
	s := m.store
	if data := s.recent.get(m.digest); data != nil {
		return data, nil
	}
	s.mu.Lock()
	name := m.entry.path
	s.mu.Unlock()
	data, err := readSmall(s.disk, name, m.bytes)
	if err != nil && !unsound(err) {
		return nil, ioError("module cannot be read", err)
	}
	if err == nil && job.Sum(data) == m.digest {
		s.recent.put(m.digest, data)
		return data, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !m.entry.gone {
		if err := s.withdraw(m.entry); err != nil {
			return nil, ioError("damaged module cannot be removed", err)
		}
	}
	return nil, &job.Error{
		Code:    job.CodeIO,
		Message: fmt.Sprintf("node's store: module %s was damaged on disk", m.digest),
		Err:     ErrMismatch,
	}
}

// Close lets go of the module. Further calls do nothing.
func (m *Module) Close() { m.close.Do(func() { m.store.unpin(m.entry) }) }
