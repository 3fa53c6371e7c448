package main

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/rogpeppe/go-internal/testscript"

	"plasm/lib/capability"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
)

// fakeNodesKey is where a script keeps its fake nodes.
type fakeNodesKey struct{}

// fakeNodes are the nodes that a script has started, all in this process and on
// loopback.
type fakeNodes struct {
	first []peer.AddrInfo // whom the others begin with
	ends  []func()
}

func (v *fakeNodes) close() {
	for _, end := range v.ends {
		end()
	}
}

// node NAME [FIELD=VALUE…] starts a node, which has joined the others and is
// announced when the command returns, and sets NAME to its address and NAME_ID to
// its peer ID. The fields are arch, os, engine, memory, cores, free, guards,
// network (a key file), and behaves: see misbehave.
func node(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: node NAME [FIELD=VALUE...]")
	}
	v, ok := ts.Value(fakeNodesKey{}).(*fakeNodes)
	if !ok {
		ts.Fatalf("no fakeNodes")
	}
	doc := job.Node{
		Version: "test", OS: "linux", Arch: "amd64", CPUCores: 4, MemoryMB: 1024,
		Engines: []job.NodeEngine{{Name: "wazero", Version: "v1"}},
		Slots:   job.Slots{Total: 4, Free: 4},
		Limits:  job.NodeLimits{MemoryMB: 1024, TimeoutMS: 1000, ModuleBytes: 1, InputBytes: 1, OutputBytes: 1},
	}
	cfg := network.Config{Server: true, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Bootstrap: v.first}
	var behaviour string
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "behaves":
			behaviour = value
		case "network":
			key, err := network.ReadNetworkKey([]byte(ts.ReadFile(value)))
			ts.Check(err)
			cfg.NetworkKey = key
		default:
			ts.Check(describe(&doc, name, value))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	h, err := network.Start(ctx, cfg)
	ts.Check(err)
	v.ends = append(v.ends, func() { _ = h.Close() })
	if behaviour == "" {
		s := capability.Serve(h, func() job.Node { return doc }, nil)
		v.ends = append([]func(){s.Close}, v.ends...)
	} else {
		h.SetStreamHandler(capability.Protocol, v.misbehave(behaviour, doc))
	}
	addr := h.Addrs()[0].String() + "/p2p/" + h.ID().String()
	ts.Setenv(args[0], addr)
	ts.Setenv(args[0]+"_ID", h.ID().String())
	if v.first == nil {
		v.first, err = network.ParseAddrs([]string{addr})
		ts.Check(err)
		_ = provide(ctx, h, &doc) // nobody is there to tell; it is kept for who asks
		return
	}
	select {
	case <-h.Ready():
	case <-ctx.Done():
		ts.Fatalf("%s has not joined the others", args[0])
	}
	ts.Check(provide(ctx, h, &doc))
}

func provide(ctx context.Context, h *network.Host, doc *job.Node) error {
	for _, key := range capability.Keys(doc) {
		if err := h.Provide(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// describe sets one field of a node document.
func describe(n *job.Node, name, value string) (err error) {
	switch name {
	case "arch":
		n.Arch = value
	case "os":
		n.OS = value
	case "engine":
		n.Engines[0].Name = value
	case "guards":
		n.Guards = strings.Split(value, ",")
	case "memory":
		n.Limits.MemoryMB, err = strconv.ParseInt(value, 10, 64)
		n.MemoryMB = n.Limits.MemoryMB
	case "cores":
		n.CPUCores, err = strconv.ParseInt(value, 10, 64)
	case "free":
		n.Slots.Free, err = strconv.ParseInt(value, 10, 64)
	}
	return err
}

// misbehave returns how a peer answers that does not do what it should: it is
// silent, sends garbage, sends without end, hangs up, or speaks in another's name.
func (v *fakeNodes) misbehave(how string, doc job.Node) p2p.StreamHandler {
	over := make(chan struct{})
	v.ends = append([]func(){func() { close(over) }}, v.ends...)
	return func(s p2p.Stream) {
		defer func() { _ = s.Reset() }()
		switch how {
		case "silent":
			<-over
		case "garbage":
			_, _ = s.Write([]byte("{\"peer_id\":\x00\x1b[2J"))
			_ = s.Close()
		case "huge":
			_, _ = io.CopyN(s, endless{}, 1<<30)
		case "another":
			other := identity.Generate()
			doc.PeerID = other.PeerID()
			_, _ = io.Copy(s, bytes.NewReader(doc.Encode()))
			_ = s.Close()
		}
	}
}

// endless is white space without end: a document might still begin behind it.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
