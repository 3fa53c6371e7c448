package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/rogpeppe/go-internal/testscript"

	"plasm/lib/capability"
	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/lib/receipt"
)

// fakeNodesKey is where a script keeps its fake nodes.
type fakeNodesKey struct{}

// fakeNodes are the nodes that a script has started, all in this process and on
// loopback.
type fakeNodes struct {
	first []peer.AddrInfo // whom the others begin with
	nodes map[string]*fakeNode
	ends  []func()
}

func (v *fakeNodes) close() {
	for _, end := range v.ends {
		end()
	}
}

// fakeNode is a node that turns round its input, and writes its arguments to
// stderr.
type fakeNode struct {
	key     *identity.Key
	behaves string // how else: reject=CODE, forges, exit=N, waits, traps=FUNCTION,…
	mu      sync.Mutex
	offers  int
}

// node NAME [FIELD=VALUE…] starts a node that is announced when the command
// returns, and sets NAME to its address, NAME_ID to its peer ID, and NAME_NODE to
// the line that plasm-discover would print. The fields are memory, free, and
// behaves: reject=CODE, forges, exit=N, waits, traps=FUNCTION,….
func node(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: node NAME [FIELD=VALUE...]")
	}
	v, ok := ts.Value(fakeNodesKey{}).(*fakeNodes)
	if !ok {
		ts.Fatalf("no fakeNodes")
	}
	n := &fakeNode{key: identity.Generate()}
	doc := job.Node{
		Version: "test", OS: "linux", Arch: "amd64", CPUCores: 4, MemoryMB: 1024,
		Engines: []job.NodeEngine{{Name: "wazero", Version: "v1"}}, Guards: []string{"process"},
		Slots: job.Slots{Total: 4, Free: 4},
		Limits: job.NodeLimits{
			MemoryMB: 1024, TimeoutMS: job.MaxTimeout, ModuleBytes: 1 << 30, InputBytes: 1 << 30,
			OutputBytes: 1 << 30,
		},
	}
	for _, arg := range args[1:] {
		field, value, _ := strings.Cut(arg, "=")
		var err error
		switch field {
		case "memory":
			doc.Limits.MemoryMB, err = strconv.ParseInt(value, 10, 64)
			doc.MemoryMB = doc.Limits.MemoryMB
		case "free":
			doc.Slots.Free, err = strconv.ParseInt(value, 10, 64)
		case "behaves":
			n.behaves = value
		}
		ts.Check(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	h, err := network.Start(ctx, network.Config{
		Server: true, Key: n.key.Private(), Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Bootstrap: v.first,
	})
	ts.Check(err)
	h.SetStreamHandler(wire.Protocol, n.serve)
	addr := h.Addrs()[0].String() + "/p2p/" + h.ID().String()
	doc.PeerID, doc.Addrs, doc.RTTUS = h.ID().String(), []string{addr}, 1000 // before anyone can ask
	s := capability.Serve(h, func() job.Node { return doc }, nil)
	v.ends = append([]func(){s.Close}, append(v.ends, func() { _ = h.Close() })...)
	ts.Setenv(args[0], addr)
	ts.Setenv(args[0]+"_ID", doc.PeerID)
	ts.Setenv(args[0]+"_NODE", string(doc.Encode()))
	if v.nodes == nil {
		v.nodes = map[string]*fakeNode{}
	}
	v.nodes[args[0]] = n
	if v.first == nil {
		v.first, err = network.ParseAddrs([]string{addr})
		ts.Check(err)
	} else {
		select {
		case <-h.Ready():
		case <-ctx.Done():
			ts.Fatalf("%s has not joined the others", args[0])
		}
	}
	for _, key := range capability.Keys(&doc) {
		_ = h.Provide(ctx, key) // of the first node there is nobody to tell; it is kept for who asks
	}
}

// offers NAME N checks how many offers a node has got.
func offers(ts *testscript.TestScript, neg bool, args []string) {
	v, ok := ts.Value(fakeNodesKey{}).(*fakeNodes)
	if neg || !ok || len(args) != 2 {
		ts.Fatalf("usage: offers NAME N")
	}
	n := v.nodes[args[0]]
	n.mu.Lock()
	defer n.mu.Unlock()
	if strconv.Itoa(n.offers) != args[1] {
		ts.Fatalf("%s has got %d offers, want %s", args[0], n.offers, args[1])
	}
}

func (n *fakeNode) serve(s p2p.Stream) {
	c := wire.NewConn(s, wire.Node, wire.Config{})
	defer c.Close()
	if kind, err := c.Next(); err != nil || kind != wire.KindOffer {
		return
	}
	m, err := c.Message()
	offer, ok := m.(*wire.Offer)
	if err != nil || !ok || offer.Verify(n.key.PeerID(), s.Conn().RemotePeer().String()) != nil {
		return
	}
	n.mu.Lock()
	n.offers++
	n.mu.Unlock()
	how, value, _ := strings.Cut(n.behaves, "=")
	if how == "reject" {
		_ = c.Send(&wire.Reject{Rejection: job.Rejection{
			Code: job.RejectCode(value), Message: "run on the node: plasmd allow " + offer.Requester,
		}})
		return
	}
	manifest, err := offer.DecodeManifest()
	if err != nil {
		return
	}
	accept := &wire.Accept{Module: true, Stdin: offer.StdinBytes != 0}
	if offer.Detach {
		accept.State, accept.KeepMS = wire.Waiting, 1000
	}
	_ = c.Send(accept)
	var stdin []byte
	if stdin, err = takeAll(c, offer); err != nil {
		return
	}
	_ = c.Send(&wire.Started{})
	if how == "waits" {
		for kind, err := c.Next(); err == nil && kind != wire.KindCancel; kind, err = c.Next() {
		}
		return
	}
	n.finish(c, offer, manifest, stdin, how, value)
}

// takeAll takes module and input.
func takeAll(c *wire.Conn, offer *wire.Offer) (stdin []byte, err error) {
	for left := offer.ModuleBytes; ; {
		if left == 0 && offer.StdinBytes == 0 {
			return nil, nil
		}
		kind, err := c.Next()
		if err != nil || kind == wire.KindStdinEnd {
			return stdin, err
		}
		for p, err := c.Some(); len(p) > 0; p, err = c.Some() {
			if err != nil {
				return nil, err
			}
			if kind == wire.KindModule {
				left -= int64(len(p))
			} else {
				stdin = append(stdin, p...)
			}
		}
	}
}

// finish writes output and receipt.
func (n *fakeNode) finish(c *wire.Conn, offer *wire.Offer, m *job.Manifest, stdin []byte, how, value string) {
	stdout := bytes.Clone(stdin)
	slices.Reverse(stdout)
	stderr := []byte(strings.Join(m.Args, " "))
	_ = c.SendData(wire.KindStdout, stdout)
	_ = c.SendData(wire.KindStderr, stderr)
	code := uint64(0)
	if how == "exit" {
		code, _ = strconv.ParseUint(value, 10, 32)
	}
	if how == "forges" {
		stdout = append(stdout, "!"...)
	}
	exit := uint32(code)
	outcome := &job.Outcome{
		Status: job.Exit, ExitCode: &exit, StdinHash: job.Sum(stdin), StdinBytes: int64(len(stdin)),
		StdinComplete: true,
		StdoutBytes:   int64(len(stdout)), StderrBytes: int64(len(stderr)),
	}
	if how == "traps" {
		outcome.Status, outcome.ExitCode, outcome.Trap = job.Trap, nil, job.TrapUnreachable
		_ = c.Send(&wire.Trace{Functions: strings.Split(value, ",")})
	}
	envelope, err := receipt.Sign(n.key, &receipt.Statement{
		Stdout: job.Sum(stdout), Stderr: job.Sum(stderr), Manifest: m, Requester: offer.Requester,
		Outcome: outcome,
		Node: receipt.Node{
			PeerID: n.key.PeerID(), Version: "test", OS: "linux", Arch: "amd64",
			Engine: receipt.Engine{Name: "wazero", Version: "v1"}, Guards: []string{"process"},
		},
		StartedAt: time.Now(), FinishedAt: time.Now(),
	})
	if err != nil {
		panic(fmt.Sprint("receipt: ", err))
	}
	_ = c.Send(&wire.Result{Receipt: envelope})
}
