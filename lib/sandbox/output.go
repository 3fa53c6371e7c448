package sandbox

import (
	"crypto/sha256"
	"hash"
	"io"
	"time"

	"plasm/lib/job"
)

// grace is how long an output may take the bytes that are left when a job has
// been stopped.
const grace = 100 * time.Millisecond

// sink is one output stream on its way out: what was written, and only that, is
// counted and digested.
type sink struct {
	w     io.Writer
	sum   hash.Hash
	bytes int64
}

func newSink(w io.Writer) *sink {
	if w == nil {
		w = io.Discard
	}
	return &sink{w: w, sum: sha256.New()}
}

func (s *sink) write(p []byte) error {
	n, err := s.w.Write(p)
	s.sum.Write(p[:n])
	s.bytes += int64(n)
	return err
}

func (s *sink) digest() job.Digest { return job.DigestOf(s.sum.Sum(nil)) }

// hurry lets a write that is blocked, or yet to come, fail soon.
func (s *sink) hurry() {
	if d, ok := s.w.(deadliner); ok {
		_ = d.SetWriteDeadline(time.Now().Add(grace)) // where it cannot, the reader sets the pace
	}
}
