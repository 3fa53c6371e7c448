package submit

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/lib/receipt"
)

// startHost starts a host that ends with the test: on loopback, or where time is virtual
// on a network that is.
func startHost(t *testing.T, cfg network.Config) *network.Host {
	t.Helper()
	if s := simulationOf(t); s != nil {
		s.settle(&cfg)
	}
	if cfg.Listen == nil {
		cfg.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
	}
	h, err := network.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// fakeNode is a node of the tests' own: it runs no program, and does what its
// test wants. Its program writes "stdout of " and the input to stdout, and
// "stderr" to stderr.
type fakeNode struct {
	t    *testing.T
	key  *identity.Key
	host host.Host
	does func(*session)

	mu       sync.Mutex
	offers   []*wire.Offer
	modules  map[job.Digest]bool
	sessions sync.WaitGroup
	over     chan struct{} // closed when the test ends
	timing   wire.Config

	ready, cancelled chan struct{} // for what a test wants to wait for
}

// node starts a node that does that with each stream.
func node(t *testing.T, does func(*session), options ...libp2p.Option) *fakeNode {
	t.Helper()
	n := &fakeNode{
		t: t, key: identity.Generate(), does: does, modules: map[job.Digest]bool{}, timing: timing(t),
		over: make(chan struct{}), ready: make(chan struct{}), cancelled: make(chan struct{}),
	}
	n.host = n.start(options)
	n.host.SetStreamHandler(wire.Protocol, n.serve)
	t.Cleanup(func() {
		close(n.over)
		_ = n.host.Close()
		n.sessions.Wait()
	})
	return n
}

// start starts the node's host: one that has these options and no others, if there
// are some.
func (n *fakeNode) start(options []libp2p.Option) host.Host {
	n.t.Helper()
	if len(options) == 0 {
		return startHost(n.t, network.Config{Key: n.key.Private(), Server: true})
	}
	key, err := crypto.UnmarshalEd25519PrivateKey(n.key.Private())
	if err != nil {
		n.t.Fatal(err)
	}
	h, err := libp2p.New(append(options, libp2p.Identity(key), libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"))...)
	if err != nil {
		n.t.Fatal(err)
	}
	return h
}

func (n *fakeNode) serve(stream p2p.Stream) {
	n.sessions.Add(1)
	defer n.sessions.Done()
	v := &valve{Stream: stream}
	s := &session{n: n, stream: v, far: stream.Conn().RemotePeer().String(), conn: wire.NewConn(v, wire.Node, n.timing)}
	defer s.conn.Close()
	if kind, err := s.conn.Next(); err != nil || kind != wire.KindOffer {
		return
	}
	m, err := s.conn.Message()
	if err != nil {
		return
	}
	s.offer, _ = m.(*wire.Offer)
	if err := s.offer.Verify(n.key.PeerID(), s.far); err != nil {
		n.t.Errorf("offer: %v", err)
	}
	if s.manifest, err = s.offer.DecodeManifest(); err != nil {
		n.t.Errorf("offer: %v", err)
		return
	}
	n.mu.Lock()
	n.offers = append(n.offers, s.offer)
	s.number = len(n.offers)
	n.mu.Unlock()
	n.does(s)
}

func (n *fakeNode) offered() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.offers)
}

// candidate is the node as somebody proposes it, with that many free slots.
func (n *fakeNode) candidate(free int64) Candidate {
	return Candidate{Info: n.info(), Node: n.document(free)}
}

func (n *fakeNode) info() peer.AddrInfo {
	return peer.AddrInfo{ID: n.host.ID(), Addrs: n.host.Addrs()}
}

func (n *fakeNode) document(free int64) *job.Node {
	return &job.Node{
		PeerID: n.key.PeerID(), Version: "test", OS: "linux", Arch: "amd64", CPUCores: 1, MemoryMB: 4096,
		Engines: []job.NodeEngine{{Name: "wazero", Version: "1"}}, Slots: job.Slots{Total: 16, Free: free},
		Limits: job.NodeLimits{
			MemoryMB: 4096, TimeoutMS: job.MaxTimeout, ModuleBytes: 1 << 30, InputBytes: 1 << 30, OutputBytes: 1 << 30,
		},
	}
}

// session is one stream at a fake node.
type session struct {
	n        *fakeNode
	stream   *valve
	conn     *wire.Conn
	far      string
	number   int // of the offer at this node
	offer    *wire.Offer
	manifest *job.Manifest
	stdin    bytes.Buffer
	stdout   []byte
	stderr   []byte
}

// valve is a stream on which a Conn can be made to say no more.
type valve struct {
	p2p.Stream
	shut atomic.Bool
}

func (v *valve) Write(p []byte) (int, error) {
	if v.shut.Load() {
		return len(p), nil
	}
	return v.Stream.Write(p)
}

func (s *session) send(m wire.Message) {
	_ = s.conn.Send(m) // a requester that left is a case of the tests'
}

func (s *session) reject(code job.RejectCode, retryAfter time.Duration) {
	s.send(&wire.Reject{Rejection: job.Rejection{
		Code: code, Message: "says no",
		RetryAfterMS: retryAfter.Milliseconds(),
	}})
}

// accept asks for what is missing and takes it. It reports whether all has come.
func (s *session) accept() bool {
	s.n.mu.Lock()
	a := &wire.Accept{Module: !s.n.modules[s.manifest.ModuleHash], Stdin: s.offer.StdinBytes != 0}
	s.n.modules[s.manifest.ModuleHash] = true
	s.n.mu.Unlock()
	s.send(a)
	return s.take(a)
}

// take reads module and input to their ends.
func (s *session) take(a *wire.Accept) bool {
	var module int64
	for a.Module && module < s.offer.ModuleBytes || a.Stdin {
		kind, err := s.conn.Next()
		switch {
		case err != nil:
			return false
		case kind == wire.KindModule, kind == wire.KindStdin:
			p, err := s.conn.Some()
			for ; len(p) > 0 && err == nil; p, err = s.conn.Some() {
				if kind == wire.KindModule {
					module += int64(len(p))
				} else {
					s.stdin.Write(p)
				}
			}
			if err != nil {
				return false
			}
		default:
			m, err := s.conn.Message()
			if err != nil || m.Kind() == wire.KindCancel {
				return false
			}
			a.Stdin = a.Stdin && m.Kind() != wire.KindStdinEnd
		}
	}
	return true
}

// run starts the program, and writes its output from where the offer wants it.
func (s *session) run() {
	s.send(&wire.Started{})
	s.stdout, s.stderr = append([]byte("stdout of "), s.stdin.Bytes()...), []byte("stderr")
}

func (s *session) output() {
	_ = s.conn.SendData(wire.KindStdout, s.stdout)
	_ = s.conn.SendData(wire.KindStderr, s.stderr)
}

// statement is the truth.
func (s *session) statement() *receipt.Statement {
	code := uint32(0)
	return &receipt.Statement{
		Stdout: job.Sum(s.stdout), Stderr: job.Sum(s.stderr), Manifest: s.manifest, Requester: s.offer.Requester,
		Outcome: &job.Outcome{
			Status: job.Exit, ExitCode: &code, StdinHash: job.Sum(s.stdin.Bytes()), StdinBytes: int64(s.stdin.Len()),
			StdinComplete: true, StdoutBytes: int64(len(s.stdout)), StderrBytes: int64(len(s.stderr)),
		},
		Node: receipt.Node{
			PeerID: s.n.key.PeerID(), Version: "test", OS: "linux", Arch: "amd64",
			Engine: receipt.Engine{Name: "wazero", Version: "1"}, Guards: []string{"process"},
		},
		StartedAt: time.Now(), FinishedAt: time.Now(),
	}
}

// result signs a statement and sends it.
func (s *session) result(st *receipt.Statement) { s.resultBy(s.n.key, st) }

func (s *session) resultBy(key *identity.Key, st *receipt.Statement) {
	payload, err := st.Encode()
	if err != nil {
		s.n.t.Errorf("receipt: %v", err)
	}
	s.send(&wire.Result{Receipt: envelope(key, payload)})
}

// envelope signs whatever it is given, as receipt.Sign does not.
func envelope(key *identity.Key, payload []byte) []byte {
	message := fmt.Sprintf("DSSEv1 %d %s %d %s", len(receipt.PayloadType), receipt.PayloadType, len(payload), payload)
	return fmt.Appendf(nil, `{"payload":%q,"payloadType":%q,"signatures":[{"sig":%q}]}`,
		base64.StdEncoding.EncodeToString(payload), receipt.PayloadType,
		base64.StdEncoding.EncodeToString(key.Sign([]byte(message))))
}

// hang says nothing until the requester has gone or the test is over; it pings.
func (s *session) hang() {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			if _, err := s.conn.Next(); err != nil {
				return
			}
		}
	}()
	select {
	case <-s.n.over:
		s.conn.Reset()
	case <-gone:
	}
	<-gone
}

// honest does what a node should.
func honest(s *session) {
	if s.accept() {
		s.run()
		s.output()
		s.result(s.statement())
	}
}

// fast is a protocol for the impatient.
func fast() wire.Config {
	return wire.Config{Ping: 100 * time.Millisecond, Lost: 1500 * time.Millisecond}
}

// timing is fast in virtual time. In the machine's nothing is lost for being slow.
func timing(t *testing.T) wire.Config {
	t.Helper()
	if simulationOf(t) != nil {
		return fast()
	}
	return wire.Config{Ping: fast().Ping, Lost: patience}
}

// memory is a Spool.
type memory struct{ bytes.Buffer }

func (m *memory) Reader() (io.Reader, error) { return bytes.NewReader(m.Bytes()), nil }
func (m *memory) Close() error               { return nil }

// config is a requester with a host of its own who trusts these nodes. It is impatient in
// virtual time only.
func config(t *testing.T, trusted ...*fakeNode) Config {
	t.Helper()
	cfg := Config{
		Host: startHost(t, network.Config{}), Key: identity.Generate(),
		Trusted: func(id string) bool {
			return slices.ContainsFunc(trusted, func(n *fakeNode) bool { return n.key.PeerID() == id })
		},
		Admit:   func(id string) string { return "echo " + id + " >> trust" },
		Spool:   func() Spool { return &memory{} },
		Tell:    func(id, text string) { t.Logf("%s %s", id, text) },
		Retries: 3, Wire: timing(t), Backoff: 10 * time.Millisecond,
	}
	if simulationOf(t) != nil {
		cfg.AttemptTimeout, cfg.Dial, cfg.Answer, cfg.Reattach = 4*time.Second, 5*time.Second, 3*time.Second,
			3*time.Second
		cfg.Grace, cfg.CancelWait = 2*time.Second, 3*time.Second
	} else {
		cfg.AttemptTimeout, cfg.Dial, cfg.Answer, cfg.Reattach = patience, patience, patience, patience
		cfg.Grace, cfg.CancelWait = patience, patience
	}
	return cfg
}

// newJob is a job with that input.
func newJob(stdin string) *Job {
	m := job.NewManifest()
	m.ID = job.NewID()
	module := []byte("\x00asm and more, drawn for this job: " + m.ID)
	m.ModuleHash, m.StdinHash, m.TimeoutMS = job.Sum(module), job.Sum([]byte(stdin)), 500
	return &Job{Manifest: m, Module: module, Stdin: strings.NewReader(stdin), StdinBytes: int64(len(stdin))}
}

// these proposes candidates.
func these(candidates ...Candidate) Source {
	return func(_ context.Context, found func(Candidate)) error {
		for _, c := range candidates {
			found(c)
		}
		return nil
	}
}

// deadline is a context that ends as a command's does.
func deadline(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), d, ErrDeadline)
	t.Cleanup(cancel)
	return ctx
}

// patience is how long a submission may take that should take a moment.
const patience = 2 * time.Minute

// rightly runs a job that must have a result, and returns what is wrong with that.
func rightly(ctx context.Context, cfg Config, j *Job, stdin string, source Source) (*Result, error) {
	result, err := Run(ctx, cfg, j, source)
	if err != nil {
		return nil, fmt.Errorf("no result: %w %+v", err, nodesOf(err))
	}
	stdout, err1 := io.ReadAll(result.Stdout)
	stderr, err2 := io.ReadAll(result.Stderr)
	if want := "stdout of " + stdin; string(stdout) != want || string(stderr) != "stderr" {
		err = fmt.Errorf("wrong output: %d bytes %.100q, %.100q", len(stdout), stdout, stderr)
	}
	return result, errors.Join(err, err1, err2)
}

// submitted is rightly for a test that can't go on without the result.
func submitted(t *testing.T, cfg Config, j *Job, stdin string, source Source) *Result {
	t.Helper()
	result, err := rightly(deadline(t, patience), cfg, j, stdin, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(result.Close)
	return result
}

// clearly runs a job that must have no result, and returns its error, and what is
// wrong with that.
func clearly(ctx context.Context, cfg Config, j *Job, source Source) (*job.Error, error) {
	result, err := Run(ctx, cfg, j, source)
	if err == nil {
		return nil, fmt.Errorf("a result: %+v", result.Verified.Outcome)
	}
	e, ok := errors.AsType[*job.Error](err)
	if !ok {
		return nil, fmt.Errorf("not a *job.Error: %w", err)
	}
	if _, err := job.DecodeError(job.EncodeError(e)); err != nil {
		return nil, fmt.Errorf("no error document: %w", err)
	}
	if strings.ContainsAny(e.Message+e.Hint, "\n\x1b") {
		return nil, fmt.Errorf("not one line: %q, %q", e.Message, e.Hint)
	}
	return e, nil
}

// refused is clearly for a test that can't go on without the error.
func refused(t *testing.T, cfg Config, j *Job, source Source) *job.Error {
	t.Helper()
	e, err := clearly(deadline(t, patience), cfg, j, source)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func nodesOf(err error) []job.NodeRejection {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e.Nodes
	}
	return nil
}

// TestMain looks for what should not be left when all tests are over.
func TestMain(m *testing.M) {
	code := m.Run()
	late := time.After(time.Minute)
	for left := goroutines(); left != ""; left = goroutines() {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-late:
			fmt.Fprintln(os.Stderr, "left behind:\n"+left)
			os.Exit(1)
		}
	}
	os.Exit(code)
}

// goroutines returns a stack in which this package runs something, if there is one.
func goroutines() string {
	buf := make([]byte, 8<<20)
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		for _, name := range []string{"submit.(*exchange)", "submit.(*tap)", "submit.(*placement)", "wire.(*Conn)"} {
			if strings.Contains(stack, name) {
				return stack
			}
		}
	}
	return ""
}
