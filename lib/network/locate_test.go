package network

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// A peer is reached by its ID alone, and where it is not at its address any more.
func TestReachElsewhere(t *testing.T) {
	t.Parallel()
	first := start(t, Config{Listen: loopback(), Server: true})
	moved := start(t, Config{Listen: loopback(), Server: true, Bootstrap: at(first)})
	wait(t, "the first's table", first.Ready())
	for name, addrs := range map[string][]ma.Multiaddr{"no address": nil, "an old address": {deadEnd(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, Config{Listen: loopback(), Bootstrap: at(first)})
			if err := h.Reach(patiently(t), peer.AddrInfo{ID: moved.ID(), Addrs: addrs}); err != nil {
				t.Fatal(err)
			}
			if h.Network().Connectedness(moved.ID()) != network.Connected {
				t.Error("not connected")
			}
		})
	}
}

// Of a peer that nobody knows the error says so.
func TestReachNobody(t *testing.T) {
	t.Parallel()
	first := start(t, Config{Listen: loopback(), Server: true})
	h := start(t, Config{Listen: loopback(), Bootstrap: at(first)})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := h.Reach(ctx, peer.AddrInfo{ID: somebody(t)}); !errors.Is(err, ErrNoAddress) {
		t.Errorf("%v", err)
	}
}
