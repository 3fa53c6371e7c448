package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"plasm/lib/job"
)

// fed gives a job an input; known says whether its digest is in the manifest.
func fed(j *Job, r io.Reader, known job.Digest) *Job {
	j.Input = Input{Reader: r, Hash: known}
	j.Manifest.StdinHash = known
	return j
}

// large is more than all pipes on the way hold.
var large = strings.Repeat("0123456789abcdef", 256<<10)

func TestInput(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	for _, test := range []struct{ guest, input, stdout string }{
		{"cat", "", ""},
		{"cat", "some input", "some input"},
		{"cat", large, large},
		{"read-one", large, "0"},
		{"not-read", large, "done\n"},
		{"readsizes", large[:5000], "4096\n904\n0\n"},
	} {
		for _, known := range []bool{true, false} {
			j := described(t, test.guest)
			var hash job.Digest
			if known {
				hash = job.Sum([]byte(test.input))
			}
			r := play(t.Context(), t, s, fed(j, strings.NewReader(test.input), hash))
			r.wantExit(t, 0)
			if r.stdout.String() != test.stdout {
				t.Errorf("%s, known %v: stdout is %.80q", test.guest, known, r.stdout.String())
			}
			// What is known is the job's, whether the guest takes it or not; what
			// is not known is what was handed over.
			n := r.Outcome.StdinBytes
			if all := known || test.guest == "cat" || test.guest == "readsizes"; all {
				n = int64(len(test.input))
			} else if n > int64(len(large))/2 || test.guest == "read-one" && n < 1 {
				t.Errorf("%s, known %v: %d bytes were handed over", test.guest, known, n)
			}
			r.wantInput(t, []byte(test.input[:n]), n == int64(len(test.input)))
		}
	}
}

// TestNoInput has no reader.
func TestNoInput(t *testing.T) {
	t.Parallel()
	r := play(t.Context(), t, supervisor(t, realConfig()), described(t, "readsizes"))
	r.wantExit(t, 0)
	r.wantInput(t, nil, true)
	if r.stdout.String() != "0\n" {
		t.Errorf("reads brought %q bytes", r.stdout.String())
	}
}

// TestInputPieces brings an input in pieces: where it is known a guest cannot
// tell.
func TestInputPieces(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	input := large[:10_000]
	r := play(t.Context(), t, s, fed(described(t, "readsizes"), iotest.OneByteReader(strings.NewReader(input)),
		job.Sum([]byte(input))))
	r.wantInput(t, []byte(input), true)
	if r.stdout.String() != "4096\n4096\n1808\n0\n" {
		t.Errorf("known input came as %q", r.stdout.String())
	}
	in, w := pipe2(t)
	pieces := &atReady{}
	pieces.call = func() { // the first has been read
		_, err := w.WriteString("defgh")
		if err = errors.Join(err, w.Close()); err != nil {
			t.Error(err)
		}
	}
	_, err := w.WriteString("abc")
	must(t, err)
	j := fed(described(t, "readsizes"), in, "")
	j.Stdout = pieces
	r = play(t.Context(), t, s, j)
	r.wantInput(t, []byte("abcdefgh"), true)
	if got := pieces.String(); got != "3\n5\n0\n" {
		t.Errorf("unknown input came as %q", got)
	}
}

// TestEndlessInput never ends, and the guest does.
func TestEndlessInput(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	for _, name := range []string{"not-read", "read-one"} {
		in, w := pipe2(t)
		_, err := w.WriteString("x")
		must(t, err)
		r := play(t.Context(), t, s, fed(described(t, name), in, ""))
		r.wantExit(t, 0)
		if name == "read-one" {
			r.wantInput(t, []byte("x"), false)
		}
	}
	r := play(t.Context(), t, s, fed(described(t, "read-one"), iotest.DataErrReader(endless{}), ""))
	r.wantExit(t, 0)
	r.wantInput(t, make([]byte, r.Outcome.StdinBytes), false)
}

// endless reads zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestChangedInput is for input that turns out not to be what the manifest says.
func TestChangedInput(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	promised := job.Sum([]byte("what was promised"))
	for _, name := range []string{"cat", "not-read", "read-one", "unreachable", "hang"} {
		for what, input := range map[string]string{
			"other": "what came at last", "short": "what was", "none": "",
			"long": "what was promised, and more",
		} {
			r := play(t.Context(), t, s, fed(described(t, name), strings.NewReader(input), promised))
			r.wantStatus(t, job.Cancelled, "the input is not what was hashed before the job started")
			if e, ok := errors.AsType[*job.Error](r.Cause); !ok || e.Code != job.CodeIO || e.Hint == "" {
				t.Errorf("%s, %s: %#v", name, what, r.Cause)
			}
			r.wantInput(t, []byte(input), true)
		}
	}
}

// TestBrokenInput cannot be read to its end.
func TestBrokenInput(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	broken := errors.New("a cable is loose")
	for _, name := range []string{"cat", "hang"} {
		for _, known := range []job.Digest{"", job.Sum([]byte("some input"))} {
			input := io.MultiReader(strings.NewReader("some"), iotest.ErrReader(broken))
			r := play(t.Context(), t, s, fed(described(t, name), input, known))
			r.wantStatus(t, job.Cancelled, "reading the input: a cable is loose")
			if e, ok := errors.AsType[*job.Error](r.Cause); !ok || e.Code != job.CodeIO || !errors.Is(r.Cause, broken) {
				t.Errorf("%s: %#v", name, r.Cause)
			}
			r.wantInput(t, []byte("some"), false)
		}
	}
}

// TestKnownInputThatNeverEnds must not hold up the job: a guest that ends
// without it cannot be believed to have had it, and its time is limited.
func TestKnownInputThatNeverEnds(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	promised := job.Sum([]byte("what was promised"))
	for name, test := range map[string]struct {
		status job.Status
		cause  string
	}{
		"not-read": {job.Cancelled, "the input has not ended within the job's time: 4 bytes of it have come"},
		"read-one": {job.Cancelled, "the input has not ended within the job's time: 4 bytes of it have come"},
		"hang":     {job.Timeout, ""},
		"cat":      {job.Timeout, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, w := pipe2(t)
			_, err := w.WriteString("what")
			must(t, err)
			j := fed(described(t, name), in, promised)
			j.Manifest.TimeoutMS = 400
			from := time.Now()
			r := play(t.Context(), t, s, j)
			r.wantStatus(t, test.status, test.cause)
			r.wantInput(t, []byte("what"), false)
			if took := time.Since(from); took > time.Minute {
				t.Errorf("it took %v", took)
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		in, _ := pipe2(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		j := fed(described(t, "not-read"), in, promised)
		j.Stdout = &atReady{call: func() { cancel(errors.New("enough")) }}
		r := play(ctx, t, s, j)
		r.wantStatus(t, job.Cancelled, "enough")
	})
}

// TestSlowInput takes an input that is slower than its guest, and one of which
// all but the end is there in time.
func TestSlowInput(t *testing.T) {
	t.Parallel()
	in, w := pipe2(t)
	j := fed(described(t, "not-read"), in, job.Sum([]byte("abc")))
	out := &atReady{}
	out.call = func() {
		_, err := w.WriteString("abc")
		if err = errors.Join(err, w.Close()); err != nil {
			t.Error(err)
		}
	}
	j.Stdout = out
	r := play(t.Context(), t, supervisor(t, realConfig()), j)
	r.wantExit(t, 0)
	r.wantInput(t, []byte("abc"), true)
	if !bytes.Equal(out.Bytes(), []byte("done\n")) {
		t.Errorf("stdout is %q", out)
	}
}
