package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
	"sync/atomic"

	"plasm/lib/job"
)

// Run is the right to end a job, which whoever made it has: with exactly one
// Finish or Forget. Until then its room is reserved and its ID taken.
type Run struct {
	store *Store
	entry *entry
	live  *live
	over  atomic.Bool
}

// Finish keeps the job's result: manifest, receipt and outputs, of which nothing may be
// written any more. When it returns nil they are on disk to stay, and Done is
// closed. With an error, a *job.Error, nothing is kept and the job is given up
// without a receipt, as if there had been none: its receipt must not be shown to
// anybody, or the job would have two outcomes. After Finish or Forget it is ErrOver.
//
// receipt is at most job.MaxEnvelope bytes, and not changed.
func (r *Run) Finish(receipt []byte) error {
	if !r.over.CompareAndSwap(false, true) {
		return &job.Error{Code: job.CodeInternal, Message: "node's store: " + ErrOver.Error(), Err: ErrOver}
	}
	for _, s := range r.live.spools() {
		s.End(nil)
	}
	r.live.stdin.close() // so that its room is free when its charge is
	r.live.closeScratch()
	if err := r.keep(receipt); err != nil {
		r.giveUp(nil)
		return ioError("result cannot be kept", err)
	}
	r.live.receipt = receipt
	close(r.live.done)
	r.store.unpin(r.entry)
	return nil
}

// Forget gives the job up: nothing is kept, its ID is free again, and readers of
// what has not ended get ErrForgotten. Whoever has it open can read on what there is,
// and gets receipt, which may be nil. After Finish or Forget it does nothing, so
// it can be deferred.
func (r *Run) Forget(receipt []byte) {
	if r.over.CompareAndSwap(false, true) {
		r.giveUp(receipt)
	}
}

func (r *Run) giveUp(receipt []byte) {
	for _, s := range r.live.spools() {
		s.End(ErrForgotten)
	}
	s := r.store
	s.mu.Lock()
	_ = s.withdraw(r.entry) // it isn't kept, so nothing is moved
	delete(s.running, r.entry)
	s.mu.Unlock()
	r.live.receipt = receipt
	close(r.live.done)
	s.unpin(r.entry)
}

// keep writes what isn't on disk yet and puts the job's folder into place.
func (r *Run) keep(receipt []byte) error {
	if len(receipt) > job.MaxEnvelope {
		return &job.Error{
			Code:    job.CodeInternal,
			Message: fmt.Sprintf("node's store: a receipt of %d bytes is more than %d", len(receipt), job.MaxEnvelope),
		}
	}
	s, dir := r.store, r.entry.path // nobody else changes it before the job is kept
	if err := s.disk.remove(path.Join(dir, stdinFile)); err != nil {
		return err
	}
	if err := r.write(dir, receipt); err != nil {
		return err
	}
	if err := s.disk.syncDir(dir); err != nil {
		return err
	}
	if err := s.place(r.entry); err != nil {
		return err
	}
	s.settle(r.entry, int64(len(r.live.manifest)+len(receipt)), r.live)
	return nil
}

// write makes the files of a result last. The syncs go at once, so that the disk
// can serve them in one go.
func (r *Run) write(dir string, receipt []byte) error {
	manifest, err := writeSmall(r.store.disk, path.Join(dir, manifestFile), r.live.manifest)
	if err != nil {
		return err
	}
	defer func() { _ = manifest.Close() }() // synced by then
	envelope, err := writeSmall(r.store.disk, path.Join(dir, receiptFile), receipt)
	if err != nil {
		return err
	}
	defer func() { _ = envelope.Close() }()
	syncs := []func() error{manifest.Sync, envelope.Sync, r.live.stdout.sync, r.live.stderr.sync}
	if r.live.folders != nil {
		syncs = append(syncs, r.live.folders.sync)
	}
	errs := make([]error, len(syncs))
	var wait sync.WaitGroup
	for i, sync := range syncs {
		wait.Go(func() { errs[i] = sync() })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// place puts the folder of a job that is done where it is kept, and makes that
// last. After an error it is back where it was, unless the disk refuses that too.
func (s *Store) place(e *entry) error {
	final := e.finalPath()
	dir := path.Dir(final)
	fresh, err := s.move(e, dir, final)
	if err != nil {
		return err
	}
	err = s.disk.syncDir(dir)
	if err == nil && fresh {
		err = s.disk.syncDir(jobsDir)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		delete(s.fresh, dir) // it was there before the sync began
		return nil
	}
	back := s.disk.rename(final, e.path)
	s.removeFolder(e)
	return errors.Join(err, back)
}

// move renames a job's folder into that of its requester, which is made if need be,
// and reports whether the name of the latter may not last yet.
func (s *Store) move(e *entry, dir, to string) (fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch err := s.disk.mkdir(dir); {
	case err == nil:
		s.fresh[dir] = true
	case !errors.Is(err, fs.ErrExist):
		return false, err
	}
	if err := s.disk.rename(e.path, to); err != nil {
		s.removeFolder(e)
		return false, err
	}
	return s.fresh[dir], nil
}

// settle makes a job that was placed one that is kept, with the bytes of its small
// files.
func (s *Store) settle(e *entry, small int64, l *live) {
	stdout, _ := l.stdout.Size()
	stderr, _ := l.stderr.Size()
	var folders int64
	if l.folders != nil {
		folders, _ = l.folders.Size()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	e.path, e.changed, e.born = e.finalPath(), now.wall, now.mono
	delete(s.running, e)
	s.jobs.recharge(e, jobCharge+small+stdout+stderr+folders)
	s.jobs.settle(e)
}
