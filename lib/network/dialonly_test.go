package network

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// deadEnd is an address at which nobody listens.
func deadEnd(t *testing.T) ma.Multiaddr {
	t.Helper()
	hole, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hole.Close() }()
	return ma.StringCast(tcpAddr(hole.Addr().String()))
}

// A host that is after one peer talks to that one, and remembers it for the next.
func TestDialOnly(t *testing.T) {
	t.Parallel()
	node, other := start(t, Config{Server: true}), start(t, Config{Server: true})
	file := filepath.Join(t.TempDir(), "peers")
	h := start(t, Config{DialOnly: true, Bootstrap: at(other), PeersFile: file})
	h.Contact(at(other)[0], SourceLocal)
	if err := h.Connect(patiently(t), at(node)[0]); err != nil {
		t.Fatal(err)
	}
	if addrs := h.Network().ListenAddresses(); len(addrs) > 0 {
		t.Errorf("listens at %v", addrs)
	}
	if peers := h.Network().Peers(); !slices.Equal(peers, []peer.ID{node.ID()}) {
		t.Errorf("is connected to %v", peers)
	}
	if h.TableSize() > 0 {
		t.Error("takes part in the DHT")
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), node.ID().String()) {
		t.Fatalf("remembered %q, %v", text, err)
	}
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	again := start(t, Config{DialOnly: true, PeersFile: file})
	if err := again.Connect(patiently(t), at(node)[0]); err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(file); err != nil || !os.SameFile(before, after) {
		anew, _ := os.ReadFile(file)
		t.Errorf("written anew for a peer that was in it: %v, %s in place of %s", err, anew, text)
	}
	later := start(t, Config{PeersFile: file})
	wait(t, "the remembered peer", later.Ready())
}

// A peer that isn't where it was said to be is looked for, by whoever is known.
func TestDialOnlyJoins(t *testing.T) {
	t.Parallel()
	first := start(t, Config{Server: true})
	moved := start(t, Config{Server: true, Bootstrap: at(first)})
	wait(t, "the first's table", first.Ready())
	h := start(t, Config{DialOnly: true, Bootstrap: at(first)})
	if err := h.Connect(patiently(t), peer.AddrInfo{ID: moved.ID(), Addrs: []ma.Multiaddr{deadEnd(t)}}); err != nil {
		t.Fatal(err)
	}
	if len(h.Network().ListenAddresses()) == 0 {
		t.Error("it joined and does not listen, so that nobody can punch a hole to it")
	}
}

// Asked for a key it joins, too. Where nobody is known nobody is waited for.
func TestDialOnlyAsks(t *testing.T) {
	t.Parallel()
	first := start(t, Config{Server: true})
	h := start(t, Config{DialOnly: true, Bootstrap: at(first)})
	providers(t, h, "nobody")
	if c := settled(t, h); c.State != ContactConnected {
		t.Errorf("%+v", c)
	}
	gone := peer.AddrInfo{ID: somebody(t), Addrs: []ma.Multiaddr{deadEnd(t)}}
	alone := start(t,
		Config{DialOnly: true, Bootstrap: []peer.AddrInfo{{ID: somebody(t), Addrs: []ma.Multiaddr{deadEnd(t)}}}})
	if err := alone.Connect(patiently(t), gone); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%v", err)
	}
	wait(t, "that nobody is there", alone.allFailed)
	closed := start(t, Config{DialOnly: true})
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := closed.Join(t.Context()); err == nil {
		t.Error("a closed host joined")
	}
}
