package sandbox

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"plasm/lib/job"
)

// feed hands a guest its input and keeps count of what was handed over.
type feed struct {
	in   Input
	pipe *os.File // write end; closed by pump

	mu       sync.Mutex
	sum      hash.Hash
	bytes    int64
	complete bool
	over     bool // the guest takes no more

	quit atomic.Bool   // nobody wants the rest any more
	done chan struct{} // closed when pump has returned
}

func newFeed(in Input, pipe *os.File) *feed {
	return &feed{in: in, pipe: pipe, sum: sha256.New(), done: make(chan struct{})}
}

// pump moves the input until its end. What is wrong with the input is a *job.Error,
// with which failed is called before the guest sees an end: the input cannot be read,
// or is not what was hashed.
func (f *feed) pump(failed func(error)) {
	defer close(f.done)
	defer func() { _ = f.pipe.Close() }()
	if err := f.move(); err != nil {
		failed(err)
	}
}

func (f *feed) move() error {
	if f.in.Reader == nil {
		f.finish()
		return nil
	}
	buf := make([]byte, 256<<10)
	for !f.quit.Load() {
		n, err := f.in.Reader.Read(buf)
		if n > 0 && !f.hand(buf[:n]) && f.in.Hash == "" {
			return nil // nobody wants the rest, and nobody knows it
		}
		switch {
		case err == io.EOF:
			f.finish()
			return f.check()
		case err != nil:
			return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("reading the input: %v", err), Err: err}
		}
	}
	return nil
}

// hand writes p to the guest and reports whether it took it all. Where the
// input was hashed before, what the guest does not take is counted all the same,
// so that check can tell whether it still is the input of the manifest.
func (f *feed) hand(p []byte) bool {
	f.mu.Lock() // while writing too: what the guest may have read is counted before anyone asks
	defer f.mu.Unlock()
	n := 0
	if !f.over {
		var err error
		n, err = f.pipe.Write(p)
		f.over = err != nil // the guest has ended
	}
	if f.in.Hash != "" {
		n = len(p)
	}
	f.sum.Write(p[:n])
	f.bytes += int64(n)
	return !f.over
}

func (f *feed) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.complete = true
}

// check compares what came with what the manifest says.
func (f *feed) check() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if got := job.DigestOf(f.sum.Sum(nil)); f.in.Hash != "" && got != f.in.Hash {
		return &job.Error{
			Code: job.CodeIO,
			Message: fmt.Sprintf("the input is not what was hashed before the job started: %s, %d bytes, not %s", got,
				f.bytes, f.in.Hash),
			Hint: "give the input that the manifest names, and let nothing write to it while the job runs",
		}
	}
	return nil
}

// handed returns what was handed over.
func (f *feed) handed() (digest job.Digest, bytes int64, complete bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return job.DigestOf(f.sum.Sum(nil)), f.bytes, f.complete
}
