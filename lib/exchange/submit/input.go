package submit

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync"

	"plasm/lib/job"
)

// source is a job's input, as nodes are given it. One goroutine at a time calls
// next.
type source interface {
	// next returns bytes from that position on, valid until the next call, or
	// io.EOF at the end. It waits for them until done is closed, and returns none
	// then. An error that is not io.EOF is a *job.Error.
	next(done <-chan struct{}, at int64) ([]byte, error)
	// digest returns the digest of the first n bytes; false when it can't be
	// known any more. An error is a *job.Error.
	digest(n int64) (job.Digest, bool, error)
	close()
}

// pieceSize is how much input is read at a time.
const pieceSize = 256 << 10

// known is an input that was hashed before.
type known struct {
	r     io.ReaderAt
	size  int64
	whole job.Digest
	buf   []byte
}

func (k *known) next(_ <-chan struct{}, at int64) ([]byte, error) {
	if at >= k.size {
		return nil, io.EOF
	}
	if k.buf == nil {
		k.buf = make([]byte, pieceSize)
	}
	n, err := k.r.ReadAt(k.buf[:min(pieceSize, k.size-at)], at)
	if n > 0 {
		return k.buf[:n], nil
	}
	return nil, inputError(cmp.Or(err, io.ErrNoProgress))
}

func (k *known) digest(n int64) (job.Digest, bool, error) {
	if n == k.size {
		return k.whole, true, nil
	}
	if n > k.size {
		return "", true, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(k.r, 0, n)); err != nil {
		return "", false, inputError(err)
	}
	return job.DigestOf(h.Sum(nil)), true, nil
}

func (k *known) close() {}

func inputError(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF { //nolint:errorlint // what io.ReaderAt returns
		return &job.Error{Code: job.CodeIO, Message: "the input has become shorter while it was sent", Err: err}
	}
	return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("reading the input: %v", err), Err: err}
}

const (
	tapWindow = 16 << 20 // of a live input, kept for a connection that is made again
	tapAhead  = 1 << 20  // read ahead of what was sent
)

// tap is an input that comes as it comes. It holds its end, from which a node
// may want it again.
type tap struct {
	mu      sync.Mutex
	changed *sync.Cond
	window  []byte
	base    int64     // position of window[0]
	before  hash.Hash // of what lies before base
	asked   int64     // the furthest position that was asked for
	err     error     // io.EOF, or a *job.Error, behind window
	closed  bool
}

func newTap(r io.Reader) *tap {
	t := &tap{before: sha256.New()}
	t.changed = sync.NewCond(&t.mu)
	if r == nil {
		t.err = io.EOF
		return t
	}
	go t.fill(r) // ends when r does: a read can't be broken off
	return t
}

// fill reads to the end.
func (t *tap) fill(r io.Reader) {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if !t.add(buf[:n], err) {
			return
		}
	}
}

// add appends what was read, waits until more may be, and reports whether it may.
func (t *tap) add(p []byte, err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.window = append(t.window, p...)
	if surplus := len(t.window) - tapWindow; surplus > tapAhead { // not for every piece
		t.before.Write(t.window[:surplus])
		t.base += int64(surplus)
		t.window = bytes.Clone(t.window[surplus:])
	}
	if err != nil {
		t.err = err
		if err != io.EOF { //nolint:errorlint // what io.Reader returns
			t.err = inputError(err)
		}
	}
	t.changed.Broadcast()
	for t.base+int64(len(t.window)) > t.asked+tapAhead && !t.closed {
		t.changed.Wait()
	}
	return t.err == nil && !t.closed
}

func (t *tap) next(done <-chan struct{}, at int64) ([]byte, error) {
	over := make(chan struct{})
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer close(over)
	waiting.Go(func() {
		select {
		case <-done:
			t.mu.Lock()
			t.changed.Broadcast()
			t.mu.Unlock()
		case <-over:
		}
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	if at > t.asked {
		t.asked = at
		t.changed.Broadcast()
	}
	for {
		from := at - t.base
		switch {
		case from < 0:
			return nil, &job.Error{
				Code:    job.CodeIO,
				Message: fmt.Sprintf("input from byte %d is wanted again, and it is gone", at),
			}
		case from < int64(len(t.window)):
			return bytes.Clone(t.window[from:min(from+pieceSize, int64(len(t.window)))]), nil
		case t.err != nil:
			return nil, t.err
		case isClosed(done) || t.closed:
			return nil, nil
		}
		t.changed.Wait()
	}
}

// digest knows what the window still covers: a program that ends without taking
// all its input has a digest of what it took.
func (t *tap) digest(n int64) (job.Digest, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	from := n - t.base
	if from < 0 {
		return "", false, nil
	}
	if from > int64(len(t.window)) {
		return "", true, nil
	}
	cloner, ok := t.before.(hash.Cloner)
	if !ok {
		return "", false, nil
	}
	h, err := cloner.Clone()
	if err != nil {
		return "", false, inputError(err)
	}
	h.Write(t.window[:from])
	return job.DigestOf(h.Sum(nil)), true, nil
}

func (t *tap) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.changed.Broadcast()
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
