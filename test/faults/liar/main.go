// Command liar is a node for tests that lies, or falls silent.
//
//	liar ADDR KIND
//
// It listens at the multiaddress ADDR, and writes its address, which ends in
// /p2p/ID. Its program turns round its input. What each KIND does says kinds; with
// replay the first job is answered honestly, and every later one with the receipt
// of the first.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"

	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/lib/receipt"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "liar: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) != 2 || kinds()[args[1]] == nil {
		return errors.New("usage: liar ADDR KIND")
	}
	l := &liar{key: identity.Generate(), lies: kinds()[args[1]], stderr: stderr}
	h, err := network.Start(ctx, network.Config{Key: l.key.Private(), Listen: args[:1], Server: true})
	if err != nil {
		return err
	}
	h.SetStreamHandler(wire.Protocol, l.serve)
	if _, err := fmt.Fprintf(stdout, "%s/p2p/%s\n", args[0], l.key.PeerID()); err != nil {
		return err
	}
	<-ctx.Done()
	return h.Close()
}

// liar is the node.
type liar struct {
	key    *identity.Key
	lies   func(*session)
	stderr io.Writer // where offers are told of

	mu    sync.Mutex
	first []byte // envelope of the first job
}

// session is one offer.
type session struct {
	l        *liar
	stream   *valve
	conn     *wire.Conn
	offer    *wire.Offer
	manifest *job.Manifest
	stdin    []byte
	stdout   []byte
}

// valve is a stream on which a Conn can be made to say no more, not even a ping.
type valve struct {
	p2p.Stream
	mu   sync.Mutex
	shut bool
}

func (v *valve) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.shut {
		return len(p), nil
	}
	return v.Stream.Write(p)
}

func (v *valve) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.shut = true
}

// serve reads an offer and lies about it.
func (l *liar) serve(stream p2p.Stream) {
	v := &valve{Stream: stream}
	s := &session{l: l, stream: v, conn: wire.NewConn(v, wire.Node, wire.Config{})}
	defer s.conn.Close()
	if kind, err := s.conn.Next(); err != nil || kind != wire.KindOffer {
		return
	}
	m, err := s.conn.Message()
	if err != nil {
		return
	}
	offer, ok := m.(*wire.Offer)
	if !ok {
		return
	}
	s.offer = offer
	if s.manifest, err = offer.DecodeManifest(); err != nil {
		return
	}
	_, _ = fmt.Fprintln(l.stderr, `{"msg":"offered"}`)
	l.lies(s)
}

// start takes module and input, and starts the program.
func (s *session) start() bool {
	if s.conn.Send(&wire.Accept{Module: true, Stdin: s.offer.StdinBytes != 0}) != nil || !s.take() {
		return false
	}
	s.stdout = slices.Clone(s.stdin)
	slices.Reverse(s.stdout)
	return s.conn.Send(&wire.Started{}) == nil
}

// take reads module and input to their ends.
func (s *session) take() bool {
	module := int64(0)
	for module < s.offer.ModuleBytes || int64(len(s.stdin)) < s.offer.StdinBytes {
		kind, err := s.conn.Next()
		if err != nil || !kind.IsData() {
			return false
		}
		p, err := s.conn.Some()
		for ; len(p) > 0 && err == nil; p, err = s.conn.Some() {
			if kind == wire.KindModule {
				module += int64(len(p))
			} else {
				s.stdin = append(s.stdin, p...)
			}
		}
		if err != nil {
			return false
		}
	}
	return true
}

// statement is the truth.
func (s *session) statement() *receipt.Statement {
	code, now := uint32(0), time.Now()
	return &receipt.Statement{
		Stdout: job.Sum(s.stdout), Stderr: job.EmptyDigest, Manifest: s.manifest, Requester: s.offer.Requester,
		Outcome: &job.Outcome{
			Status: job.Exit, ExitCode: &code, StdinHash: job.Sum(s.stdin), StdinBytes: int64(len(s.stdin)),
			StdinComplete: true, StdoutBytes: int64(len(s.stdout)),
		},
		Node: receipt.Node{
			PeerID: s.l.key.PeerID(), Version: "test", OS: "linux", Arch: "amd64",
			Engine: receipt.Engine{Name: "wazero", Version: "1"}, Guards: []string{},
		},
		StartedAt: now, FinishedAt: now,
	}
}

// result sends the receipt, signed by key.
func (s *session) result(key *identity.Key, st *receipt.Statement) {
	if envelope, err := receipt.Sign(key, st); err == nil {
		_ = s.conn.Send(&wire.Result{Receipt: envelope})
	}
}

// hang says nothing more but pings, until the requester has gone.
func (s *session) hang() {
	for {
		kind, err := s.conn.Next()
		if err != nil {
			return
		}
		if kind.IsData() {
			for p, err := s.conn.Some(); len(p) > 0 && err == nil; p, err = s.conn.Some() {
				continue
			}
			continue
		}
		if _, err := s.conn.Message(); err != nil {
			return
		}
	}
}
