package submit

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

// half is how much a node sends before its link is cut.
const half = len("stdout of in")

// arrival is more than what was sent takes to arrive.
const arrival = 100 * time.Millisecond

// A connection that is lost is made again, and output goes on where it broke off.
func TestReattach(t *testing.T) {
	t.Parallel()
	const stdin = "input"
	hangUp := func(_ *testing.T, s *session) { _ = s.stream.Conn().Close() }
	tests := []struct {
		name   string
		cut    func(*testing.T, *session)
		second func(t *testing.T, s *session)
		offers int
		more   func(s *session)
	}{
		{"hung up", hangUp, resumes, 2, nil},
		{"silent", func(t *testing.T, s *session) {
			t.Helper()
			net := simulationOf(t)
			net.cut(s.n, true)
			time.AfterFunc(fast().Lost+200*time.Millisecond, func() { net.cut(s.n, false) })
		}, resumes, 2, nil},
		{"what was resumed is of another run", hangUp, func(_ *testing.T, s *session) {
			s.send(&wire.Accept{Attached: true})
			s.run()
			_ = s.conn.SendData(wire.KindStdout, bytes.ToUpper([]byte("stdout of " + stdin))[s.offer.StdoutFrom:])
			_ = s.conn.SendData(wire.KindStderr, []byte("stderr"))
			s.stdin.WriteString(stdin)
			s.stdout = []byte("stdout of " + stdin)
			s.result(s.statement())
		}, 3, func(s *session) {
			s.send(&wire.Accept{Attached: true})
			s.stdin.WriteString(stdin)
			s.run()
			s.output()
			s.result(s.statement())
		}},
		{"the node knows nothing any more", hangUp, func(_ *testing.T, s *session) { honest(s) }, 2, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				simulate(t)
				n := node(t, nil)
				n.does = func(s *session) {
					switch {
					case s.number == 1:
						s.beginOutput()
						test.cut(t, s)
					case s.number == 2:
						test.second(t, s)
					case test.more != nil:
						test.more(s)
					}
				}
				cfg := config(t, n)
				cfg.Retries, cfg.Reattach, cfg.Dial = 0, 10*time.Second, 2*time.Second
				j := newJob(stdin)
				j.Manifest.TimeoutMS = 20_000
				submitted(t, cfg, j, stdin, these(n.candidate(9)))
				if n.offered() != test.offers {
					t.Errorf("%d offers, want %d", n.offered(), test.offers)
				}
			})
		})
	}
}

// beginOutput runs the program and sends half of what it writes to stdout.
func (s *session) beginOutput() {
	if s.accept() {
		s.run()
		_ = s.conn.SendData(wire.KindStdout, s.stdout[:half])
		<-time.After(arrival)
	}
}

// TestSilence: a node that has accepted a job and says nothing is looked for, and the job
// goes on where it answers, well before the connection would be lost; one that says
// something by then is let alone.
func TestSilence(t *testing.T) {
	t.Parallel()
	const stdin = "input"
	lost := 8 * time.Second // the protocol's
	for _, test := range []struct {
		name   string
		falls  func(*testing.T, *session)
		offers int
		again  time.Duration // no later
	}{
		{"it answers at another address", func(t *testing.T, s *session) {
			t.Helper()
			simulationOf(t).cut(s.n, true)
		}, 2, lost * 3 / 4},
		{
			"it answers on another connection", func(_ *testing.T, s *session) { s.stream.shut.Store(true) }, 2,
			lost * 3 / 4,
		},
		{"it answers nowhere, for a while", func(t *testing.T, s *session) {
			t.Helper()
			net := simulationOf(t)
			net.cut(s.n, true)
			time.AfterFunc(lost*3/4, func() { net.cut(s.n, false) })
		}, 1, 0},
		{"it was busy", func(_ *testing.T, s *session) {
			s.stream.shut.Store(true)
			<-time.After(lost/2 + 200*time.Millisecond)
			s.stream.shut.Store(false)
		}, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				simulate(t)
				if test.offers > 1 {
					simulationOf(t).homes = 2
				}
				n := node(t, nil)
				n.timing = wire.Config{}
				var fell, again time.Time
				n.does = func(s *session) {
					if s.number > 1 {
						again = time.Now()
						resumes(t, s)
						return
					}
					s.beginOutput()
					fell = time.Now()
					test.falls(t, s)
					if test.offers > 1 {
						<-time.After(2 * lost) // and it never says anything any more
						return
					}
					_ = s.conn.SendData(wire.KindStdout, s.stdout[half:])
					_ = s.conn.SendData(wire.KindStderr, s.stderr)
					s.result(s.statement())
				}
				cfg := config(t, n)
				cfg.Retries, cfg.Reattach, cfg.Wire = 0, time.Minute, wire.Config{}
				j := newJob(stdin)
				j.Manifest.TimeoutMS = 60_000
				c := n.candidate(9)
				c.Info.Addrs = c.Info.Addrs[:1]
				submitted(t, cfg, j, stdin, these(c))
				if n.offered() != test.offers {
					t.Errorf("%d offers, want %d", n.offered(), test.offers)
				}
				if took := again.Sub(fell); test.again > 0 && took > test.again {
					t.Errorf("again after %v", took)
				}
			})
		})
	}
}

func resumes(t *testing.T, s *session) {
	t.Helper()
	if s.offer.StdoutFrom != int64(half) || s.offer.StderrFrom != 0 {
		t.Errorf("asked for output from %d and %d", s.offer.StdoutFrom, s.offer.StderrFrom)
	}
	s.send(&wire.Accept{Attached: true})
	s.stdin.WriteString("input")
	s.run()
	_ = s.conn.SendData(wire.KindStdout, s.stdout[s.offer.StdoutFrom:])
	_ = s.conn.SendData(wire.KindStderr, s.stderr)
	s.result(s.statement())
}

// Input is sent from the byte that the node asks for.
func TestInputResumes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		stdin := strings.Repeat("0123456789", 100_000)
		n := node(t, func(s *session) {
			from := int64(len(stdin) / 2)
			a := &wire.Accept{Module: true, Stdin: true}
			if s.number == 2 {
				a = &wire.Accept{Stdin: true, StdinFrom: from, Attached: true}
				s.stdin.WriteString(stdin[:from])
			}
			s.send(a)
			if !s.take(a) || s.number == 1 {
				s.conn.Reset()
				return
			}
			s.run()
			s.output()
			s.result(s.statement())
		})
		submitted(t, config(t, n), newJob(stdin), stdin, these(n.candidate(1)))
		if n.offered() != 2 {
			t.Errorf("%d offers", n.offered())
		}
	})
}

// A node that is gone for good is left for another one after a while.
func TestNodeDies(t *testing.T) {
	t.Parallel()
	for name, does := range map[string]func(*session){
		"before accept": func(s *session) { go s.n.host.Close() }, //nolint:errcheck // dying
		"after accept": func(s *session) {
			s.send(&wire.Accept{Module: true, Stdin: true})
			go s.n.host.Close() //nolint:errcheck // dying
		},
		"while it runs": func(s *session) {
			if s.accept() {
				s.run()
				_ = s.conn.SendData(wire.KindStdout, s.stdout[:half])
				go s.n.host.Close() //nolint:errcheck // dying
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				simulate(t)
				dies, lives := node(t, does), node(t, honest)
				cfg := config(t, dies, lives)
				cfg.Retries, cfg.Reattach = 1, time.Second
				submitted(t, cfg, newJob("input"), "input", these(dies.candidate(2), lives.candidate(1)))
			})
		})
	}
}

// The retries bound the attempts that were accepted.
func TestRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		n := node(t, func(s *session) {
			if s.accept() {
				s.reject(job.RejectExpired, 0)
			}
		})
		var others []Candidate
		nodes := []*fakeNode{n}
		for range 3 {
			o := node(t, n.does)
			nodes, others = append(nodes, o), append(others, o.candidate(1))
		}
		cfg := config(t, nodes...)
		cfg.Retries = 1
		e := refused(t, cfg, newJob("x"), these(append(others, n.candidate(1))...))
		offers := 0
		for _, n := range nodes {
			offers += n.offered()
		}
		if e.Code != job.CodeRefused || offers != 2 || len(e.Nodes) != 2 {
			t.Errorf("%s: %v after %d offers %+v", e.Code, e, offers, e.Nodes)
		}
	})
}

var errSignal = errors.New("stopped by somebody")

// cancelled is a job that is cancelled at some moment.
type cancelled struct {
	name    string
	stdin   int
	until   func(*session) bool
	receipt bool
	tcp     bool // over QUIC a stream that isn't read can hold up all of its connection
}

// TestCancel holds that a node is told when nobody waits any more, whatever goes
// on, and what becomes of it.
func TestCancel(t *testing.T) {
	t.Parallel()
	tests := []cancelled{
		{"without an answer", 0, func(*session) bool { return true }, false, false},
		{"in the queue", 0, func(s *session) bool {
			s.send(&wire.Queued{Position: 3, WaitMS: 1000})
			return true
		}, false, false},
		{"before it started", 10, (*session).accept, false, false},
		{"while it runs", 10, func(s *session) bool {
			ok := s.accept()
			s.run()
			return ok
		}, true, false},
		{"while input is in the way", 64 << 20, func(s *session) bool {
			if s.number == 1 {
				s.send(&wire.Accept{Module: true, Stdin: true})
				<-time.After(500 * time.Millisecond) // as much has come as comes without being read
				close(s.n.ready)
				select { // and is not read
				case <-s.n.cancelled:
				case <-s.n.over:
				}
				return false
			}
			return true // the stream with the cancel
		}, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.tcp {
				test.run(t)
				return
			}
			synctest.Test(t, func(t *testing.T) {
				simulate(t)
				test.run(t)
			})
		})
	}
}

// run holds that the node is told.
func (test *cancelled) run(t *testing.T) {
	t.Helper()
	n := node(t, nil)
	n.does = func(s *session) {
		if !test.until(s) {
			return
		}
		if s.number == 1 {
			close(n.ready)
		}
		for {
			kind, err := s.conn.Next()
			if err != nil {
				return
			}
			if kind == wire.KindCancel {
				break
			}
		}
		if _, err := s.conn.Message(); err != nil {
			t.Errorf("cancel: %v", err)
		}
		close(n.cancelled)
		if test.receipt {
			st := s.statement()
			st.Stdout, st.Outcome.StdoutBytes = job.EmptyDigest, 0
			st.Stderr, st.Outcome.StderrBytes = job.EmptyDigest, 0
			st.Outcome.Status, st.Outcome.ExitCode = job.Cancelled, nil
			s.result(st)
		}
	}
	cfg := config(t, n)
	cfg.AttemptTimeout, cfg.Answer = patience, patience
	ctx, cancel := context.WithCancelCause(deadline(t, patience))
	go func() {
		<-n.ready
		cancel(errSignal)
	}()
	stdin := strings.Repeat("x", test.stdin)
	result, err := Run(ctx, cfg, newJob(stdin), these(n.candidate(1)))
	select {
	case <-n.cancelled:
	case <-time.After(patience):
		t.Error("the node was not told")
	}
	if test.receipt {
		if err != nil {
			t.Fatal(err)
		}
		defer result.Close()
		if o := result.Verified.Outcome; o.Status != job.Cancelled || !errors.Is(result.Cause, errSignal) {
			t.Errorf("%+v, %v", o, result.Cause)
		}
		return
	}
	if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeCancelled || !errors.Is(err, errSignal) {
		t.Errorf("%v", err)
	}
}

// The deadline ends all, and the node hears of it.
func TestDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		n := node(t, nil)
		n.does = func(s *session) {
			if s.accept() {
				s.run()
				for {
					kind, err := s.conn.Next()
					if err != nil {
						return
					}
					if kind == wire.KindCancel {
						close(n.cancelled)
						return
					}
				}
			}
		}
		cfg := config(t, n)
		cfg.AttemptTimeout = patience
		j := newJob("")
		j.Manifest.TimeoutMS = 600_000
		began := time.Now()
		_, err := Run(deadline(t, time.Second), cfg, j, these(n.candidate(1)))
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != job.CodeDeadline || time.Since(began) > 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		select {
		case <-n.cancelled:
		case <-time.After(patience):
			t.Error("the node was not told")
		}
		_, err = Run(deadline(t, 500*time.Millisecond), cfg, newJob(""),
			func(ctx context.Context, _ func(Candidate)) error {
				<-ctx.Done()
				return nil
			})
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeDeadline {
			t.Errorf("%v", err)
		}
	})
}

// lockedBuffer is a buffer that two goroutines use.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
