package serve

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync"

	"plasm/lib/job"
	"plasm/lib/store"
)

// input is a job's input on its way from streams, of which several may bring the
// same bytes, to the guest. It is safe for concurrent use.
type input interface {
	// take takes p, which begins at byte at, no further on than what has come.
	// What has come before is passed over, and so is all of it after close. Whole
	// says that this made it so.
	take(at int64, p []byte) (whole bool, r *job.Rejection, err error)
	// end says that the input ends at byte at.
	end(at int64)
	// come returns how much has come, and whether that is all: verified or not.
	come() (bytes int64, all bool)
	// ready reports whether the job can start.
	ready() bool
	// reader returns what the guest reads: nil when there is nothing.
	reader(ctx context.Context) io.Reader
	// close lets go of whoever waits. The job has ended.
	close()
}

// spooled is an input of known length and digest, which is on disk before the job
// starts.
type spooled struct {
	spool *store.Spool
	total int64
	want  job.Digest

	mu       sync.Mutex
	sum      hash.Hash
	bytes    int64
	verified bool
	ended    bool
}

func newSpooled(spool *store.Spool, total int64, want job.Digest) *spooled {
	in := &spooled{spool: spool, total: total, want: want, sum: sha256.New(), verified: total == 0}
	if total == 0 {
		spool.End(nil)
	}
	return in
}

func (in *spooled) take(at int64, p []byte) (bool, *job.Rejection, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	p = p[min(max(in.bytes-at, 0), int64(len(p))):]
	if in.ended || len(p) == 0 {
		return false, nil, nil
	}
	n, err := in.spool.Write(p)
	in.sum.Write(p[:n])
	in.bytes += int64(n)
	if err != nil || in.bytes < in.total {
		return false, nil, err
	}
	if got := job.DigestOf(in.sum.Sum(nil)); got != in.want {
		return false, &job.Rejection{
			Code:    job.RejectHashMismatch,
			Message: fmt.Sprintf("the input that came is %s, not %s", got, in.want),
			Need:    string(in.want), Have: string(got),
		}, nil
	}
	in.verified = true
	in.spool.End(nil)
	return true, nil, nil
}

func (in *spooled) end(int64) {} // it is where the last byte came

func (in *spooled) come() (int64, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.bytes, in.bytes == in.total
}

func (in *spooled) ready() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.verified
}

func (in *spooled) reader(ctx context.Context) io.Reader {
	if in.total == 0 {
		return nil
	}
	return in.spool.Follow(ctx, 0)
}

func (in *spooled) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.ended = true
}

// pipeSize is how many bytes of an input are held that the guest has not read.
const pipeSize = 256 << 10

// pipe is an input that ends when it ends: bytes wait in a bounded buffer until
// the guest reads them, and who brings more waits too.
type pipe struct {
	most int64

	mu     sync.Mutex
	moved  sync.Cond // when anything below has changed
	buf    []byte    // not read yet
	bytes  int64     // have come
	ended  bool
	closed bool
}

func newPipe(most int64) *pipe {
	in := &pipe{most: most}
	in.moved.L = &in.mu
	return in
}

func (in *pipe) take(at int64, p []byte) (bool, *job.Rejection, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for {
		old := min(max(in.bytes-at, 0), int64(len(p)))
		at, p = at+old, p[old:]
		room := pipeSize - len(in.buf)
		switch {
		case in.closed || in.ended || len(p) == 0:
			return false, nil, nil
		case int64(len(p)) > in.most-in.bytes:
			return false, amount(job.RejectInputTooLarge, in.bytes+int64(len(p)), in.most,
				"more than the %s of input that this node gives a job", job.Amount(in.most)), nil
		case room == 0:
			in.moved.Wait()
		default:
			n := min(room, len(p))
			in.buf = append(in.buf, p[:n]...)
			in.bytes += int64(n)
			in.moved.Broadcast()
		}
	}
}

func (in *pipe) end(at int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if at >= in.bytes {
		in.ended = true
		in.moved.Broadcast()
	}
}

func (in *pipe) come() (int64, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.bytes, in.ended || in.closed
}

func (in *pipe) ready() bool { return true }

func (in *pipe) reader(context.Context) io.Reader { return in }

// Read reads what has come. It waits until there is something, or the end.
func (in *pipe) Read(p []byte) (int, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for {
		switch {
		case in.closed:
			return 0, io.ErrClosedPipe
		case len(in.buf) > 0 && len(p) > 0:
			n := copy(p, in.buf)
			in.buf = in.buf[:copy(in.buf, in.buf[n:])]
			in.moved.Broadcast()
			return n, nil
		case len(p) == 0:
			return 0, nil
		case in.ended:
			return 0, io.EOF
		}
		in.moved.Wait()
	}
}

func (in *pipe) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	in.buf = nil
	in.moved.Broadcast()
}
