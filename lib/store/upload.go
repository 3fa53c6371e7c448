package store

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"path"

	"plasm/lib/job"
)

// Upload is a module that is arriving. Nothing of it can be used before Commit has found
// that it is what its digest names. It is for one goroutine; Close it.
type Upload struct {
	store *Store
	entry *entry // on no shelf, but charged
	file  file   // nil after Commit or Close
	sum   hash.Hash
	bytes int64
	most  int64
}

// Upload begins to take in a module of at most most bytes. Room for it is made as
// it comes. An error is a *job.Error.
func (s *Store) Upload(requester string, digest job.Digest, most int64) (*Upload, error) {
	if err := check(requester, "module digest", string(digest), digest.Valid()); err != nil {
		return nil, err
	}
	e := &entry{shelf: s.content, key: key{requester, digest.Hex()}, class: s.classOf(requester), pins: 1}
	if err := s.admit(e, 0); err != nil {
		return nil, err
	}
	f, err := s.disk.create(e.path)
	if err != nil {
		s.abandon(e)
		return nil, ioError("module cannot be written", err)
	}
	return &Upload{store: s, entry: e, file: f, sum: sha256.New(), most: most}, nil
}

// admit charges for content of which nothing has come, and for so many bytes that will.
func (s *Store) admit(e *entry, bytes int64) error {
	s.mu.Lock()
	trash, err := s.makeRoom(s.content, e.class, e.key.requester, amount{contentCharge + bytes, 1}, 0)
	if err == nil {
		e.path, e.charge = s.unfinished(contentPrefix), contentCharge+bytes
		s.content.add(e)
		if len(e.rooms) > 0 {
			s.running[e] = struct{}{}
		}
	}
	s.mu.Unlock()
	s.discard(trash)
	return err
}

// abandon gives a module up that isn't on its shelf.
func (s *Store) abandon(e *entry) {
	s.mu.Lock()
	e.gone = true
	s.mu.Unlock()
	s.unpin(e)
}

// extend charges for n more bytes.
func (s *Store) extend(e *entry, n int64) error {
	s.mu.Lock()
	trash, err := s.makeRoom(s.content, e.class, e.key.requester, amount{bytes: n}, e.charge)
	if err == nil {
		s.content.recharge(e, e.charge+n)
	}
	s.mu.Unlock()
	s.discard(trash)
	return err
}

// Write takes in the next bytes. After an error the upload can only be closed. An
// error is a *job.Error; it wraps ErrTooLarge where more has come than may.
func (u *Upload) Write(p []byte) (int, error) {
	if u.file == nil {
		return 0, fs.ErrClosed
	}
	if int64(len(p)) > u.most-u.bytes {
		return 0, &job.Error{
			Code:    job.CodeIO,
			Message: fmt.Sprintf("node's store: module of more than %d bytes", u.most),
			Err:     ErrTooLarge,
		}
	}
	if err := u.store.extend(u.entry, int64(len(p))); err != nil {
		return 0, err
	}
	n, err := u.file.WriteAt(p, u.bytes)
	u.bytes += int64(n)
	u.sum.Write(p[:n])
	if err != nil {
		return n, ioError("module cannot be written", err)
	}
	return n, nil
}

// Commit keeps the module and opens it. Bytes that aren't what the digest names
// are a *job.Error that wraps ErrMismatch. The upload is closed in any case.
func (u *Upload) Commit() (*Module, error) {
	if u.file == nil {
		return nil, ioError("module cannot be kept", fs.ErrClosed)
	}
	defer u.Close()
	want := digestOf(u.entry.key)
	if got := job.DigestOf(u.sum.Sum(nil)); got != want {
		return nil, &job.Error{
			Code:    job.CodeBadModule,
			Message: fmt.Sprintf("node's store: the module that came is %s, not %s", got, want),
			Err:     ErrMismatch,
		}
	}
	if err := u.file.Sync(); err != nil {
		return nil, ioError("module cannot be kept", err)
	}
	m, err := u.store.shelve(u.entry)
	if err != nil {
		return nil, ioError("module cannot be kept", err)
	}
	return m, nil
}

// shelve puts a module that is whole into place; where there is one already, that
// is the one.
func (s *Store) shelve(e *entry) (*Module, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if there := s.content.items[e.key]; there != nil {
		return s.useModule(there), nil
	}
	final := e.finalPath()
	if err := s.disk.mkdir(path.Dir(final)); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := s.disk.rename(e.path, final); err != nil {
		s.removeFolder(e)
		return nil, err
	}
	e.path = final
	s.content.items[e.key] = e
	s.content.settle(e)
	return s.useModule(e), nil
}

// Close gives up what has come, unless Commit has kept it. Further calls do
// nothing.
func (u *Upload) Close() {
	if u.file == nil {
		return
	}
	_ = u.file.Close() // synced if it is kept
	u.file = nil
	u.store.endUpload(u.entry)
}

// endUpload gives the upload's pin back.
func (s *Store) endUpload(e *entry) {
	s.mu.Lock()
	kept := e.place != nil
	s.mu.Unlock()
	if kept {
		s.unpin(e)
	} else {
		s.abandon(e)
	}
}
