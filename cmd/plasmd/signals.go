package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"plasm/lib/cli"
)

// patience is how long after the first signal the next one is not yet taken for
// impatience: some send it to the process and to its group, and so twice.
const patience = time.Second

// signals returns a context that INT or TERM ends, and a channel with a value for
// each HUP that was not taken yet. A second after the first INT or TERM they have
// their ordinary effect again, for a node that got stuck while it stops. A signal
// that the parent process has had ignored, as nohup does, stays so. release is for
// the end of the process: from then on signals do nothing, so that one that comes
// last does not turn an end in order into another.
//
// From then on and for good, writing to a closed pipe is an error and not the end
// of the process: a node goes on when nobody reads its log any more.
func signals(parent context.Context) (ctx context.Context, reload <-chan struct{}, release func()) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // nobody listens: the error of the write says it
	ctx, cancel := context.WithCancelCause(parent)
	ends, hups := make(chan os.Signal, 1), make(chan os.Signal, 1)
	notify(ends, syscall.SIGINT, syscall.SIGTERM)
	notify(hups, syscall.SIGHUP)
	reloads := make(chan struct{}, 1)
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		var impatience <-chan time.Time
		for {
			select {
			case <-done:
				return
			case s := <-ends:
				n, _ := s.(syscall.Signal) // always: see notify
				cancel(&cli.SignalError{Signal: n})
				if impatience == nil {
					impatience = time.After(patience)
				}
			case <-impatience:
				signal.Stop(ends)
			case <-hups:
				select {
				case reloads <- struct{}{}:
				default: // one is to come that sees all that this one would
				}
			}
		}
	})
	return ctx, reloads, func() {
		close(done)
		running.Wait()
		cancel(nil)
	}
}

// notify sends those of the signals that are not ignored.
func notify(to chan<- os.Signal, all ...os.Signal) {
	for _, s := range all {
		if !signal.Ignored(s) {
			signal.Notify(to, s)
		}
	}
}
