package submit

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

func TestOneNode(t *testing.T) {
	t.Parallel()
	for name, stdin := range map[string]string{
		"without input": "", "with input": "hello",
		"with much": strings.Repeat("0123456789", 300_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				simulate(t)
				n := node(t, honest)
				result := submitted(t, config(t, n), newJob(stdin), stdin, these(Candidate{Info: n.info()}))
				if v := result.Verified; v.Node.PeerID != n.key.PeerID() || result.Cause != nil {
					t.Errorf("%+v, %v", v.Node, result.Cause)
				}
			})
		})
	}
}

// A node that has had the module is not sent it again.
func TestModuleOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		var bytes [2]int
		n := node(t, nil)
		n.does = func(s *session) {
			before := s.stdin.Len()
			honest(s)
			bytes[s.number-1] = s.stdin.Len() - before
		}
		cfg := config(t, n)
		j := newJob("x")
		submitted(t, cfg, j, "x", these(n.candidate(1)))
		again := *j.Manifest
		again.ID = job.NewID()
		submitted(t, cfg, &Job{Manifest: &again, Module: j.Module, Stdin: j.Stdin, StdinBytes: 1}, "x",
			these(n.candidate(1)))
	})
}

func TestRejections(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code job.RejectCode
		want job.Code // of the submission, when nobody else is there
		stop bool     // no other node is asked
	}{
		{job.RejectMemory, job.CodeRefused, false},
		{job.RejectNotAllowed, job.CodeRefused, false},
		{job.RejectShuttingDown, job.CodeRefused, false},
		{job.RejectCompileLimit, job.CodeCompileLimit, false},
		{job.RejectInternal, job.CodeRefused, false},
		{job.RejectBadManifest, job.CodeBadManifest, true},
		{job.RejectBadModule, job.CodeBadModule, true},
		{job.RejectModuleRefused, job.CodeModuleRefused, true},
		{job.RejectHashMismatch, job.CodeRefused, true},
		{job.RejectConflict, job.CodeRefused, true},
	}
	for _, test := range tests {
		t.Run(string(test.code), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				simulate(t)
				no := node(t, func(s *session) { s.reject(test.code, 0) })
				yes := node(t, honest)
				cfg := config(t, no, yes)
				e := refused(t, cfg, newJob(""), these(no.candidate(1)))
				if e.Code != test.want || len(e.Nodes) != 1 || e.Nodes[0].Rejection.Code != test.code ||
					e.Nodes[0].PeerID != no.key.PeerID() {
					t.Errorf("alone: %s: %v %+v", e.Code, e, e.Nodes)
				}
				if test.stop {
					e := refused(t, cfg, newJob(""), these(no.candidate(2), yes.candidate(1)))
					if e.Code != test.want || yes.offered() > 0 {
						t.Errorf("%s: %v; the other was offered to %d times", e.Code, e, yes.offered())
					}
					return
				}
				submitted(t, cfg, newJob(""), "", these(no.candidate(2), yes.candidate(1)))
				if no.offered() != 2 {
					t.Errorf("offered %d times, want once each", no.offered())
				}
			})
		})
	}
}

// Rejections cost no retries: each candidate is offered to, and once.
func TestEveryCandidateIsOfferedTo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		var nodes []*fakeNode
		var all []Candidate
		for range 6 {
			n := node(t, func(s *session) { s.reject(job.RejectMemory, 0) })
			nodes, all = append(nodes, n), append(all, n.candidate(1))
		}
		cfg := config(t, nodes...)
		cfg.Retries = 0
		e := refused(t, cfg, newJob(""), these(all...))
		if e.Code != job.CodeRefused || len(e.Nodes) != 6 {
			t.Errorf("%s: %v %+v", e.Code, e, e.Nodes)
		}
		for i, n := range nodes {
			if n.offered() != 1 {
				t.Errorf("node %d was offered to %d times", i, n.offered())
			}
		}
	})
}

// A busy node is asked again, and not before it said.
func TestBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		const wait = 300 * time.Millisecond
		var refusedAt, askedAt time.Time
		n := node(t, func(s *session) {
			if s.number == 1 {
				refusedAt = time.Now()
				s.reject(job.RejectBusy, wait)
				return
			}
			askedAt = time.Now()
			honest(s)
		})
		cfg := config(t, n)
		cfg.Retries = 0
		submitted(t, cfg, newJob("x"), "x", these(n.candidate(1)))
		if d := askedAt.Sub(refusedAt); d < wait {
			t.Errorf("asked again after %v, want at least %v", d, wait)
		}
	})
}

// A node that is busy for longer than there is time ends it at once.
// TestBusyForADay: a node that sends a job away for a day is asked again all the same,
// as what a node advises may come of what it knew badly.
func TestBusyForADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		n := node(t, func(s *session) {
			if s.number == 1 {
				s.reject(job.RejectBusy, 24*time.Hour)
				return
			}
			honest(s)
		})
		submitted(t, config(t, n), newJob(""), "", these(n.candidate(1)))
	})
}

func TestPause(t *testing.T) {
	t.Parallel()
	none := Config{Backoff: time.Second, Jitter: func(time.Duration) time.Duration { return 0 }}
	all := Config{Backoff: time.Second, Jitter: func(d time.Duration) time.Duration { return d }}
	tests := []struct {
		n          int
		retryAfter time.Duration
		low, high  time.Duration
	}{
		{1, 0, 500 * time.Millisecond, time.Second},
		{2, 0, time.Second, 2 * time.Second},
		{6, 0, 16 * time.Second, 32 * time.Second},
		{60, 0, 16 * time.Second, 32 * time.Second},
		{1, 4 * time.Second, 4 * time.Second, 5 * time.Second},
		{1, time.Millisecond, 500 * time.Millisecond, time.Second},
		{60, 2 * time.Second, 2 * time.Second, 2500 * time.Millisecond},
		{1, time.Hour, 5 * time.Second, 6250 * time.Millisecond},
	}
	for _, test := range tests {
		if low, high := none.pause(test.n, test.retryAfter), all.pause(test.n, test.retryAfter); low != test.low ||
			high != test.high {
			t.Errorf("%+v: %v to %v", test, low, high)
		}
	}
}

// In a node's queue a job waits, unless somebody else was never asked.
func TestQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		queue := func(s *session) {
			s.send(&wire.Queued{Position: 1, WaitMS: 10})
			if s.number == 1 {
				s.hang()
				return
			}
			honest(s)
		}
		full := node(t, queue)
		free := node(t, honest)
		result := submitted(t, config(t, full, free), newJob(""), "", these(full.candidate(2), free.candidate(1)))
		if result.Verified.Node.PeerID != free.key.PeerID() {
			t.Error("the job waited, and another node had room")
		}
		full.mu.Lock()
		full.offers = full.offers[:0:0]
		full.mu.Unlock()
		late := node(t, func(s *session) { s.reject(job.RejectMemory, 0) })
		submitted(t, config(t, full, late), newJob(""), "", these(full.candidate(2), late.candidate(1)))
		if full.offered() != 2 || late.offered() != 1 {
			t.Errorf("offered %d and %d times", full.offered(), late.offered())
		}
	})
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	gone, other := node(t, honest), node(t, honest)
	info := gone.info()
	_ = gone.host.Close()
	cfg := config(t, gone, other)
	e := refused(t, cfg, newJob(""), these(Candidate{Info: info}))
	if e.Code != job.CodeNoNode || len(e.Nodes) != 1 || !strings.Contains(e.Message, "connection refused") {
		t.Errorf("%s: %v %+v", e.Code, e, e.Nodes)
	}
	submitted(t, cfg, newJob("x"), "x", these(Candidate{Info: info}, other.candidate(1)))
	// Another node at the address of the one that was named.
	info.Addrs = other.info().Addrs
	e = refused(t, cfg, newJob(""), these(Candidate{Info: info}))
	if e.Code != job.CodeNoNode || !strings.Contains(e.Message, other.key.PeerID()) {
		t.Errorf("%s: %v", e.Code, e)
	}
}

// A failure of the program's own is a result.
func TestProgramFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		n := node(t, func(s *session) {
			if s.accept() {
				s.run()
				s.output()
				st := s.statement()
				st.Outcome.Status, st.Outcome.ExitCode, st.Outcome.Trap = job.Trap, nil, job.TrapUnreachable
				s.result(st)
			}
		})
		result := submitted(t, config(t, n), newJob("in"), "in", these(n.candidate(1)))
		if result.Verified.Outcome.Status != job.Trap || n.offered() != 1 {
			t.Errorf("%+v after %d offers", result.Verified.Outcome, n.offered())
		}
	})
}

// A failure of the node's own is none, unless nothing better comes.
func TestEngineFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		fails := node(t, func(s *session) {
			if s.accept() {
				s.run()
				s.output()
				st := s.statement()
				st.Outcome.Status, st.Outcome.ExitCode = job.EngineFailed, nil
				s.result(st)
			}
		})
		works := node(t, honest)
		cfg := config(t, fails, works)
		result := submitted(t, cfg, newJob("in"), "in", these(fails.candidate(2), works.candidate(1)))
		if result.Verified.Outcome.Status != job.Exit || fails.offered() != 1 {
			t.Errorf("%+v after %d offers", result.Verified.Outcome, fails.offered())
		}
		cfg.Retries = 2
		result = submitted(t, cfg, newJob("in"), "in", these(fails.candidate(2)))
		if result.Verified.Outcome.Status != job.EngineFailed || result.Cause == nil || fails.offered() != 1+3 {
			t.Errorf("%+v after %d offers", result.Verified.Outcome, fails.offered())
		}
	})
}

func TestSourceFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		bad := &job.Error{Code: job.CodeUsage, Message: "line 1"}
		e := refused(t, config(t), newJob(""), func(context.Context, func(Candidate)) error { return bad })
		if e.Code != job.CodeUsage || !errors.Is(e, bad) {
			t.Errorf("%s: %v", e.Code, e)
		}
		e = refused(t, config(t), newJob(""), these())
		if e.Code != job.CodeNoNode {
			t.Errorf("%s: %v", e.Code, e)
		}
	})
}

// What a node says of itself is compared with the job before it is asked.
func TestUnfit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		n := node(t, honest)
		c := n.candidate(1)
		c.Node.Limits.TimeoutMS = 100
		e := refused(t, config(t, n), newJob(""), these(c))
		if e.Code != job.CodeNoNode || n.offered() > 0 || len(e.Nodes) != 1 ||
			e.Nodes[0].Rejection.Code != job.RejectTimeout {
			t.Errorf("%s: %v %+v", e.Code, e, e.Nodes)
		}
	})
}

// Nodes that come late are taken, and one without room waits for them.
func TestLateCandidates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		full, free := node(t, honest), node(t, honest)
		result := submitted(t, config(t, full, free), newJob(""), "",
			func(ctx context.Context, found func(Candidate)) error {
				found(full.candidate(0))
				select {
				case <-time.After(50 * time.Millisecond):
				case <-ctx.Done():
				}
				found(free.candidate(1))
				<-ctx.Done()
				return nil
			})
		if result.Verified.Node.PeerID != free.key.PeerID() {
			t.Error("it ran where there was no room")
		}
	})
}

// TestResultOfNodeThatIsGone: a node that signs that it cancelled the job, and takes no
// more or is gone by the next attempt, has given a result all the same.
func TestResultOfNodeThatIsGone(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(*session){
		"shuts down": func(s *session) { s.reject(job.RejectShuttingDown, 0) },
		"hangs up":   func(s *session) { s.conn.Reset() },
		"lies":       func(s *session) { s.send(&wire.Started{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				simulate(t)
				n := node(t, func(s *session) {
					if s.number > 1 {
						then(s)
						return
					}
					if s.accept() {
						s.run()
						s.output()
						st := s.statement()
						st.Outcome.Status, st.Outcome.ExitCode = job.Cancelled, nil
						s.result(st)
					}
				})
				cfg := config(t, n)
				result := submitted(t, cfg, newJob("in"), "in", these(n.candidate(1)))
				if result.Verified.Outcome.Status != job.Cancelled || result.Cause == nil || n.offered() < 2 {
					t.Errorf("%+v (%v) after %d offers", result.Verified.Outcome, result.Cause, n.offered())
				}
			})
		})
	}
}
