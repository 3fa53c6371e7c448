package submit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// lie is what a node does that can't be believed, or doesn't come to an end.
type lie struct {
	name string
	does func(*session)
	code job.Code // of the submission, when nobody else is there
	says string   // of the node
}

// finishing is a node that does all as it should, but for what it says at the end.
func finishing(end func(*session, *receipt.Statement)) func(*session) {
	return func(s *session) {
		if s.accept() {
			s.run()
			s.output()
			end(s, s.statement())
		}
	}
}

func lies() []lie {
	return slices.Concat(receipts(), silences(), nonsense(), []lie{
		{"truncated output", func(s *session) {
			if s.accept() {
				s.run()
				_ = s.conn.SendData(wire.KindStdout, s.stdout[:len(s.stdout)-1])
				_ = s.conn.SendData(wire.KindStderr, s.stderr)
				s.result(s.statement())
			}
		}, job.CodeUnverified, "stdout: the receipt is about"},
		{"right receipt with other bytes", func(s *session) {
			if s.accept() {
				s.run()
				_ = s.conn.SendData(wire.KindStdout, bytes.ToUpper(s.stdout))
				_ = s.conn.SendData(wire.KindStderr, s.stderr)
				s.result(s.statement())
			}
		}, job.CodeUnverified, "stdout: the receipt is about"},
		{"right receipt with other diagnostics", func(s *session) {
			if s.accept() {
				s.run()
				_ = s.conn.SendData(wire.KindStdout, s.stdout)
				_ = s.conn.SendData(wire.KindStderr, []byte("STDERR"))
				s.result(s.statement())
			}
		}, job.CodeUnverified, "stderr: the receipt is about"},
		{"endless output", func(s *session) {
			if s.accept() {
				s.run()
				s.raw(func(w io.Writer) error { return endless(w, wire.KindStdout) })
			}
		}, job.CodeUnverified, "more output than the manifest allows"},
		{"hangs up again and again", func(s *session) {
			if s.accept() {
				s.run()
			}
		}, job.CodeRefused, "lost after it had accepted"},
	})
}

func receipts() []lie {
	return []lie{
		{"forged receipt", finishing(func(s *session, st *receipt.Statement) {
			s.resultBy(identity.Generate(), st)
		}), job.CodeUnverified, "untrusted"},
		{"another node's receipt", finishing(func(s *session, st *receipt.Statement) {
			other := identity.Generate()
			st.Node.PeerID = other.PeerID()
			s.resultBy(other, st)
		}), job.CodeUnverified, "untrusted"},
		{"in another node's name", finishing(func(s *session, st *receipt.Statement) {
			st.Node.PeerID = identity.Generate().PeerID()
			s.result(st)
		}), job.CodeUnverified, "wrong_signer"},
		{"for another requester", finishing(func(s *session, st *receipt.Statement) {
			st.Requester = identity.Generate().PeerID()
			s.result(st)
		}), job.CodeUnverified, "requester: the receipt is about a job of"},
		{"for nobody", finishing(func(s *session, st *receipt.Statement) {
			st.Requester = ""
			s.result(st)
		}), job.CodeUnverified, "requester: the receipt is about a job of nobody"},
		{"for another manifest", finishing(func(s *session, st *receipt.Statement) {
			m := *st.Manifest
			m.Seed++
			st.Manifest = &m
			s.result(st)
		}), job.CodeUnverified, "manifest: "},
		{"of an earlier job", finishing(func(s *session, st *receipt.Statement) {
			m := *st.Manifest // all is the same but what makes it another job
			m.ID = job.NewID()
			st.Manifest = &m
			s.result(st)
		}), job.CodeUnverified, "manifest: "},
		{"for other input", finishing(func(s *session, st *receipt.Statement) {
			st.Outcome.StdinHash = job.Sum([]byte("outpu"))
			s.result(st)
		}), job.CodeUnverified, "stdin: the receipt is about"},
		{"for less input", finishing(func(s *session, st *receipt.Statement) {
			st.Outcome.StdinHash, st.Outcome.StdinBytes, st.Outcome.StdinComplete = job.EmptyDigest, 0, false
			s.result(st)
		}), job.CodeUnverified, "stdin: the program was given 0 bytes of"},
		{"for other input, cut short", finishing(func(s *session, st *receipt.Statement) {
			st.Outcome.Status, st.Outcome.ExitCode = job.Timeout, nil
			st.Outcome.StdinHash, st.Outcome.StdinBytes, st.Outcome.StdinComplete = job.Sum([]byte("i")), 2, false
			s.result(st)
		}), job.CodeUnverified, "stdin: the receipt is about"},
		{"on another processor", finishing(func(s *session, st *receipt.Statement) {
			st.Node.Arch = "wasm"
			s.result(st)
		}), job.CodeUnverified, "arch: it ran on wasm"},
		{"on another engine", finishing(func(s *session, st *receipt.Statement) {
			st.Node.Engine.Name = "other"
			s.result(st)
		}), job.CodeUnverified, "engine: it ran on other"},
		{"without a guard", finishing(func(s *session, st *receipt.Statement) {
			st.Node.Guards = nil
			s.result(st)
		}), job.CodeUnverified, "guards: process was not active"},
		{"a receipt of nonsense", finishing(func(s *session, _ *receipt.Statement) {
			s.send(&wire.Result{Receipt: []byte("{}\x1b[2J")})
		}), job.CodeUnverified, "bad_json"},
	}
}

// silences are nodes that stop at each phase: those that ping go on pinging, the
// others are as dead.
func silences() []lie {
	phases := []struct {
		name  string
		until func(*session) bool
		code  job.Code
		says  string
	}{
		{"the offer", func(*session) bool { return true }, job.CodeNoNode, "has not answered the offer"},
		{"accept, and takes nothing", func(s *session) bool {
			s.send(&wire.Accept{Module: true, Stdin: true})
			return true
		}, job.CodeRefused, "has not started the job in time"},
		{"module and input", (*session).accept, job.CodeRefused, "has not started the job in time"},
		{"started", func(s *session) bool {
			if !s.accept() {
				return false
			}
			s.run()
			return true
		}, job.CodeRefused, "has not ended the job in its time"},
		{"the output", func(s *session) bool {
			if !s.accept() {
				return false
			}
			s.run()
			s.output()
			return true
		}, job.CodeRefused, "has not ended the job in its time"},
	}
	var all []lie
	for _, p := range phases {
		all = append(all, lie{"silence after " + p.name, func(s *session) {
			if p.until(s) {
				s.hang()
			}
		}, p.code, p.says})
		dead := "lost after it had accepted"
		if p.code == job.CodeNoNode {
			dead = "nothing came for"
		}
		all = append(all, lie{"death after " + p.name, func(s *session) {
			if p.until(s) {
				s.raw(func(io.Writer) error { return nil })
			}
		}, p.code, dead})
	}
	return all
}

// nonsense are nodes that break the protocol at each phase.
func nonsense() []lie {
	garbage := func(s *session) {
		s.raw(func(w io.Writer) error {
			_, err := w.Write(bytes.Repeat([]byte("\xff\x00garbage\x1b[2J"), 10_000))
			return err
		})
	}
	return []lie{
		{"garbage for an answer", garbage, job.CodeUnverified, "protocol broken (kind)"},
		{"garbage after accept", func(s *session) {
			if s.accept() {
				garbage(s)
			}
		}, job.CodeUnverified, "protocol broken (kind)"},
		{"garbage after started", func(s *session) {
			if s.accept() {
				s.run()
				garbage(s)
			}
		}, job.CodeUnverified, "protocol broken (kind)"},
		{"output before started", func(s *session) {
			if s.accept() {
				s.raw(func(w io.Writer) error {
					_, err := w.Write([]byte("o\x02hi"))
					return err
				})
			}
		}, job.CodeUnverified, "protocol broken (turn)"},
		{"a result before started", func(s *session) {
			if s.accept() {
				s.raw(func(w io.Writer) error {
					_, err := w.Write([]byte("x\x02{}"))
					return err
				})
			}
		}, job.CodeUnverified, "protocol broken (turn)"},
	}
}

// raw writes to the stream itself what a Conn would refuse to send. From then on
// nothing else is said, not even a ping.
func (s *session) raw(write func(io.Writer) error) {
	s.stream.shut.Store(true)
	_ = write(s.stream.Stream)
	<-s.n.over
}

func endless(w io.Writer, kind wire.Kind) error {
	frame := append([]byte{byte(kind), 0x80, 0x80, 0x04}, make([]byte, 1<<16)...)
	for {
		if _, err := w.Write(frame); err != nil {
			return err
		}
	}
}

// TestLiars holds what each lie comes to: beside another trusted node the right
// answer from that, also where two are to agree and in a race, alone a clear error, and in no
// case another answer.
func TestLiars(t *testing.T) {
	t.Parallel()
	for _, l := range lies() {
		for name, does := range map[string]func(context.Context, Config, *fakeNode) error{
			"beside another": l.beside, "alone": l.alone, "outvoted": l.outvoted, "outrun": l.outrun,
		} {
			t.Run(l.name+", "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					simulate(t)
					cfg := config(t)
					cfg.Guards, cfg.Trusted = []string{"process"}, func(string) bool { return true }
					if err := does(deadline(t, 5*patience), cfg, node(t, l.does)); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

const liarsInput = "input"

func liarsJob() *Job {
	j := newJob(liarsInput)
	j.Manifest.Arch, j.Manifest.Engine, j.Manifest.OutputLimitBytes = "amd64", "wazero", 1<<20
	return j
}

func (l lie) beside(ctx context.Context, cfg Config, liar *fakeNode) error {
	other := node(liar.t, honest)
	result, err := rightly(ctx, cfg, liarsJob(), liarsInput, these(liar.candidate(2), other.candidate(1)))
	if err != nil {
		return err
	}
	defer result.Close()
	if by := result.Verified.Node.PeerID; by != other.key.PeerID() || liar.offered() == 0 {
		return fmt.Errorf("by %s; the liar was offered to %d times", by, liar.offered())
	}
	return nil
}

func (l lie) alone(ctx context.Context, cfg Config, liar *fakeNode) error {
	cfg.Retries = 0
	e, err := clearly(ctx, cfg, liarsJob(), these(liar.candidate(2)))
	if err != nil {
		return err
	}
	if e.Code != l.code || len(e.Nodes) != 1 || e.Nodes[0].PeerID != liar.key.PeerID() ||
		!strings.Contains(e.Nodes[0].Rejection.Message, l.says) {
		return fmt.Errorf("%s: %w %+v, want %s, %q", e.Code, e, e.Nodes, l.code, l.says)
	}
	return nil
}

// outvoted has three nodes asked for the answer of two.
func (l lie) outvoted(ctx context.Context, cfg Config, liar *fakeNode) error {
	one, two := node(liar.t, honest), node(liar.t, honest)
	a, err := Agree(ctx, cfg, liarsJob(), these(liar.candidate(3), one.candidate(2), two.candidate(1)), Quorum{N: 2})
	if err != nil {
		return err
	}
	defer a.Close()
	if len(a.Receipts) != 2 {
		return fmt.Errorf("%d receipts", len(a.Receipts))
	}
	for _, envelope := range a.Receipts {
		if _, err := receipt.Verify(envelope, []ed25519.PublicKey{one.key.Public(), two.key.Public()}); err != nil {
			return err
		}
	}
	return nil
}

// outrun has the job go to another node at once.
func (l lie) outrun(ctx context.Context, cfg Config, liar *fakeNode) error {
	one := node(liar.t, honest)
	cfg.Hedge = time.Millisecond
	result, err := rightly(ctx, cfg, liarsJob(), liarsInput, these(liar.candidate(3), one.candidate(2)))
	if err != nil {
		return err
	}
	defer result.Close()
	if by := result.Verified.Node.PeerID; by != one.key.PeerID() {
		return fmt.Errorf("by %s", by)
	}
	return nil
}

// Who was caught lying isn't asked again, however many retries are left.
func TestLiarIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		n := node(t, finishing(func(s *session, st *receipt.Statement) { s.resultBy(identity.Generate(), st) }))
		e := refused(t, config(t, n), newJob("x"), these(n.candidate(1)))
		if e.Code != job.CodeUnverified || n.offered() != 1 {
			t.Errorf("%s: %v, %d offers", e.Code, e, n.offered())
		}
	})
}

var errBroken = errors.New("broken")

// Output that can't be held here is no fault of the node's.
func TestSpoolFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulate(t)
		n := node(t, honest)
		cfg := config(t, n)
		cfg.Spool = func() Spool { return brokenSpool{} }
		e := refused(t, cfg, newJob("x"), these(n.candidate(1)))
		if e.Code != job.CodeIO || !errors.Is(e, errBroken) || n.offered() != 1 {
			t.Errorf("%s: %v, %d offers", e.Code, e, n.offered())
		}
	})
}

type brokenSpool struct{}

func (brokenSpool) Write([]byte) (int, error)  { return 0, fmt.Errorf("disk: %w", errBroken) }
func (brokenSpool) Reader() (io.Reader, error) { return nil, errBroken }
func (brokenSpool) Close() error               { return nil }
