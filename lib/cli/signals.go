package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"plasm/lib/job"
)

// patience is how long a command has, after a signal, to end in order.
const patience = time.Second

// Signals returns a context that INT, TERM, HUP or QUIT cancels, with a *SignalError
// as its cause; one that the parent process has had ignored, as nohup does,
// stays so. A second after the first of them, when something must have got
// stuck, they have their ordinary effect again; release gives it back at once,
// and may be called more than once.
//
// From then on and for good, writing to a closed pipe is an error and not the end
// of the process, so that a job can end in order.
func Signals() (ctx context.Context, release func()) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // nobody listens: the error of the write says it
	ctx, cancel := context.WithCancelCause(context.Background())
	var caught []os.Signal
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) {
			caught = append(caught, s)
		}
	}
	signals := make(chan os.Signal, 1)
	if len(caught) > 0 { // of none, Notify would make all
		signal.Notify(signals, caught...)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case s := <-signals:
			if n, ok := s.(syscall.Signal); ok {
				cancel(&SignalError{Signal: n})
			}
		case <-done:
			return
		}
		select {
		case <-time.After(patience):
			signal.Reset(caught...)
		case <-done:
		}
	}()
	return ctx, sync.OnceFunc(func() {
		close(done)
		<-ended
		if len(caught) > 0 {
			signal.Reset(caught...)
		}
		cancel(nil)
	})
}

// Interruptible does what may block for as long as somebody else likes, such as
// reading from a terminal or opening a named pipe. When ctx is cancelled it does
// not wait for that: it returns an error, job.CodeCancelled, and what it was doing
// goes on until the process ends, which must be soon.
func Interruptible(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		cause := context.Cause(ctx)
		return &job.Error{
			Code: job.CodeCancelled, Message: fmt.Sprintf("cancelled before the job started: %v", cause),
			Err: cause,
		}
	}
}
