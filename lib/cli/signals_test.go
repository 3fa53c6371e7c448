package cli

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"plasm/lib/job"
)

func TestSignals(t *testing.T) { //nolint:paralleltest // signals are the whole process's
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		ctx, release := Signals()
		if ctx.Err() != nil {
			t.Fatalf("%v: cancelled before", s)
		}
		if err := syscall.Kill(syscall.Getpid(), s); err != nil {
			t.Fatal(err)
		}
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
