package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"plasm/lib/job"
	"plasm/lib/tree"
)

// packSuffix is how the name of a pack ends.
const packSuffix = ".pack"

// packName names the pack of trees, whatever their order.
func packName(trees []job.Digest) string {
	sorted := slices.Sorted(slices.Values(trees))
	var all strings.Builder
	for _, d := range sorted {
		all.WriteString(string(d) + "\n")
	}
	return job.Sum([]byte(all.String())).Hex() + packSuffix
}

// seen is what a file was like when it was last checked.
type seen struct {
	size    int64
	changed time.Time
}

// Pack is a pack that somebody uses. Close it: until then it isn't removed.
type Pack struct {
	store *Store
	entry *entry
	file  file
	close sync.Once
}

// Pack returns the pack of trees that a requester has sent before, if it is here still and
// undamaged. An error is a *job.Error, or ctx's.
func (s *Store) Pack(ctx context.Context, requester string, trees []job.Digest) (*Pack, bool, error) {
	if err := check(requester, "pack", "", true); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	e := s.content.items[key{requester, packName(trees)}]
	if e != nil {
		s.pin(e)
		s.content.refresh(e)
	}
	s.mu.Unlock()
	if e == nil {
		return nil, false, nil
	}
	p, err := s.openPack(ctx, e)
	return p, p != nil, err
}

// openPack opens a pinned pack and checks it, unless that was done; nil when it is not what
// was kept, and then it is removed. The pin is the pack's, or given back.
func (s *Store) openPack(ctx context.Context, e *entry) (*Pack, error) {
	s.mu.Lock()
	name := e.path
	s.mu.Unlock()
	f, err := s.disk.open(name)
	if err == nil {
		if err = s.checkPack(ctx, e, f); err == nil {
			return &Pack{store: s, entry: e, file: f}, nil
		}
		_ = f.Close() // it was only read
	}
	defer s.unpin(e)
	if !unsound(err) {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, ioError("pack cannot be read", err)
	}
	s.cfg.Log.Warn("damaged pack removed", "requester", e.key.requester, "pack", e.key.name, "error", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !e.gone {
		if err := s.withdraw(e); err != nil {
			return nil, ioError("damaged pack cannot be removed", err)
		}
	}
	return nil, nil
}

// checkPack reads all of a pack that is not as it was last checked.
func (s *Store) checkPack(ctx context.Context, e *entry, f file) error {
	in, err := s.disk.stat(e.path)
	if err != nil {
		return err
	}
	now := seen{in.size, in.changed}
	s.mu.Lock()
	same := e.checked == now
	s.mu.Unlock()
	if !same {
		p, err := tree.OpenPack(f, in.size)
		if err == nil {
			err = p.Check(ctx)
		}
		if errors.Is(err, tree.ErrPack) || errors.Is(err, tree.ErrDamaged) {
			err = fmt.Errorf("%w: %w", errUnsound, err)
		}
		if err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	used := s.clock.wall()
	if s.disk.touch(e.path, used) != nil { // the next process's order is only worse without
		return nil
	}
	if in, err = s.disk.stat(e.path); err != nil {
		return err
	}
	e.checked = seen{in.size, in.changed}
	return nil
}

// File returns the pack's file, to be read. It is valid until Close.
func (p *Pack) File() *os.File { return scratchOf(p.file) }

// Close lets go of the pack. Further calls do nothing.
func (p *Pack) Close() {
	p.close.Do(func() {
		_ = p.file.Close() // it was only read
		p.store.unpin(p.entry)
	})
}

// morePacks is in how many other packs of its requester a job's folders are looked for.
const morePacks = 16

// Packs has look called with packs of a requester, the last used first, until it returns
// false. They are not checked: whoever takes a content from one compares its digest. An error
// is ctx's.
func (s *Store) Packs(ctx context.Context, requester string, look func(*tree.Pack) bool) error {
	s.mu.Lock()
	var found []*entry
	for _, e := range s.content.items {
		if e.key.requester == requester && strings.HasSuffix(e.key.name, packSuffix) && e.place != nil {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *entry) int { return cmp.Compare(b.order, a.order) })
	found = found[:min(len(found), morePacks)]
	for _, e := range found {
		s.pin(e)
	}
	s.mu.Unlock()
	more := true
	for _, e := range found {
		if more && ctx.Err() == nil {
			more = s.lookInto(e, look)
		}
		s.unpin(e)
	}
	return ctx.Err()
}

// lookInto calls look with a pinned pack, and returns what that does. What can't be read is
// passed over.
func (s *Store) lookInto(e *entry, look func(*tree.Pack) bool) bool {
	s.mu.Lock()
	name := e.path
	s.mu.Unlock()
	f, err := s.disk.open(name)
	if err != nil {
		return true
	}
	defer func() { _ = f.Close() }() // it was only read
	size, err := f.size()
	if err != nil {
		return true
	}
	p, err := tree.OpenPack(f, size)
	if err != nil {
		return true
	}
	return look(p)
}

// NewPack is a pack that is made. It is for one goroutine at a time, but for the use of its
// Packer's Blob; Close it.
type NewPack struct {
	*tree.Packer

	store *Store
	entry *entry // on no shelf, but charged
	file  file   // nil after Commit or Close
	size  int64
	room  *room
	mu    sync.Mutex // of what follows
	end   int64      // of what was written
}

// NewPack begins a pack of trees, of exactly size bytes, for which there is room from then on.
// An error is a *job.Error.
func (s *Store) NewPack(requester string, trees []job.Digest, size int64) (*NewPack, error) {
	if err := check(requester, "pack", "", true); err != nil {
		return nil, err
	}
	left := newRoom(size)
	e := &entry{
		shelf: s.content, key: key{requester, packName(trees)}, class: s.classOf(requester), pins: 1,
		rooms: []*room{left},
	}
	if err := s.admit(e, size); err != nil {
		return nil, err
	}
	f, err := s.disk.create(e.path)
	if err != nil {
		s.abandon(e)
		return nil, ioError("pack cannot be written", err)
	}
	p := &NewPack{store: s, entry: e, file: f, size: size, room: left}
	p.Packer = tree.NewPacker(p)
	return p, nil
}

// ReadAt implements tree.PackFile.
func (p *NewPack) ReadAt(b []byte, at int64) (int, error) { return p.file.ReadAt(b, at) }

// WriteAt implements tree.PackFile. What goes beyond the size is refused.
func (p *NewPack) WriteAt(b []byte, at int64) (int, error) {
	if at < 0 || int64(len(b)) > p.size-at {
		return 0, fmt.Errorf("a pack of more than %d bytes: %w", p.size, ErrTooLarge)
	}
	n, err := p.file.WriteAt(b, at)
	p.mu.Lock()
	if more := at + int64(n) - p.end; more > 0 {
		p.end += more
		p.room.take(more)
	}
	p.mu.Unlock()
	return n, err
}

// Commit finishes the pack with the trees, keeps it, and opens it. It is closed in any case.
// An error is a *job.Error.
func (p *NewPack) Commit(trees ...*tree.Tree) (*Pack, error) {
	if p.file == nil {
		return nil, ioError("pack cannot be kept", fs.ErrClosed)
	}
	defer p.Close()
	size, err := p.Finish(trees...)
	if err == nil && size != p.size {
		err = fmt.Errorf("a pack of %d bytes, not %d", size, p.size)
	}
	if err == nil {
		err = p.file.Sync()
	}
	if err != nil {
		return nil, ioError("pack cannot be kept", err)
	}
	e, err := p.store.shelvePack(p.entry)
	if err != nil {
		return nil, ioError("pack cannot be kept", err)
	}
	f, err := p.store.disk.open(e.path)
	if err != nil {
		p.store.unpin(e)
		return nil, ioError("pack cannot be kept", err)
	}
	return &Pack{store: p.store, entry: e, file: f}, nil
}

// shelvePack puts a pack that is whole into place, in that of one that is there, and pins it.
func (s *Store) shelvePack(e *entry) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if there := s.content.items[e.key]; there != nil {
		s.pin(there)
		s.content.refresh(there)
		return there, nil
	}
	in, err := s.disk.stat(e.path)
	if err != nil {
		return nil, err
	}
	final := e.finalPath()
	if err := s.disk.mkdir(path.Dir(final)); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := s.disk.rename(e.path, final); err != nil {
		s.removeFolder(e)
		return nil, err
	}
	e.path, e.checked = final, seen{in.size, in.changed} // each content was checked when it came
	s.content.items[e.key] = e
	s.content.settle(e)
	s.pin(e)
	return e, nil
}

// Close gives up what has come, unless Commit has kept it. Further calls do nothing.
func (p *NewPack) Close() {
	if p.file == nil {
		return
	}
	_ = p.file.Close() // synced if it is kept
	p.file = nil
	s := p.store
	s.mu.Lock()
	delete(s.running, p.entry)
	s.mu.Unlock()
	s.endUpload(p.entry)
}
