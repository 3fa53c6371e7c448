package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

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

// TestSecondSignal: what is stuck when a signal has come is ended by another, a second
// later or more.
func TestSecondSignal(t *testing.T) {
	const stuck = "PLASM_TEST_STUCK"
	if os.Getenv(stuck) != "" {
		_, _ = Signals()
		_, _ = os.Stdout.WriteString("ready\n")
		<-time.After(time.Hour) // a timer, as a program without one that waits is dead to Go
	}
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestSecondSignal$")
	cmd.Env = append(os.Environ(), stuck+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	var insisting sync.WaitGroup
	insisting.Go(func() {
		again := time.NewTicker(100 * time.Millisecond)
		defer again.Stop()
		for {
			select {
			case <-again.C:
				_ = cmd.Process.Signal(syscall.SIGTERM) // the last of them may come too late
			case <-ended:
				return
			}
		}
	})
	_ = cmd.Wait() // its status is looked at
	close(ended)
	insisting.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended with %v", cmd.ProcessState)
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
