package serve

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/lib/receipt"
	"plasm/lib/sandbox"
	"plasm/lib/store"
	"plasm/test/bin"
)

// patience is how long a test waits for what should take a moment.
const patience = 2 * time.Minute

// setup is how a node of a test differs from the usual one.
type setup struct {
	Config
	queue  queue.Config
	store  store.Config
	limits *job.NodeLimits
	listed func(string) bool // default: everybody is
	any    bool
	key    *identity.Key
	dir    string
}

// testNode is a node with a server.
type testNode struct {
	*Server
	host  *network.Host
	key   *identity.Key
	store *store.Store
	queue *queue.Queue
	seen  *seen
	down  func()
}

func startHost(t *testing.T, key *identity.Key, server bool) *network.Host {
	t.Helper()
	cfg := network.Config{Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Server: server}
	if key != nil {
		cfg.Key = key.Private()
	}
	h, err := network.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// startNode starts a node that ends with the test.
func startNode(t *testing.T, s setup) *testNode {
	t.Helper()
	n := &testNode{key: s.key, seen: newSeen()}
	if n.key == nil {
		n.key = identity.Generate()
	}
	n.host = startHost(t, n.key, true)
	if s.store.Dir = s.dir; s.dir == "" {
		s.store.Dir = t.TempDir()
	}
	if s.listed == nil {
		s.listed = func(string) bool { return true }
	}
	s.store.Listed, s.store.Sound = s.listed, Sound(n.key)
	var err error
	if n.store, err = store.Open(s.store); err != nil {
		t.Fatal(err)
	}
	if s.queue.Slots == 0 {
		s.queue = queue.Config{Slots: 2, MemoryMB: 4096, Waiting: 4}
	}
	n.queue = queue.New(s.queue)
	limits := job.NodeLimits{
		MemoryMB: 1024, TimeoutMS: 3_600_000, ModuleBytes: 64 << 20, InputBytes: 64 << 20,
		OutputBytes: 64 << 20, TreeBytes: 64 << 20, DiskMB: 64,
	}
	if s.limits != nil {
		limits = *s.limits
	}
	cfg := s.Config
	cfg.Host, cfg.Key, cfg.Store, cfg.Queue, cfg.Observe = n.host, n.key, n.store, n.queue, n.seen
	cfg.Log = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	cfg.Node = func() job.Node {
		return job.Node{
			Arch: runtime.GOARCH, CPUCores: 4, Engines: []job.NodeEngine{{Name: "wazero", Version: "1"}},
			Limits: limits,
		}
	}
	cfg.Receipt = receipt.Node{PeerID: n.key.PeerID(), Version: "test"}
	cfg.Allow = func(id string) (bool, bool) { return s.listed(id), s.any }
	cfg.AllowLine = func(id string) string { return "plasmd allow " + id }
	if cfg.Run == nil {
		cfg.Run = realRun(t)
	}
	n.Server = New(cfg)
	n.down = sync.OnceFunc(func() {
		n.Close()
		if err := n.host.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(n.down)
	return n
}

// testWriter writes into a test's log.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(string(bytes.TrimSpace(p)))
	return len(p), nil
}

// realRun runs jobs in workers.
func realRun(t *testing.T) func(context.Context, *sandbox.Job) (*sandbox.Report, error) {
	t.Helper()
	build, err := sandbox.AskBuild(t.Context(), bin.Worker(built)[0])
	if err != nil {
		t.Fatal(err)
	}
	s := sandbox.New(sandbox.Config{Worker: bin.Worker(built), Engine: build.Engines[0], Version: build.Version})
	t.Cleanup(s.Close)
	return s.Run
}

// seen is an Observer that counts.
type seen struct {
	mu     sync.Mutex
	counts map[string]int
}

func newSeen() *seen { return &seen{counts: map[string]int{}} }

func (s *seen) add(what string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what] += n
}

func (s *seen) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[what]
}

func (s *seen) Offered(outcome string)                   { s.add("offered "+outcome, 1) }
func (s *seen) Started(time.Duration)                    { s.add("started", 1) }
func (s *seen) Ended(status job.Status, _ time.Duration) { s.add("ended "+string(status), 1) }
func (s *seen) Moved(stream string, n int)               { s.add("moved "+stream, n) }

// requester is who offers jobs, over a connection of its own.
type requester struct {
	t    *testing.T
	n    *testNode
	key  *identity.Key
	host *network.Host
}

func newRequester(t *testing.T, n *testNode, key *identity.Key) *requester {
	t.Helper()
	if key == nil {
		key = identity.Generate()
	}
	h := startHost(t, nil, false)
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.Connect(ctx, peer.AddrInfo{ID: n.host.ID(), Addrs: n.host.LocalAddrs()}); err != nil {
		t.Fatal(err)
	}
	return &requester{t: t, n: n, key: key, host: h}
}

// testJob is a job as a test asks for it.
type testJob struct {
	module   []byte
	stdin    []byte
	streamed bool
	manifest *job.Manifest
}

func newJob(module, stdin []byte) *testJob {
	m := job.NewManifest()
	m.ID, m.ModuleHash, m.StdinHash = job.NewID(), job.Sum(module), job.Sum(stdin)
	m.MemoryMB, m.OutputLimitBytes = 64, 8<<20
	return &testJob{module: module, stdin: stdin, manifest: m}
}

// asStream makes the input one that ends when it ends.
func (j *testJob) asStream() *testJob {
	j.streamed, j.manifest.StdinHash = true, ""
	return j
}

func (r *requester) offer(j *testJob) *wire.Offer {
	o := &wire.Offer{Manifest: j.manifest.Encode(), ModuleBytes: int64(len(j.module)), StdinBytes: int64(len(j.stdin))}
	if j.streamed {
		o.StdinBytes = wire.StdinUnknown
	}
	o.Sign(r.key, r.n.key.PeerID(), r.host.ID().String())
	return o
}

// stream opens a stream.
func (r *requester) stream() p2p.Stream {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	s, err := r.host.NewStream(p2p.WithAllowLimitedConn(ctx, "job"), r.n.host.ID(), wire.Protocol)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// talk is one exchange, from the requester's end.
type talk struct {
	*wire.Conn
	t      *testing.T
	j      *testJob
	giving sync.WaitGroup
	answer
}

// answer is what came of an exchange so far.
type answer struct {
	queued    []wire.Queued
	accept    *wire.Accept
	want      *wire.Want
	started   *wire.Started
	stdout    []byte
	stderr    []byte
	receipt   []byte
	rejection *job.Rejection
}

// open opens a stream and offers j.
func (r *requester) open(j *testJob) *talk { return r.openOffer(j, r.offer(j)) }

func (r *requester) openOffer(j *testJob, o *wire.Offer) *talk {
	r.t.Helper()
	c := &talk{Conn: wire.NewConn(r.stream(), wire.Requester, wire.Config{}), t: r.t, j: j}
	r.t.Cleanup(func() { c.Reset(); c.giving.Wait() })
	if err := c.Send(o); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// next takes the next frame.
func (c *talk) next() (wire.Kind, error) {
	kind, err := c.Next()
	if err != nil {
		return 0, err
	}
	if kind.IsData() {
		for {
			p, err := c.Some()
			if err != nil || len(p) == 0 {
				return kind, err
			}
			if kind == wire.KindStdout {
				c.stdout = append(c.stdout, p...)
			} else {
				c.stderr = append(c.stderr, p...)
			}
		}
	}
	m, err := c.Message()
	switch m := m.(type) {
	case *wire.Queued:
		c.queued = append(c.queued, *m)
	case *wire.Accept:
		c.accept = m
	case *wire.Want:
		c.want = m
	case *wire.Started:
		c.started = m
	case *wire.Result:
		c.receipt = m.Receipt
	case *wire.Reject:
		c.rejection = &m.Rejection
	}
	return kind, err
}

// until takes frames until one of a kind has come.
func (c *talk) until(kind wire.Kind) *talk {
	c.t.Helper()
	for {
		switch got, err := c.next(); {
		case err != nil:
			c.t.Fatalf("waiting for %v: %v (rejection %+v)", kind, err, c.rejection)
		case got == kind:
			return c
		case c.rejection != nil || c.receipt != nil:
			c.t.Fatalf("waiting for %v: %v came: %+v", kind, got, c.rejection)
		}
	}
}

// give begins to send what the accept asked for. That it can't says the answer.
func (c *talk) give() *talk {
	a := *c.accept
	c.giving.Go(func() {
		if a.Module && c.SendData(wire.KindModule, c.j.module) != nil {
			return
		}
		if a.Stdin && c.SendData(wire.KindStdin, c.j.stdin[a.StdinFrom:]) == nil {
			_ = c.Send(wire.StdinEnd{})
		}
	})
	return c
}

// end takes frames to the last, and the end of the stream.
func (c *talk) end() *answer {
	c.t.Helper()
	for {
		if _, err := c.next(); err != nil {
			c.Reset()
			c.giving.Wait()
			if c.receipt == nil && c.rejection == nil {
				c.t.Fatalf("no last frame: %v", err)
			}
			return &c.answer
		}
	}
}

// run has a job run, from offer to result.
func (r *requester) run(j *testJob) *answer {
	r.t.Helper()
	return r.open(j).until(wire.KindAccept).give().end()
}

// outcome verifies a receipt as a requester does, and returns its outcome.
func (r *requester) outcome(j *testJob, a *answer) *job.Outcome {
	r.t.Helper()
	if a.rejection != nil {
		r.t.Fatalf("rejected: %+v", a.rejection)
	}
	v, err := receipt.Verify(a.receipt, []ed25519.PublicKey{r.n.key.Public()})
	if err != nil {
		r.t.Fatal(err)
	}
	switch {
	case v.Requester != r.key.PeerID(), !v.Manifest.Equal(j.manifest):
		r.t.Errorf("a receipt for another job: %+v", v.Statement)
	case v.Stdout != job.Sum(a.stdout), v.Stderr != job.Sum(a.stderr):
		r.t.Errorf("a receipt for other output than %q and %q", a.stdout, a.stderr)
	}
	return v.Outcome
}

// rejected checks that an exchange ended in a rejection.
func (a *answer) rejected(t *testing.T, codes ...job.RejectCode) {
	t.Helper()
	if a.rejection == nil || !slices.Contains(codes, a.rejection.Code) {
		t.Fatalf("rejection %+v, want one of %v", a.rejection, codes)
	}
}
