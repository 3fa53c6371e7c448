package wire

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// TestEveryLength reads back frames of the lengths at which something changes.
func TestEveryLength(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 127, 128, 1<<14 - 1, 1 << 14, chunk, MaxPayload - 1, MaxPayload} {
		payload := bytes.Repeat([]byte("0123456789abcdefg"), size/17+1)[:size]
		frame := appendFrame(nil, KindStdout, payload)
		for _, skip := range []bool{false, true} {
			r := NewReader(iotest.HalfReader(bytes.NewReader(append(frame, frame...))), Node)
			for range 2 {
				kind, n, err := r.Next()
				if kind != KindStdout || n != size || err != nil {
					t.Fatalf("%d bytes are read as %s of %d, %v", size, kind, n, err)
				}
				if skip {
					continue
				}
				if got, err := r.Payload(); err != nil || !bytes.Equal(got, payload) {
					t.Fatalf("%d bytes come back as other %d, %v", size, len(got), err)
				}
			}
			if _, _, err := r.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("at the end: %v", err)
			}
		}
	}
}

// TestReaderEnds cuts frames behind each byte: only between frames is it an end.
func TestReaderEnds(t *testing.T) {
	t.Parallel()
	var all []byte
	between := map[int]bool{0: true}
	for _, payload := range []string{"abc", strings.Repeat("x", 130), "0"} {
		all = appendFrame(all, KindStderr, []byte(payload))
		between[len(all)] = true
	}
	readers := map[string]func(r *Reader) error{
		"skip":    func(*Reader) error { return nil },
		"payload": func(r *Reader) error { _, err := r.Payload(); return err },
		"some": func(r *Reader) error {
			for {
				p, err := r.Some()
				if err != nil || len(p) == 0 {
					return err
				}
			}
		},
	}
	for n := range len(all) + 1 {
		for name, read := range readers {
			r := NewReader(bytes.NewReader(all[:n]), Node)
			var err error
			for err == nil {
				if _, _, err = r.Next(); err == nil {
					err = read(r)
				}
			}
			if want := between[n]; errors.Is(err, io.EOF) != want || errors.Is(err, io.ErrUnexpectedEOF) == want {
				t.Errorf("%s: the first %d bytes end with %v", name, n, err)
			}
		}
	}
}

// TestSomeDoesNotWait takes what is there of a payload while more is to come.
func TestSomeDoesNotWait(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	go func() {
		for _, piece := range []string{"o\x0a0123", "456", "789o\x02ab"} {
			if _, err := io.WriteString(out, piece); err != nil {
				return
			}
		}
		_ = out.Close() // it cannot fail
	}()
	r := NewReader(in, Node)
	var got []string
	for range 2 {
		if _, _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		for {
			p, err := r.Some()
			if err != nil {
				t.Fatal(err)
			}
			if len(p) == 0 {
				break
			}
			got = append(got, string(p))
		}
	}
	if diff := cmp.Diff([]string{"0123", "456", "789", "ab"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestLengthIsCheckedBeforeAllocation holds a reader to what it has: a header
// that promises the most costs nothing until the bytes come.
func TestLengthIsCheckedBeforeAllocation(t *testing.T) {
	t.Parallel()
	for _, header := range []string{
		"O\x81\xc0\x16", "M\x81\x80\x40", "q\xff\xff\x3f", "x\x80\x80\x40",
		"M\x80\x80\x80\x80\x80\x80\x80\x80\x7f",
	} {
		for _, from := range []Role{Requester, Node} {
			_, _, err := NewReader(strings.NewReader(header), from).Next()
			if b, ok := errors.AsType[*BreachError](err); !ok || b.Rule != RuleLength && b.Rule != RuleKind {
				t.Errorf("%q from the %s: %v", header, from, err)
			}
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		Requester.String(): "requester", Node.String(): "node", Role(7).String(): "role 7",
		KindStdinEnd.String(): "stdin-end", Kind('\n').String(): "kind 0x0a",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestAnnouncedLength reads the heads of the longest messages, whose payload stops
// coming at once, and later: memory goes by what has come.
func TestAnnouncedLength(t *testing.T) { // not parallel: it counts what is allocated
	const readers = 64
	for _, come := range []int{1, 5000, 100_000} {
		head := append([]byte("O\x80\xc0\x16"), bytes.Repeat([]byte("x"), come)...)
		most, before, after := 0, new(runtime.MemStats), new(runtime.MemStats)
		runtime.ReadMemStats(before)
		for range readers {
			r := NewReader(bytes.NewReader(head), Requester)
			r.held = func(n int) error {
				most = max(most, n)
				return nil
			}
			if _, n, err := r.Next(); err != nil || n != maxOffer {
				t.Fatal(n, err)
			}
			if _, err := r.Payload(); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(after)
		if most > 2*(come+firstReadSize) {
			t.Errorf("room for %d bytes when %d have come", most, come)
		}
		each := int(after.TotalAlloc-before.TotalAlloc) / readers // all that was held on the way
		if bound := firstReadSize + firstPayload + 4*come + 4096; each > bound {
			t.Errorf("%d bytes for %d that have come, at most %d", each, come, bound)
		}
	}
}
