package submit

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"
	"time"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// output is one of the streams that a program writes.
type output struct {
	w     io.Writer
	sum   hash.Hash
	bytes int64
}

func (o *output) content() receipt.Content {
	return receipt.Content{Digest: job.DigestOf(o.sum.Sum(nil)), Bytes: o.bytes}
}

// outputs are both of them, as one attempt gets them.
type outputs struct {
	stdout, stderr output
	left           *left
	live           bool // what comes is out at once
	newSpool       func() Spool
	spools         []Spool // none when output is passed on
	err            error   // why nothing is written any more: a *job.Error; digests go on
}

func newOutputs(cfg *Config, j *Job) *outputs {
	o := &outputs{newSpool: cfg.Spool, live: j.Live != nil, left: newLeft(cfg, j)}
	if o.live {
		o.stdout.w, o.stderr.w = j.Live.Stdout, j.Live.Stderr
	}
	o.reset()
	return o
}

// reset forgets what has come; of output that was passed on nothing may have.
func (o *outputs) reset() {
	o.stdout.sum, o.stderr.sum = sha256.New(), sha256.New()
	o.stdout.bytes, o.stderr.bytes = 0, 0
	o.left.reset()
	if o.live {
		return
	}
	o.close()
	o.spools = []Spool{o.newSpool(), o.newSpool()}
	o.stdout.w, o.stderr.w, o.err = o.spools[0], o.spools[1], nil
}

// write takes what has come of one stream. The first error is told once.
func (o *outputs) write(kind wire.Kind, p []byte) error {
	to := &o.stdout
	if kind == wire.KindStderr {
		to = &o.stderr
	}
	to.sum.Write(p)
	to.bytes += int64(len(p))
	if o.broken() {
		return nil
	}
	_, o.err = to.w.Write(p)
	return o.err
}

// broken reports whether nothing is written any more.
func (o *outputs) broken() bool { return o.err != nil }

// why returns why nothing is written any more: that ctx has ended, where interrupt
// ended a write.
func (o *outputs) why(ctx context.Context) error {
	if errors.Is(o.err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		return Unread(ctx)
	}
	return o.err
}

// any reports whether anything has come.
func (o *outputs) any() bool { return o.stdout.bytes+o.stderr.bytes+o.left.bytes > 0 }

// interrupt ends a write that somebody else holds up, where that can be done.
func (o *outputs) interrupt() {
	for _, w := range []io.Writer{o.stdout.w, o.stderr.w} {
		if d, ok := w.(interface{ SetWriteDeadline(t time.Time) error }); ok && o.live {
			_ = d.SetWriteDeadline(time.Unix(1, 0)) // where it can't be, the write has to end by itself
		}
	}
}

// readers returns what is held, or nothing.
func (o *outputs) readers() (stdout, stderr io.Reader, err error) {
	if len(o.spools) == 0 {
		return nil, nil, nil
	}
	if stdout, err = o.spools[0].Reader(); err == nil {
		stderr, err = o.spools[1].Reader()
	}
	return stdout, stderr, err
}

// close lets go of what is held.
func (o *outputs) close() {
	for _, s := range o.spools {
		_ = s.Close() // of no use any more
	}
	o.spools = nil
	o.left.close()
}
