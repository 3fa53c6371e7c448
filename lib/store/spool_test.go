package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

func testSpool(tb testing.TB, room int64) *Spool {
	tb.Helper()
	s, _ := onDisk(tb)
	r := request(1, 1)
	r.Output = room
	j, run := accept(tb, s, r)
	tb.Cleanup(func() {
		run.Forget(nil)
		j.Close()
	})
	return j.Stdout()
}

func TestSpoolFollowed(t *testing.T) {
	t.Parallel()
	data := make([]byte, 3<<20)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	s := testSpool(t, int64(len(data)))
	var readers sync.WaitGroup
	for _, offset := range []int64{0, 1, 12345, int64(len(data)) - 1, int64(len(data))} {
		readers.Go(func() {
			got, err := io.ReadAll(s.Follow(t.Context(), offset))
			if err != nil || !bytes.Equal(got, data[offset:]) {
				t.Errorf("from %d: %d bytes, %v", offset, len(got), err)
			}
		})
	}
	for rest := data; len(rest) > 0; {
		n, err := s.Write(rest[:min(len(rest), 1+random.IntN(100_000))])
		must(t, err)
		rest = rest[n:]
	}
	s.End(nil)
	readers.Wait()
	if n, ended := s.Size(); n != int64(len(data)) || !ended {
		t.Errorf("size %d, ended %v", n, ended)
	}
}

func TestSpoolEnds(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	tests := []struct {
		name   string
		offset int64
		end    error
		want   string
		err    error
	}{
		{"whole", 0, nil, "hello", nil},
		{"resumed", 3, nil, "lo", nil},
		{"at the end", 5, nil, "", nil},
		{"beyond the end", 6, nil, "", ErrOffset},
		{"negative", -1, nil, "", ErrOffset},
		{"with an error, after what there is", 1, own, "ello", own},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := testSpool(t, 100)
			_, err := s.Write([]byte("hello"))
			must(t, err)
			s.End(tt.end)
			s.End(errors.New("the second counts for nothing"))
			got, err := io.ReadAll(s.Follow(t.Context(), tt.offset))
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v", got, err)
			}
			if n, err := s.Write([]byte("x")); n != 0 || !errors.Is(err, ErrOver) {
				t.Errorf("writing after the end: %d, %v", n, err)
			}
		})
	}
}

// A reader that waits is woken by its context alone, and the writer by nobody.
func TestSpoolReaderGivesUp(t *testing.T) {
	t.Parallel()
	s := testSpool(t, 100)
	ctx, cancel := context.WithCancelCause(t.Context())
	own := errors.New("own")
	result := make(chan error)
	go func() {
		_, err := s.Follow(ctx, 0).Read(make([]byte, 1))
		result <- err
	}()
	for waits := false; !waits; runtime.Gosched() {
		s.mu.Lock()
		waits = s.wake != nil
		s.mu.Unlock()
	}
	cancel(own)
	if err := <-result; !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
}

// A reader is blocked in the file itself; the writer writes on all the same.
func TestSpoolReaderHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	file := &blockingFile{reading: make(chan struct{}), let: make(chan struct{})}
	s := &Spool{file: file, room: newRoom(100)}
	_, err := s.Write([]byte("a"))
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = s.Follow(t.Context(), 0).Read(make([]byte, 1))
	}()
	<-file.reading
	_, err = s.Write([]byte("b"))
	must(t, err)
	s.End(nil)
	close(file.let)
	<-done
}

type blockingFile struct {
	file
	reading, let chan struct{}
}

func (f *blockingFile) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

func (f *blockingFile) ReadAt(p []byte, _ int64) (int, error) {
	close(f.reading)
	<-f.let
	return len(p), nil
}

func TestSpoolReservation(t *testing.T) {
	t.Parallel()
	s, _, _ := onMemory(t, Config{})
	r := request(1, 1)
	r.Input, r.Output = 3, 10
	j, run := accept(t, s, r)
	defer j.Close()
	defer run.Forget(nil)
	write := func(spool *Spool, n int, want error) {
		t.Helper()
		if _, err := spool.Write(make([]byte, n)); want == nil {
			must(t, err)
		} else {
			wantUserError(t, err, want)
		}
	}
	write(j.Stdin(), 4, ErrTooLarge)
	write(j.Stdin(), 3, nil)
	write(j.Stdout(), 6, nil)
	write(j.Stderr(), 5, ErrTooLarge) // the two share it
	write(j.Stderr(), 4, nil)
	write(j.Stdout(), 1, ErrTooLarge)
}

// What a write that failed didn't write can be written still.
func TestSpoolAfterFullDisk(t *testing.T) {
	t.Parallel()
	s, d, _ := onMemory(t, Config{})
	j, run := accept(t, s, request(1, 1))
	defer j.Close()
	d.fault = func(_ int, op, _ string) error {
		if op == "write" {
			return syscall.ENOSPC
		}
		return nil
	}
	n, err := j.Stdout().Write(make([]byte, 1000))
	wantUserError(t, err, syscall.ENOSPC)
	if n != 500 {
		t.Errorf("%d bytes", n)
	}
	d.fault = nil
	_, err = j.Stdout().Write(make([]byte, 500))
	must(t, err)
	if size, _ := j.Stdout().Size(); size != 1000 {
		t.Errorf("%d bytes", size)
	}
	must(t, run.Finish([]byte("receipt")))
	if d.opened != 2 {
		t.Errorf("%d files are open: the input takes room that nobody is charged for", d.opened)
	}
}

// What is left behind when the job is closed gets an error and no other file.
func TestSpoolClosed(t *testing.T) {
	t.Parallel()
	s, _ := onDisk(t)
	j, run := accept(t, s, request(1, 1))
	_, err := io.WriteString(j.Stdout(), "hello")
	must(t, err)
	reader := j.Stdout().Follow(t.Context(), 0)
	run.Forget(nil)
	j.Close()
	if n, err := reader.Read(make([]byte, 9)); n != 0 || !errors.Is(err, fs.ErrClosed) {
		t.Errorf("got %d, %v", n, err)
	}
}
