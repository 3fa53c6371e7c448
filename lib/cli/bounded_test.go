package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"time"
)

// full returns a pipe that takes nothing more.
func full(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	if err := w.SetWriteDeadline(time.Now().Add(hurryTime)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = w.Write(make([]byte, 4096))
	}
	if err := w.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	return r, w
}

func TestWritesEnd(t *testing.T) {
	t.Parallel()
	_, held := full(t)
	in := Process(nil, nil, held, held)
	ctx, cancel := context.WithCancelCause(t.Context())
	in.Until(ctx)
	wrote := make(chan error)
	go func() { wrote <- in.Print([]byte("x")) }()
	cancel(&SignalError{syscall.SIGTERM})
	for _, when := range []string{"under way", "to come"} {
		if when == "to come" {
			go func() { wrote <- in.Print([]byte("x")) }()
		}
		if err := <-wrote; ExitCode(err) != 143 {
			t.Errorf("%s: %v", when, err)
		}
	}
}

// TestWritesWait: what has come to its end in order gives its readers time, and who
// reads gets what is written after the end, too.
func TestWritesWait(t *testing.T) {
	t.Parallel()
	r, held := full(t)
	in := Process(nil, nil, held, held)
	ctx, cancel := context.WithCancelCause(t.Context())
	in.Until(ctx)
	cancel(nil)
	wrote := make(chan error)
	go func() { wrote <- in.Print([]byte("x")) }()
	go func() { _, _ = io.Copy(io.Discard, r) }()
	if err := <-wrote; err != nil {
		t.Error(err)
	}
	b, ok := in.Stdout.(*bounded)
	if !ok {
		t.Fatal("a process's stdout is not bounded")
	}
	if err := b.SetWriteDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	<-b.over
	if err := in.Print([]byte("x")); err != nil {
		t.Error(err)
	}
}

// TestDeadlineOfWrites is for a stream of which the sandbox bounds the writes.
func TestDeadlineOfWrites(t *testing.T) {
	t.Parallel()
	_, held := full(t)
	b := newBounded(held)
	if err := b.SetWriteDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	if f, ok := FileOf(b); !ok || f != held {
		t.Errorf("it is %v", f)
	}
}
