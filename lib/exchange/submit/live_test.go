package submit

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
)

// liveJob is a job whose streams are passed on as they come, and the writer of
// its input.
func liveJob(t *testing.T) (*Job, *io.PipeWriter, *lockedBuffer) {
	t.Helper()
	j := newJob("")
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() }) // ends what reads it
	out := &lockedBuffer{}
	j.Manifest.StdinHash, j.Manifest.TimeoutMS, j.Stdin = "", 20_000, nil
	j.Live = &Live{Stdin: r, Stdout: out, Stderr: &lockedBuffer{}}
	return j, w, out
}

// echo gives back each piece of input at once, and ends with the input.
func echo(s *session, a *wire.Accept) bool {
	s.send(a)
	for a.Module {
		if kind, err := s.conn.Next(); err != nil || kind != wire.KindModule {
			return false
		}
		for a.Module {
			p, err := s.conn.Some()
			if err != nil {
				return false
			}
			a.Module = len(p) > 0
		}
	}
	s.send(&wire.Started{})
	for {
		kind, err := s.conn.Next()
		switch {
		case err != nil || kind == wire.KindCancel:
			return false
		case kind == wire.KindStdinEnd:
			return true
		}
		for p, err := s.conn.Some(); len(p) > 0 && err == nil; p, err = s.conn.Some() {
			s.stdin.Write(p)
			s.stdout = append(s.stdout, p...)
			_ = s.conn.SendData(wire.KindStdout, p)
		}
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// run runs a job beside the test.
func run(t *testing.T, cfg Config, j *Job, source Source) <-chan error {
	t.Helper()
	ctx := deadline(t, patience)
	done := make(chan error, 1)
	go func() {
		result, err := Run(ctx, cfg, j, source)
		if err == nil {
			result.Close()
			err = result.Cause
		}
		done <- err
	}()
	return done
}

func TestLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		n := node(t, func(s *session) {
			if echo(s, &wire.Accept{Module: true, Stdin: true}) {
				s.result(s.statement())
			}
		})
		j, in, out := liveJob(t)
		done := run(t, config(t, n), j, these(n.candidate(1)))
		for _, text := range []string{"one ", "two ", "three"} {
			if _, err := io.WriteString(in, text); err != nil {
				t.Fatal(err)
			}
			eventually(t, text, func() bool { return strings.HasSuffix(out.String(), text) })
		}
		_ = in.Close()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		eventually(t, "everything to end", func() bool { return out.String() == "one two three" })
	})
}

// Streams that were passed on go on where they broke off.
func TestLiveResumes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		n := node(t, nil)
		n.does = func(s *session) {
			if s.number == 1 {
				s.send(&wire.Accept{Stdin: true})
				s.send(&wire.Started{})
				_, _ = s.conn.Next()
				_, _ = s.conn.Some()
				_ = s.conn.SendData(wire.KindStdout, []byte("one "))
				<-n.ready
				s.conn.Reset()
				return
			}
			if s.offer.StdoutFrom != 4 {
				t.Errorf("output from byte %d", s.offer.StdoutFrom)
			}
			s.stdin.WriteString("on")
			s.stdout = []byte("one ")
			// Two of the four bytes came: the others come again.
			s.send(&wire.Accept{Stdin: true, StdinFrom: 2, Attached: true})
			s.send(&wire.Started{})
			for {
				kind, err := s.conn.Next()
				if err != nil {
					return
				}
				if kind == wire.KindStdinEnd {
					break
				}
				for p, err := s.conn.Some(); len(p) > 0 && err == nil; p, err = s.conn.Some() {
					s.stdin.Write(p)
				}
			}
			s.stdout = append(s.stdout, "two"...)
			_ = s.conn.SendData(wire.KindStdout, []byte("two"))
			s.result(s.statement())
		}
		j, in, out := liveJob(t)
		done := run(t, config(t, n), j, these(n.candidate(1)))
		_, _ = io.WriteString(in, "one ")
		eventually(t, "output", func() bool { return out.String() == "one " })
		close(n.ready)
		eventually(t, "the second connection", func() bool { return n.offered() == 2 })
		_, _ = io.WriteString(in, "and two")
		_ = in.Close()
		if err := <-done; err != nil || out.String() != "one two" {
			t.Errorf("%v, %q", err, out.String())
		}
	})
}

// What was passed on can't be taken back: there is no other node, and no second run.
func TestLiveHasOneNode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		second func(*session)
		code   job.Code
		says   string
	}{
		"it lies": {nil, job.CodeUnverified, "untrusted"},
		"it has forgotten": {func(s *session) {
			s.send(&wire.Accept{Stdin: true})
			s.hang()
		}, job.CodeRefused, "can't be sent again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				simulate(t)
				n := node(t, func(s *session) {
					if s.number > 1 {
						test.second(s)
						return
					}
					if !echo(s, &wire.Accept{Module: true, Stdin: true}) {
						return
					}
					if test.second != nil {
						s.conn.Reset()
						return
					}
					s.resultBy(identity.Generate(), s.statement())
				})
				other := node(t, honest)
				j, in, _ := liveJob(t)
				done := run(t, config(t, n, other), j, these(n.candidate(2), other.candidate(1)))
				_, _ = io.WriteString(in, "x")
				_ = in.Close()
				e, ok := errors.AsType[*job.Error](<-done)
				if !ok || e.Code != test.code || !strings.Contains(e.Message, test.says) || other.offered() > 0 {
					t.Errorf("%v; the other was offered to %d times", e, other.offered())
				}
			})
		})
	}
}

// A reader who goes ends the job, and is what it ended for.
func TestLiveOutputFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		n := node(t, nil)
		n.does = func(s *session) {
			if echo(s, &wire.Accept{Module: true, Stdin: true}) {
				return
			}
			st := s.statement()
			st.Outcome.Status, st.Outcome.ExitCode, st.Outcome.StdinComplete = job.Cancelled, nil, false
			s.result(st)
		}
		j, in, _ := liveJob(t)
		j.Live.Stdout = brokenSpool{}
		done := run(t, config(t, n), j, these(n.candidate(1)))
		_, _ = io.WriteString(in, "x")
		if err := <-done; !errors.Is(err, errBroken) {
			t.Errorf("%v", err)
		}
	})
}

// A program that ends early has a receipt about the input that it took.
func TestLiveTakesLess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		for _, lies := range []bool{false, true} {
			n := node(t, func(s *session) {
				s.send(&wire.Accept{Stdin: true})
				s.send(&wire.Started{})
				_, _ = s.conn.Next()
				_, _ = s.conn.Some()
				s.stdin.WriteString("on")
				st := s.statement()
				st.Outcome.StdinComplete = false
				if lies {
					st.Outcome.StdinHash = job.Sum([]byte("no"))
				}
				s.result(st)
			})
			j, in, _ := liveJob(t)
			done := run(t, config(t, n), j, these(n.candidate(1)))
			_, _ = io.WriteString(in, "one")
			e, _ := errors.AsType[*job.Error](<-done)
			if lies && (e == nil || e.Code != job.CodeUnverified) || !lies && e != nil {
				t.Errorf("lies %v: %v", lies, e)
			}
		}
	})
}

func TestTap(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	tap := newTap(r)
	done := make(chan struct{})
	total := int64(0)
	go func() {
		piece := make([]byte, 1<<20)
		for i := range 40 {
			for j := range piece {
				piece[j] = byte(i)
			}
			_, _ = w.Write(piece)
		}
		_ = w.Close()
	}()
	for {
		p, err := tap.next(done, total)
		if err == io.EOF { //nolint:errorlint // what next returns
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := byte(total >> 20); p[0] != want {
			t.Fatalf("byte %d is %d, want %d", total, p[0], want)
		}
		total += int64(len(p))
	}
	if held := len(tap.window); held > tapWindow+2*tapAhead { // nothing fills it any more
		t.Errorf("%d bytes are held", held)
	}
	if total != 40<<20 {
		t.Errorf("%d bytes", total)
	}
	if _, err := tap.next(done, 0); err == nil {
		t.Error("the beginning is still there")
	}
	if p, err := tap.next(done, total-1); err != nil || len(p) != 1 {
		t.Errorf("%d bytes, %v", len(p), err)
	}
	if _, can, err := tap.digest(1); can || err != nil {
		t.Errorf("a digest of what is gone: %v", err)
	}
	if d, can, err := tap.digest(total); !can || err != nil || !d.Valid() {
		t.Errorf("%s %v %v", d, can, err)
	}
	close(done)
	if p, err := tap.next(done, total); p != nil || err != io.EOF { //nolint:errorlint // what next returns
		t.Errorf("%d bytes, %v", len(p), err)
	}
}
