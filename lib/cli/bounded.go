package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// hurryTime is how long a write has to end once the command is to end.
const hurryTime = 100 * time.Millisecond

// bounded is a stream of which a write ends, though its reader takes nothing, when the
// command is to end. What holds a write up then is left to itself until the process
// ends, which must be soon. Before that, readers set the pace.
type bounded struct {
	f *os.File

	ending sync.Once
	over   chan struct{} // closed when writes are to end
	why    error         // they are; after over

	mu   sync.Mutex
	left bool // a write that did not end has been left
}

func newBounded(f *os.File) *bounded {
	return &bounded{f: f, over: make(chan struct{})}
}

// end has writes end. Only the first cause counts.
func (b *bounded) end(cause error) {
	b.ending.Do(func() {
		b.why = fmt.Errorf("its reader takes nothing: %w", cause)
		close(b.over)
	})
}

// Write writes p. The error of a write that was left is the cause of the end; how much
// of it was taken is not known, and said to be nothing.
func (b *bounded) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left {
		return 0, b.why
	}
	type written struct {
		n   int
		err error
	}
	done := make(chan written, 1)
	kept := bytes.Clone(p) // it may outlast this call
	go func() {
		n, err := b.f.Write(kept)
		done <- written{n, err}
	}()
	select {
	case w := <-done:
		return w.n, w.err
	case <-b.over:
	}
	late := time.NewTimer(hurryTime)
	defer late.Stop()
	select {
	case w := <-done:
		return w.n, w.err
	case <-late.C:
		b.left = true
		return 0, b.why
	}
}

// SetWriteDeadline has writes end at t, once and for all.
func (b *bounded) SetWriteDeadline(t time.Time) error {
	time.AfterFunc(time.Until(t), func() { b.end(os.ErrDeadlineExceeded) })
	return nil
}

// FileOf returns the file that a stream of an invocation is, if it is one.
func FileOf(stream any) (*os.File, bool) {
	if b, ok := stream.(*bounded); ok {
		return b.f, true
	}
	f, ok := stream.(*os.File)
	return f, ok
}

// Until has writes to Stdout and Stderr end when ctx does, also where a reader takes
// nothing; not when it is cancelled for no reason, with context.Canceled, as what has
// come to its end is. It may be called again for another context.
func (in *Invocation) Until(ctx context.Context) {
	context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if errors.Is(cause, context.Canceled) {
			return
		}
		for _, w := range []io.Writer{in.Stdout, in.Stderr} {
			if b, ok := w.(*bounded); ok {
				b.end(cause)
			}
		}
	})
}

// Signals is the function of that name, with writes to Stdout and Stderr that end once a
// signal has come.
func (in *Invocation) Signals() (ctx context.Context, release func()) {
	ctx, release = Signals()
	in.Until(ctx)
	return ctx, release
}
