package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"

	"plasm/lib/job"
)

// room is what one or two spools together may still write, in bytes.
type room struct{ left atomic.Int64 }

func newRoom(bytes int64) *room {
	r := &room{}
	r.left.Store(bytes)
	return r
}

// take reports whether n bytes were left, and takes them.
func (r *room) take(n int64) bool {
	if r.left.Add(-n) < 0 {
		r.left.Add(n)
		return false
	}
	return true
}

// Spool is a stream of a job: a file that is appended to, and that any number of
// readers follow meanwhile. A reader never holds up the writer. Memory doesn't
// depend on how much was written. A spool is for concurrent use; what several writers
// write comes one after the other. It is valid until the [Job] that it came from
// is closed.
type Spool struct {
	file file
	room *room // nil: nothing more may be written

	writing sync.Mutex // held by who writes; never by a reader

	mu    sync.Mutex
	bytes int64
	ended bool
	end   error         // what readers get at the end; nil stands for io.EOF
	wake  chan struct{} // closed at the next change; nil while nobody waits
}

// Write appends p. What it says that it wrote is there for readers, also with an
// error: a *job.Error that the disk is full or that more was written than was
// reserved, or ErrOver after End.
func (s *Spool) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	at, ended := s.bytes, s.ended
	s.mu.Unlock()
	if ended {
		return 0, fmt.Errorf("writing to a stream: %w", ErrOver)
	}
	if !s.room.take(int64(len(p))) {
		return 0, &job.Error{
			Code:    job.CodeIO,
			Message: fmt.Sprintf("node's store: %d bytes are more than is left of what was reserved", len(p)),
			Err:     ErrTooLarge,
		}
	}
	n, err := s.file.WriteAt(p, at)
	s.room.left.Add(int64(len(p) - n))
	s.mu.Lock()
	s.bytes += int64(n)
	s.changed()
	s.mu.Unlock()
	if err != nil {
		return n, ioError("stream cannot be written", err)
	}
	return n, nil
}

// changed wakes the readers; s.mu is held.
func (s *Spool) changed() {
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
}

// End says that nothing more comes. Readers get all there is and then err, or
// io.EOF for nil. Only the first End counts.
func (s *Spool) End(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended, s.end = true, err
	s.changed()
}

// Size returns how many bytes have been written, and whether more may come.
func (s *Spool) Size() (bytes int64, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes, s.ended
}

// Follow returns a reader of what is written from offset on. Its Read waits until
// there is something, the spool has ended, or ctx is done, which gives context.Cause(ctx).
// An offset beyond the end is ErrOffset, as soon as there is an end. The reader is
// for one goroutine at a time.
func (s *Spool) Follow(ctx context.Context, offset int64) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if len(p) == 0 {
			return 0, nil
		}
		n, err := s.wait(ctx, offset)
		if err != nil {
			return 0, err
		}
		read, err := s.file.ReadAt(p[:min(int64(len(p)), n)], offset)
		offset += int64(read)
		if read > 0 {
			return read, nil
		}
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("stream ends at %d: %w", offset, io.ErrUnexpectedEOF)
		}
		return 0, ioError("stream cannot be read", err)
	})
}

// wait returns how many bytes there are from offset on, at least one.
func (s *Spool) wait(ctx context.Context, offset int64) (int64, error) {
	for {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		n, wake, err := s.look(offset)
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-wake:
		case <-ctx.Done():
		}
	}
}

// look returns how many bytes there are from offset on, what comes at the end
// when there are none, or else what to wait for.
func (s *Spool) look(offset int64) (n int64, wake <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case offset < 0, s.ended && offset > s.bytes:
		return 0, nil, fmt.Errorf("%d of %d bytes: %w", offset, s.bytes, ErrOffset)
	case offset < s.bytes:
		return s.bytes - offset, nil, nil
	case s.ended && s.end != nil:
		return 0, nil, s.end
	case s.ended:
		return 0, nil, io.EOF
	}
	if s.wake == nil {
		s.wake = make(chan struct{})
	}
	return 0, s.wake, nil
}

// digest returns the digest of all of a spool that has ended.
func (s *Spool) digest() (job.Digest, error) {
	bytes, _ := s.Size()
	sum := sha256.New()
	if n, err := io.Copy(sum, io.NewSectionReader(s.file, 0, bytes)); n != bytes {
		return "", errors.Join(io.ErrUnexpectedEOF, err)
	}
	return job.DigestOf(sum.Sum(nil)), nil
}

// sync makes the bytes of a spool that has ended last.
func (s *Spool) sync() error {
	s.writing.Lock() // a write may have begun before the end
	defer s.writing.Unlock()
	if bytes, _ := s.Size(); bytes == 0 {
		return nil // its name is all there is, and the folder's
	}
	return s.file.Sync()
}

// close closes the file. Readers that are left behind get an error.
func (s *Spool) close() {
	s.End(fs.ErrClosed)
	_ = s.file.Close() // what had to last was synced
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
