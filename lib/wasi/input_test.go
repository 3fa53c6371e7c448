package wasi

import (
	"os"
	"testing"
	"time"
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
		n, errno := in.read(p, false)
		if errno != 0 || string(p[:n]) != want {
			t.Errorf("read %d gives %q, %v; want %q", i, p[:n], errno, want)
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
		if n, errno := in.read(p, false); errno != 0 || string(p[:n]) != piece {
			t.Errorf("read gives %q, %v; want %q, without waiting for more", p[:n], errno, piece)
		}
	}
	must(t, w.Close())
	for range 2 {
		if n, errno := in.read(p, false); n != 0 || errno != 0 {
			t.Errorf("the end is %d bytes, %v", n, errno)
		}
	}
}

func TestInputNone(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} {
		in := &input{known: known}
		if n, errno := in.read(make([]byte, 8), false); n != 0 || errno != 0 {
			t.Errorf("no input is %d bytes, %v", n, errno)
		}
		if !in.wait(0) || !in.wait(hour) {
			t.Error("no input is not ready")
		}
	}
}

// TestInputNonblock reads what has not come yet.
func TestInputNonblock(t *testing.T) {
	t.Parallel()
	r, w := inputPipe(t)
	in := &input{file: r}
	p := make([]byte, 8)
	if n, errno := in.read(p, true); n != 0 || errno != EAGAIN {
		t.Errorf("an empty pipe gives %d bytes, %v", n, errno)
	}
	_, err := w.WriteString("x")
	must(t, err)
	if n, errno := in.read(p, true); n != 1 || errno != 0 {
		t.Errorf("a byte is %d bytes, %v", n, errno)
	}
	must(t, w.Close())
	if n, errno := in.read(p, true); n != 0 || errno != 0 {
		t.Errorf("the end is %d bytes, %v", n, errno)
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
		if n, errno := in.read(make([]byte, 8), false); n != 0 || errno != EIO {
			t.Errorf("reading a folder gives %d bytes, %v", n, errno)
		}
		if !in.wait(hour) {
			t.Error("a folder is not ready, and its error stays unseen")
		}
	}
}

const hour = int64(time.Hour)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// inputPipe is a pipe; what closes its write end may be called twice.
func inputPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() {
		_ = w.Close() // a test may have closed it
		must(t, r.Close())
	})
	return r, w
}
