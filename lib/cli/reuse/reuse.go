// Package reuse is the folder of --results: results of jobs that may be the answer to the
// same job without a run.
//
// An entry is a result document in a file that is named by the digest of the job's manifest
// without its id: 64 hexadecimal digits and ".json". Nothing of an entry is believed: its
// receipt must verify now, under a key that is trusted now, and be about the very job, with
// the outputs beside it and the guards that are required now. An entry that cannot be used
// is passed over, which is told, and replaced by what the run leaves. Entries appear whole,
// so any number of processes may use one folder.
package reuse

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"plasm/lib/cli"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// Config says what a Shelf is. It is copied.
type Config struct {
	Dir     string              // the folder, which is made if it is not there
	Keep    cli.Keep            // how much of it
	Trusted []ed25519.PublicKey // whose word counts
	Guards  []string            // that must have been active
	Say     func(line string)   // tells people what is passed over, and what cannot be put there
}

// Shelf is a folder of results. The nil one has none and takes none. It is safe for
// concurrent use.
type Shelf struct {
	cfg Config

	mu  sync.Mutex
	put int // entries since the folder was pruned last
}

// Open opens the folder, and prunes it. The error is a *job.Error.
func Open(cfg Config) (*Shelf, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, ioError(cfg.Dir, err)
	}
	s := &Shelf{cfg: cfg}
	if err := s.prune(); err != nil {
		return nil, ioError(cfg.Dir, err)
	}
	return s, nil
}

// Close prunes the folder of what is more than is to be kept.
func (s *Shelf) Close() {
	if s == nil {
		return
	}
	if err := s.prune(); err != nil {
		s.say("%v", ioError(s.cfg.Dir, err))
	}
}

// Hit is a result that is the answer.
type Hit struct {
	*receipt.Verified

	Receipt        []byte
	Trace          []string
	stdout, stderr cli.Spool
}

// Readers returns readers of both outputs from their beginnings.
func (h *Hit) Readers() (stdout, stderr io.Reader, err error) {
	stdout, err = h.stdout.Reader()
	if err != nil {
		return nil, nil, err
	}
	stderr, err = h.stderr.Reader()
	return stdout, stderr, err
}

// Close lets go of the outputs.
func (h *Hit) Close() {
	_ = h.stdout.Close() // they were only read
	_ = h.stderr.Close()
}

// answers reports whether jobs such as m can have one answer: they are deterministic, all
// that they are given is known, and they leave nothing but output.
func answers(m *job.Manifest) bool {
	live := slices.ContainsFunc(m.Dirs, func(d job.Dir) bool { return !d.Travels() })
	return m.Deterministic && m.StdinHash != "" && !live && len(m.Outputs()) == 0
}

// repeats reports whether a job that ended so would end so again.
func repeats(m *job.Manifest, o *job.Outcome) bool {
	switch o.Status {
	case job.Exit, job.OutOfFuel, job.OutputLimit:
		return true
	case job.Trap:
		return o.Trap != job.TrapStackOverflow || m.Fuel > 0
	default:
		return false
	}
}

// Find returns the answer to the job of m, whatever its id, and nil where there is none.
func (s *Shelf) Find(m *job.Manifest) *Hit {
	if s == nil || !answers(m) {
		return nil
	}
	name := s.path(m)
	f, size, err := open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	hit := &Hit{}
	if err == nil {
		err = hit.read(f, size, m)
		_ = f.Close() // it was only read
	}
	if err == nil {
		err = s.check(hit, m)
	}
	if err != nil {
		hit.Close()
		s.say("%s is passed over: %v", name, reason(err))
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(name, now, now) // so that what is used is kept; who may not, keeps less
	return hit
}

// open opens a regular file that is no link, and waits for nothing.
func open(name string) (*os.File, int64, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, syscall.ELOOP) {
			err = errors.New("a symbolic link")
		}
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		_ = f.Close() // it was only read
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// read reads a document of that size, which is no longer than a result of the job can be.
func (h *Hit) read(r io.Reader, size int64, m *job.Manifest) error {
	if most := m.OutputLimitBytes/3*4 + job.MaxEnvelope + 64<<10; size > most {
		return fmt.Errorf("%d bytes, more than a result of this job can have", size)
	}
	result, err := job.ReadResult(io.LimitReader(r, size), &h.stdout, &h.stderr, nil)
	if err != nil {
		return err
	}
	h.Receipt, h.Trace = result.Envelope, result.Trace
	return nil
}

// check holds what was read against the job, and against who and what is trusted now.
func (s *Shelf) check(h *Hit, m *job.Manifest) error {
	var err error
	if h.Verified, err = receipt.Verify(h.Receipt, s.cfg.Trusted); err != nil {
		return err
	}
	want := *m
	want.ID = ""
	expect := &receipt.Expect{Manifest: &want, Guards: s.cfg.Guards}
	stdout, stderr, err := h.Readers()
	if err != nil {
		return err
	}
	for _, c := range []struct {
		r    io.Reader
		into *[]receipt.Content
	}{{stdout, &expect.Stdout}, {stderr, &expect.Stderr}} {
		content, err := contentOf(c.r)
		if err != nil {
			return err
		}
		*c.into = []receipt.Content{content}
	}
	if err := h.Check(expect); err != nil {
		return err
	}
	if !repeats(m, h.Outcome) {
		return fmt.Errorf("its job ended with %s, and another run may not", receipt.Ending(h.Outcome))
	}
	if h.Outcome.Status != job.Trap {
		h.Trace = nil
	}
	return nil
}

// Put puts the result of the job of m into the folder, where it can be an answer. What goes
// wrong is told: the job has its result all the same.
func (s *Shelf) Put(m *job.Manifest, o *job.Outcome, out *cli.Outputs) {
	if s == nil || !answers(m) || !repeats(m, o) {
		return
	}
	name := s.path(m)
	if err := s.write(name, out); err != nil {
		s.say("%s is not kept: %v", name, reason(err))
		return
	}
	s.mu.Lock()
	s.put++
	full := s.put >= pruneEvery
	s.mu.Unlock()
	if full {
		s.Close()
	}
}

// pruneEvery is how many entries may come before the folder is pruned again.
const pruneEvery = 256

func (s *Shelf) write(name string, out *cli.Outputs) error {
	r, stdout, stderr, err := out.Kept()
	if err != nil || r == nil {
		return err
	}
	f, err := os.CreateTemp(s.cfg.Dir, tempPattern)
	if err != nil {
		return err
	}
	err = job.WriteResult(f, r, stdout, stderr, nil)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // else it is pruned
	}
	return err
}

// suffix is how the names of entries end.
const suffix = ".json"

func (s *Shelf) path(m *job.Manifest) string {
	return filepath.Join(s.cfg.Dir, strings.TrimPrefix(string(m.WorkDigest()), "sha256:")+suffix)
}

func (s *Shelf) say(format string, args ...any) {
	s.cfg.Say("--results: " + fmt.Sprintf(format, args...))
}

// reason is err without the name of the file, which is told beside it.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}

func ioError(dir string, err error) *job.Error {
	return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("--results %s: %v", dir, reason(err)), Err: err}
}
