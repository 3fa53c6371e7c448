package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"plasm/lib/job"
)

// pipeStream is one end of a pipe that holds nothing: a write waits until all of
// it is read.
type pipeStream struct{ net.Conn }

func (p pipeStream) Reset() error { return p.Close() }

// ends returns the two ends of an exchange.
func ends() (requester, node *Conn) {
	a, b := net.Pipe()
	return NewConn(pipeStream{a}, Requester, Config{}), NewConn(pipeStream{b}, Node, Config{})
}

// oneEnd returns the end of role, and the bare stream at its other end.
func oneEnd(role Role) (*Conn, net.Conn) {
	a, b := net.Pipe()
	return NewConn(pipeStream{a}, role, Config{}), b
}

// expect reads the next message, of the given kind.
func expect(t *testing.T, c *Conn, kind Kind) Message {
	t.Helper()
	got, err := c.Next()
	if err != nil || got != kind {
		t.Fatalf("%s, %v; want %s", got, err, kind)
	}
	m, err := c.Message()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// agree has both ends come as far as started: with an input that ends when it
// ends, and room for output.
func agree(t *testing.T, requester, node *Conn) {
	t.Helper()
	var both sync.WaitGroup
	both.Go(func() {
		expect(t, node, KindOffer)
		for _, m := range []Message{&Accept{Stdin: true}, &Started{}} {
			if err := node.Send(m); err != nil {
				t.Error(err)
			}
		}
	})
	offer := sampleOffer(StdinUnknown, func(m *job.Manifest) { m.StdinHash, m.OutputLimitBytes = "", job.MaxSafeInt })
	if err := requester.Send(offer); err != nil {
		t.Fatal(err)
	}
	expect(t, requester, KindAccept)
	expect(t, requester, KindStarted)
	both.Wait()
}

// drain reads data until the end, and returns it by kind.
func drain(c *Conn) (map[Kind][]byte, error) {
	got := map[Kind][]byte{}
	for {
		kind, err := c.Next()
		if err != nil {
			return got, err
		}
		if !kind.IsData() {
			if _, err := c.Message(); err != nil {
				return got, err
			}
			continue
		}
		for {
			p, err := c.Some()
			if err != nil {
				return got, err
			}
			if len(p) == 0 {
				break
			}
			got[kind] = append(got[kind], p...)
		}
	}
}

// TestBothSendAtOnce has both ends send megabytes on a stream that holds
// nothing, from two goroutines each.
func TestBothSendAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requester, node := ends()
		agree(t, requester, node)
		const size = 4<<20 + 5
		stdin, stdout, stderr := bytes.Repeat([]byte("i"), size), bytes.Repeat([]byte("o"), size),
			bytes.Repeat([]byte("e"), size)
		var all sync.WaitGroup
		send := func(c *Conn, kind Kind, data []byte) {
			all.Go(func() {
				if err := c.SendData(kind, data); err != nil {
					t.Errorf("%s: %v", kind, err)
				}
			})
		}
		send(requester, KindStdin, stdin)
		send(node, KindStdout, stdout)
		send(node, KindStderr, stderr)
		var fromRequester, fromNode map[Kind][]byte
		var readers sync.WaitGroup
		readers.Go(func() { fromRequester, _ = drain(node) })
		readers.Go(func() { fromNode, _ = drain(requester) })
		all.Wait()
		if err := requester.Send(StdinEnd{}); err != nil {
			t.Error(err)
		}
		if err := node.Send(sampleResult()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		requester.Close()
		node.Close()
		readers.Wait()
		if !bytes.Equal(fromRequester[KindStdin], stdin) || !bytes.Equal(fromNode[KindStdout], stdout) ||
			!bytes.Equal(fromNode[KindStderr], stderr) {
			t.Errorf("came: %d of stdin, %d of stdout, %d of stderr", len(fromRequester[KindStdin]),
				len(fromNode[KindStdout]), len(fromNode[KindStderr]))
		}
	})
}

// TestEndsFreeEverybody closes or resets an end whose reader, sender and pinger
// all wait.
func TestEndsFreeEverybody(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*Conn){"Close": (*Conn).Close, "Reset": (*Conn).Reset} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, sends := range []bool{false, true} { // without one, it is the pinger that is stuck
					c, _ := oneEnd(Requester)
					freed := make(chan error, 3)
					go func() { _, err := c.Next(); freed <- err }()
					if sends {
						go func() { freed <- c.Send(plainOffer()) }()
						go func() { freed <- c.Send(Ping{}) }()
					}
					<-time.After(3 * time.Second)
					end(c)
					for range map[bool]int{false: 1, true: 3}[sends] {
						if err := <-freed; !errors.Is(err, ErrClosed) {
							t.Errorf("freed with %v", err)
						}
					}
					c.Close()
					c.Reset()
					if err := c.Send(Ping{}); !errors.Is(err, ErrClosed) {
						t.Errorf("sending later: %v", err)
					}
				}
			})
		})
	}
}

// TestEndOfStream says what it means that the other end has closed.
func TestEndOfStream(t *testing.T) {
	t.Parallel()
	said := func(messages ...Message) []byte {
		var b []byte
		for _, m := range messages {
			b = must(AppendMessage(b, m))
		}
		return b
	}
	tests := []struct {
		name   string
		role   Role
		cancel bool
		comes  []byte
		want   error
	}{
		{"the requester has gone", Node, false, said(plainOffer()), io.EOF},
		{"the requester has gone in a frame", Node, false, said(plainOffer())[:100], ErrLost},
		{"the node has gone before its last frame", Requester, false, said(&Accept{}, &Started{}), ErrLost},
		{"the node has gone after reject", Requester, false, said(busy()), io.EOF},
		{"the node has gone after result", Requester, false, said(&Accept{}, &Started{}, anyResult()), io.EOF},
		{"the node has gone when the job was cancelled", Requester, true, said(&Accept{}), io.EOF},
		{"the node has gone in a frame when the job was cancelled", Requester, true, said(&Accept{})[:5], ErrLost},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, other := oneEnd(test.role)
				defer c.Reset()
				go func() { _, _ = io.Copy(io.Discard, other) }()
				if test.role == Requester {
					if err := c.Send(plainOffer()); err != nil {
						t.Fatal(err)
					}
				}
				if test.cancel {
					if err := c.Send(Cancel{}); err != nil {
						t.Fatal(err)
					}
				}
				go func() {
					_, _ = other.Write(test.comes)
					_ = other.Close()
				}()
				_, err := drain(c)
				if !errors.Is(err, test.want) || errors.Is(err, io.EOF) != errors.Is(test.want, io.EOF) {
					t.Errorf("%v, want %v", err, test.want)
				}
			})
		})
	}
}

// TestConnKeepsTurns in both directions: what may not be sent is not, what may
// not come is refused.
func TestConnKeepsTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requester, node := ends()
		defer requester.Reset()
		defer node.Reset()
		isBreach := func(what string, err error, rule Rule) {
			t.Helper()
			if b, ok := errors.AsType[*BreachError](err); !ok || b.Rule != rule {
				t.Errorf("%s: %v, want a breach of %s", what, err, rule)
			}
		}
		isBreach("module before the offer", requester.SendData(KindModule, []byte("x")), RuleTurn)
		isBreach("a node's message", requester.Send(&Accept{}), RuleKind)
		isBreach("a requester's data", node.SendData(KindStdin, []byte("x")), RuleKind)
		agree(t, requester, node) // nothing of this has come
		isBreach("module that the node has", requester.SendData(KindModule, []byte("x")), RuleTurn)
		if err := requester.SendData(KindStdin, nil); err != nil {
			t.Errorf("no bytes: %v", err)
		}
	})
}

// TestConnRefusesTurns that the other end has not.
func TestConnRefusesTurns(t *testing.T) {
	t.Parallel()
	for role, frame := range map[Role][]byte{
		Requester: appendFrame(nil, KindStdout, []byte("x")),
		Node:      must(AppendMessage(nil, Cancel{})),
	} {
		t.Run(role.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, other := oneEnd(role)
				defer c.Reset()
				go func() { _, _ = other.Write(frame) }()
				_, err := drain(c)
				if b, ok := errors.AsType[*BreachError](err); !ok || b.Rule != RuleTurn {
					t.Errorf("%v, want a breach of %s", err, RuleTurn)
				}
			})
		})
	}
}
