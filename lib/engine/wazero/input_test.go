package wazero

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"plasm/lib/engine"
)

// TestInputKnown reads from a pipe that brings its bytes one by one: how they
// come must not be seen.
func TestInputKnown(t *testing.T) {
	t.Parallel()
	r, w := inputPipe(t)
	wrote := make(chan error)
	go func() {
		for range 10 {
			if _, err := w.WriteString("x"); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- w.Close()
	}()
	in := &input{file: r, known: true}
	for i, want := range []string{"xxxx", "xxxx", "xx", "", ""} {
		p := make([]byte, 4)
		n, err := in.Read(p)
		if err != nil || string(p[:n]) != want {
			t.Errorf("read %d gives %q, %v; want %q", i, p[:n], err, want)
		}
	}
	must(t, <-wrote)
}

func TestInputUnknown(t *testing.T) {
	t.Parallel()
	r, w := inputPipe(t)
	in := &input{file: r}
	p := make([]byte, 8)
	for _, piece := range []string{"a", "bcd"} {
		_, err := w.WriteString(piece)
		must(t, err)
		if n, err := in.Read(p); err != nil || string(p[:n]) != piece {
			t.Errorf("read gives %q, %v; want %q, without waiting for more", p[:n], err, piece)
		}
	}
	must(t, w.Close())
	for range 2 {
		if n, err := in.Read(p); n != 0 || err != nil {
			t.Errorf("the end is %d bytes, %v", n, err)
		}
	}
}

func TestInputNone(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} {
		in := &input{known: known}
		if n, err := in.Read(make([]byte, 8)); n != 0 || err != nil {
			t.Errorf("no input is %d bytes, %v", n, err)
		}
		if !in.wait(0) || !in.wait(hour) {
			t.Error("no input is not ready")
		}
	}
}

// TestInputBroken reads a file that cannot be read.
func TestInputBroken(t *testing.T) {
	t.Parallel()
	f, err := os.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, f.Close()) })
	for _, known := range []bool{true, false} {
		in := &input{file: f, known: known}
		if n, err := in.Read(make([]byte, 8)); n != 0 || err == nil || errors.Is(err, io.EOF) {
			t.Errorf("reading a folder gives %d bytes, %v", n, err)
		}
		if !in.wait(hour) {
			t.Error("a folder is not ready, and its error stays unseen")
		}
	}
	// The guest sees that something is wrong, and no end of file.
	if got := play(t, named(t, "cat"), nil, engine.Host{Stdin: f, StdinKnown: true}); got.Stdout != "" || got.Result.ExitCode != 0 {
		t.Errorf("%+v", got)
	}
}

// TestInputLarge passes more through a pipe than it holds.
func TestInputLarge(t *testing.T) {
	t.Parallel()
	want := strings.Repeat("0123456789abcdef", 20_000)
	for _, known := range []bool{true, false} {
		r, w := inputPipe(t)
		wrote := make(chan error)
		go func() {
			_, err := w.WriteString(want)
			wrote <- errors.Join(err, w.Close())
		}()
		got := play(t, named(t, "cat"), nil, engine.Host{Stdin: r, StdinKnown: known})
		must(t, <-wrote)
		if got.Stdout != want {
			t.Errorf("known %v: %d bytes came through of %d", known, len(got.Stdout), len(want))
		}
	}
}
