package network

import (
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// Ready is closed once the routing table has its first peer. Lookups before that
// find nothing.
func (h *Host) Ready() <-chan struct{} { return h.ready }

// TableSize returns how many peers the routing table has.
func (h *Host) TableSize() int {
	d := h.dht.Load()
	if d == nil {
		return 0
	}
	return d.RoutingTable().Size()
}

// Changed has a value after own addresses, relay reservations or the routing
// table changed: a reason to announce oneself anew. Changes add up to one value.
func (h *Host) Changed() <-chan struct{} { return h.changed }

// Found tells of peers that the host got to know by itself, without the DHT:
// contacts that answered and neighbours. Each comes once. Peers beyond 256 that
// nobody takes are not told of.
func (h *Host) Found() <-chan peer.AddrInfo { return h.found }

// LocalAddrs returns the addresses at which programs on this machine reach the
// host: direct ones, loopback among them.
func (h *Host) LocalAddrs() []ma.Multiaddr {
	addrs, err := h.Network().InterfaceListenAddresses()
	if err != nil {
		return h.Addrs()
	}
	addrs = append(addrs, h.Addrs()...)
	return slices.DeleteFunc(ma.Unique(addrs), func(a ma.Multiaddr) bool { return !isIP(a) || isRelayed(a) })
}

// lentAddrs returns the addresses of the host that a router lends it: direct ones
// that none of its interfaces has.
func (h *Host) lentAddrs() []ma.Multiaddr {
	own, err := h.Network().InterfaceListenAddresses()
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(h.Addrs()), func(a ma.Multiaddr) bool {
		return !isIP(a) || isRelayed(a) || slices.ContainsFunc(own,
			func(o ma.Multiaddr) bool { return o[0].Equal(&a[0]) })
	})
}

// Reachability returns whether others can dial this host, as far as known.
func (h *Host) Reachability() Reachability {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reachability
}

// Relays returns the relays that hold a place for this host.
func (h *Host) Relays() []peer.ID {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.relays)
}

// Punchable waits until the host can take part in hole punching, at most 3 s:
// it cannot before a peer told it its public address, and then never tries again
// with a peer that asked too early.
func (h *Host) Punchable(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, punchableWait)
	defer cancel()
	select {
	case <-h.punching:
	case <-ctx.Done():
	}
}

// punchableWait is how long Punchable waits; libp2p looks every 250 ms at first.
const punchableWait = 3 * time.Second
