package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"plasm/lib/job"
)

// ending are the signals that end a command.
var ending = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

// heedSignals has no signal ignored that the tests were started to ignore, as below
// nohup, until the next release of Signals.
func heedSignals() { signal.Notify(make(chan os.Signal, 1), ending...) }

func send(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(syscall.Getpid(), s); err != nil {
		t.Fatal(err)
	}
}

func TestSignals(t *testing.T) { //nolint:paralleltest // signals are the whole process's
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		heedSignals()
		ctx, release := Signals()
		if ctx.Err() != nil {
			t.Fatalf("%v: cancelled before", s)
		}
		send(t, s)
		<-ctx.Done()
		got, ok := errors.AsType[*SignalError](context.Cause(ctx))
		if !ok || got.Signal != s {
			t.Errorf("%v: %v", s, context.Cause(ctx))
		}
		release()
		release()
	}
	ctx, release := Signals()
	release()
	if !errors.Is(context.Cause(ctx), context.Canceled) {
		t.Errorf("released: %v", context.Cause(ctx))
	}
}

// TestIgnoredSignals has a signal ignored, as nohup does: it ends nothing, and the next
// one that is not ignored does.
func TestIgnoredSignals(t *testing.T) { //nolint:paralleltest // signals are the whole process's
	heedSignals()
	signal.Ignore(syscall.SIGHUP)
	ctx, release := Signals()
	defer func() {
		release()
		heedSignals() // which ends what Ignore began
		signal.Reset(ending...)
	}()
	send(t, syscall.SIGHUP)
	send(t, syscall.SIGTERM)
	<-ctx.Done()
	if got, ok := errors.AsType[*SignalError](context.Cause(ctx)); !ok || got.Signal != syscall.SIGTERM {
		t.Errorf("ended by %v", context.Cause(ctx))
	}
}

func TestInterruptible(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	if err := Interruptible(t.Context(), func() error { return boom }); !errors.Is(err, boom) {
		t.Errorf("what it does goes wrong: %v", err)
	}
	if err := Interruptible(t.Context(), func() error { return nil }); err != nil {
		t.Errorf("what it does goes well: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	let := make(chan struct{})
	defer close(let)
	err := Interruptible(ctx, func() error {
		cancel(&SignalError{syscall.SIGTERM})
		<-let
		return nil
	})
	if AsError(err).Code != job.CodeCancelled || ExitCode(err) != 143 {
		t.Errorf("it does not end: %v", err)
	}
}
