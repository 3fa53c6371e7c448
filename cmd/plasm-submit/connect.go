package main

import (
	"context"
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/network"
)

// connect begins to connect to the nodes of --peer, which are trusted, while the
// job is read and hashed: nothing of it is needed for that. What does not work is
// found out, and said, when the job is offered. What it returns waits for the end.
func connect(ctx context.Context, host *network.Host, peers []peer.AddrInfo) (wait func()) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, p := range peers {
		all.Go(func() { _ = host.Reach(ctx, p) })
	}
	return func() { cancel(); all.Wait() }
}

// reachable reports whether the nodes of --peer are all that is needed to reach them.
func reachable(peers []peer.AddrInfo) bool {
	return len(peers) > 0 && !slices.ContainsFunc(peers, func(p peer.AddrInfo) bool { return !direct(p) })
}

// direct reports whether a peer has addresses, and none of them leads over a relay.
func direct(p peer.AddrInfo) bool {
	return len(p.Addrs) > 0 && !slices.ContainsFunc(p.Addrs, relayed)
}

func relayed(a ma.Multiaddr) bool {
	_, err := a.ValueForProtocol(ma.P_CIRCUIT)
	return err == nil
}
