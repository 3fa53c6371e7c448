package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"plasm/lib/job"
)

// The files of a job.
const (
	manifestFile = "manifest"
	receiptFile  = "receipt"
	stdinFile    = "stdin"
	stdoutFile   = "stdout"
	stderrFile   = "stderr"
	foldersFile  = "folders"
	scratchFile  = "scratch"
)

// live is what is in memory of a job that somebody has open.
type live struct {
	manifest []byte
	stdin    *Spool // nil of one that is kept
	stdout   *Spool
	stderr   *Spool
	folders  *Spool        // nil of a job that leaves none
	scratch  file          // nil of a job without, and of one that is kept
	done     chan struct{} // closed when the job has ended
	receipt  []byte        // set before done is closed; nil when there is none
}

func (l *live) close() {
	for _, s := range l.spools() {
		s.close()
	}
	l.closeScratch()
}

// closeScratch gives the scratch file back to the disk.
func (l *live) closeScratch() {
	if l.scratch != nil {
		_ = l.scratch.Close() // of no use any more, and again is no harm
	}
}

// scratchOf returns the file of this machine that a scratch file is.
func scratchOf(f file) *os.File {
	own, _ := f.(osFile)
	return own.File
}

func (l *live) spools() []*Spool {
	var all []*Spool
	for _, s := range []*Spool{l.stdin, l.stdout, l.stderr, l.folders} {
		if s != nil {
			all = append(all, s)
		}
	}
	return all
}

// begin makes the folder dir of a new job.
func (s *Store) begin(dir string, r *Request, rooms []*room) (*live, error) {
	l := &live{manifest: r.Manifest, done: make(chan struct{})}
	if err := s.disk.mkdir(dir); err != nil {
		return nil, err
	}
	type stream struct {
		name  string
		room  *room
		spool **Spool
	}
	streams := []stream{
		{stdinFile, rooms[0], &l.stdin},
		{stdoutFile, rooms[1], &l.stdout},
		{stderrFile, rooms[1], &l.stderr},
	}
	if r.Folders > 0 {
		streams = append(streams, stream{foldersFile, rooms[2], &l.folders})
	}
	for _, f := range streams {
		file, err := s.disk.create(path.Join(dir, f.name))
		if err != nil {
			l.close()
			return nil, err
		}
		*f.spool = &Spool{file: file, room: f.room}
	}
	if r.Scratch > 0 {
		if err := s.beginScratch(dir, l); err != nil {
			l.close()
			return nil, err
		}
	}
	return l, nil
}

// beginScratch makes a job's scratch file, which loses its name at once.
func (s *Store) beginScratch(dir string, l *live) (err error) {
	name := path.Join(dir, scratchFile)
	if l.scratch, err = s.disk.create(name); err != nil {
		return err
	}
	return s.disk.remove(name)
}

// load opens the folder dir of a requester's job that is kept.
func (s *Store) load(requester, dir string) (*live, error) {
	l := &live{done: make(chan struct{})}
	close(l.done)
	var err error
	if l.manifest, err = readSmall(s.disk, path.Join(dir, manifestFile), job.MaxManifest); err != nil {
		return nil, err
	}
	if l.receipt, err = readSmall(s.disk, path.Join(dir, receiptFile), job.MaxEnvelope); err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name  string
		spool **Spool
	}{{stdoutFile, &l.stdout}, {stderrFile, &l.stderr}} {
		spool, err := s.loadSpool(path.Join(dir, f.name))
		if err != nil {
			l.close()
			return nil, err
		}
		*f.spool = spool
	}
	switch spool, err := s.loadSpool(path.Join(dir, foldersFile)); {
	case err == nil:
		l.folders = spool
	case !errors.Is(err, fs.ErrNotExist):
		l.close()
		return nil, err
	}
	if err := s.verify(requester, l); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// verify checks that what was read is what was kept.
func (s *Store) verify(requester string, l *live) error {
	if s.cfg.Sound == nil {
		return nil
	}
	want, err := s.cfg.Sound(requester, l.manifest, l.receipt)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnsound, err)
	}
	for _, f := range []struct {
		name  string
		spool *Spool
		want  job.Digest
	}{{stdoutFile, l.stdout, want.Stdout}, {stderrFile, l.stderr, want.Stderr}} {
		got, err := f.spool.digest()
		switch {
		case err != nil:
			return err
		case got != f.want:
			return fmt.Errorf("%s is %s, not %s: %w", f.name, got, f.want, errUnsound)
		}
	}
	var folders io.Reader = strings.NewReader("")
	if l.folders != nil {
		bytes, _ := l.folders.Size()
		folders = io.NewSectionReader(l.folders.file, 0, bytes)
	}
	if err := want.Folders(folders); err != nil {
		return fmt.Errorf("%s: %w: %w", foldersFile, errUnsound, err)
	}
	return nil
}

func (s *Store) loadSpool(name string) (*Spool, error) {
	file, err := s.disk.open(name)
	if err != nil {
		return nil, err
	}
	bytes, err := file.size()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Spool{file: file, bytes: bytes, ended: true}, nil
}

// unsound reports whether an error means that what was kept is damaged, and not
// that it cannot be read at the moment.
func unsound(err error) bool {
	return slices.ContainsFunc([]error{fs.ErrNotExist, syscall.ENOTDIR, syscall.ELOOP, errNotRegular, errUnsound},
		func(damage error) bool {
			return errors.Is(err, damage)
		})
}

// attach returns what is in memory of a pinned entry, from the disk if need be; nil
// when there is no such job any more.
func (s *Store) attach(e *entry) (*live, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.mu.Lock()
	dir, gone := e.path, e.gone
	s.mu.Unlock()
	if e.live != nil || gone {
		return e.live, nil // of one that was given up what is left can still be read
	}
	l, err := s.load(e.key.requester, dir)
	if err == nil {
		e.live = l
		return l, nil
	}
	if !unsound(err) {
		return nil, ioError("stored result cannot be read", err)
	}
	s.cfg.Log.Warn("damaged result removed", "requester", e.key.requester, "job", e.key.name, "error", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.withdraw(e); err != nil {
		return nil, ioError(fmt.Sprintf("damaged result of %s cannot be removed", e.key.name), err)
	}
	return nil, nil
}
