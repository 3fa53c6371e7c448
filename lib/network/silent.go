package network

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// How a peer is looked for whose connection is silent.
const (
	silentDials = 16 // addresses that are tried
	// for a word over the old connection, once the peer has answered over a new one
	silentGrace = 500 * time.Millisecond
)

// CloseSilent looks for the peer of a connection over which nothing comes, at addrs and
// wherever it is known to be, also to neighbours; a host of DialOnly joins for that. When
// the peer answers somewhere by a connection of its own, the silent one is of no more
// use: it is closed, and the result is true. The new one is not kept. It looks until ctx
// ends, which the caller ends when something comes after all.
func (h *Host) CloseSilent(ctx context.Context, conn network.Conn, addrs []ma.Multiaddr) bool {
	if !h.begin() {
		return false
	}
	defer h.running.Done()
	ctx, cancel := h.joined(ctx)
	var dialling sync.WaitGroup
	defer dialling.Wait()
	defer cancel()
	dialling.Go(func() { _ = h.Join(ctx) }) // where that fails, what is known has to do
	answered := make(chan struct{}, silentDials)
	var tried []ma.Multiaddr
	look := time.NewTicker(lookForAddrs)
	defer look.Stop()
	for {
		for _, addr := range h.whereabouts(conn.RemotePeer(), addrs) {
			if len(tried) < silentDials && !ma.Contains(tried, addr) {
				tried = append(tried, addr)
				dialling.Go(func() {
					if h.answersAt(ctx, conn.RemotePeer(), addr) {
						answered <- struct{}{}
					}
				})
			}
		}
		select {
		case <-ctx.Done():
			return false
		case <-answered:
			return h.closeAfterGrace(ctx, conn)
		case <-look.C:
		}
	}
}

// closeAfterGrace closes a connection, unless ctx ends a moment later: a peer that was
// too busy to say anything for a while can do so now.
func (h *Host) closeAfterGrace(ctx context.Context, conn network.Conn) bool {
	grace := time.NewTimer(silentGrace)
	defer grace.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-grace.C:
	}
	h.log.Debug("a silent connection is closed: its peer answers on another one", "peer", conn.RemotePeer().String(),
		"addr", conn.RemoteMultiaddr())
	_ = conn.Close()
	return true
}

// whereabouts returns the addresses at which a peer may be dialled directly: addrs, and
// those that are known of it.
func (h *Host) whereabouts(id peer.ID, addrs []ma.Multiaddr) []ma.Multiaddr {
	var all []ma.Multiaddr
	h.mu.Lock()
	for _, c := range h.contacts {
		if c.Info.ID == id { // one that is connected is not dialled, and its addresses are only here
			all = append(all, c.Info.Addrs...)
		}
	}
	h.mu.Unlock()
	all = append(append(all, addrs...), h.Peerstore().Addrs(id)...)
	return ma.Unique(slices.DeleteFunc(all, func(a ma.Multiaddr) bool { return !isDialable(a) || isRelayed(a) }))
}

// answersAt reports whether a peer proves its ID at an address, on a connection that ends
// with that.
func (h *Host) answersAt(ctx context.Context, id peer.ID, addr ma.Multiaddr) bool {
	conn, err := h.dialBeside(ctx, id, addr)
	if err != nil {
		return false
	}
	_ = conn.Close() // the answer is all that it was for
	return true
}
