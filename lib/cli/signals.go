package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Signals returns a context that INT, TERM or HUP cancels, with a *SignalError
// as its cause. While it is in use, writing to a closed pipe is an error and not
// the end of the process, so that a job can end in order. release undoes both.
func Signals() (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := range signals {
			if n, ok := s.(syscall.Signal); ok && n != syscall.SIGPIPE {
				cancel(&SignalError{Signal: n})
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		<-done
		cancel(nil)
	}
}
