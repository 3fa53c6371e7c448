package network

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p-kad-dht/records"
	kbucket "github.com/libp2p/go-libp2p-kbucket"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// dhtPrefix begins the DHT's protocol IDs and keeps it apart from others;
// dhtProtocol is the one that comes of it.
const (
	dhtPrefix   = "/plasm"
	dhtProtocol = dhtPrefix + "/kad/1.0.0"
)

// recordValidity is how long a provider record counts. Records are announced
// anew at least twice in that time; those of nodes that are gone end after it.
const recordValidity = 24 * time.Hour

// ErrNoPeers is what Provide returns while the routing table is empty. The
// record is kept here all the same: whoever asks this host gets it.
var ErrNoPeers = errors.New("no peers in the routing table")

// newDHT makes the DHT on h and has added called, without blocking, with each
// peer that enters its routing table.
func newDHT(h host.Host, server bool, added func(peer.ID)) (*dht.IpfsDHT, error) {
	// Nobody knows yet whether a server can be reached: until somebody does, it
	// serves. In a network without public addresses nobody ever will.
	mode := dht.ModeAutoServer
	if !server {
		mode = dht.ModeClient
	}
	d, err := dht.New(
		questions{h},
		dht.ProtocolPrefix(dhtPrefix),
		dht.Mode(mode),
		dht.DisableValues(),
		dht.ProviderDatastore(newRecordStore(h.ID())),
		dht.ProviderManagerOpts(records.ProvideValidity(recordValidity), records.ProviderAddrTTL(recordValidity)),
		dht.AddressFilter(announceable),
	)
	if err != nil {
		return nil, fmt.Errorf("the DHT: %w", err)
	}
	table := d.RoutingTable()
	previous := table.PeerAdded // tags the peer for the connection manager
	table.PeerAdded = func(p peer.ID) {
		previous(p)
		added(p) // with the table locked
	}
	return d, nil
}

// FindPeer asks the network where a peer is. libp2p does so for a peer of which it
// has no address, or none that answers; a host of DialOnly joins for it.
func (h *Host) FindPeer(ctx context.Context, id peer.ID) (peer.AddrInfo, error) {
	if h.dht.Load() == nil {
		if err := h.Join(ctx); err != nil {
			return peer.AddrInfo{}, err
		}
		h.awaitFirst(ctx)
	}
	return h.dht.Load().FindPeer(ctx, id)
}

// announceable leaves out loopback addresses when there are others: they mean
// another machine to everybody but ourselves.
func announceable(addrs []ma.Multiaddr) []ma.Multiaddr {
	others := make([]ma.Multiaddr, 0, len(addrs))
	for _, addr := range addrs {
		if !manet.IsIPLoopback(addr) {
			others = append(others, addr)
		}
	}
	if len(others) == 0 {
		return addrs
	}
	return others
}

// Provide announces the host for key to the peers nearest to it. It returns
// ErrNoPeers while the routing table is empty; the record is kept locally in any
// case. nil does not mean that anybody stored it: peers that fail are not told of.
func (h *Host) Provide(ctx context.Context, key Key) error {
	id, err := key.CID()
	if err != nil {
		return err
	}
	if err := h.Join(ctx); err != nil {
		return err
	}
	err = h.dht.Load().Provide(ctx, id, true)
	if errors.Is(err, kbucket.ErrLookupFailure) {
		return ErrNoPeers
	}
	return err
}

// Providers looks up who announced itself for key, and sends each peer once, as
// it is found, with at most 16 addresses; the host itself is not among them. The
// channel is closed when the lookup is through or ctx ends; it must be drained,
// or ctx be ended. With an empty routing table only what is kept here is found.
func (h *Host) Providers(ctx context.Context, key Key) <-chan peer.AddrInfo {
	out := make(chan peer.AddrInfo)
	id, err := key.CID()
	if err != nil || h.Join(ctx) != nil || !h.begin() {
		close(out)
		return out
	}
	lookup, cancel := h.joined(ctx)
	go func() {
		defer h.running.Done()
		defer cancel()
		defer close(out)
		h.forward(lookup, h.dht.Load().FindProvidersAsync(lookup, id, 0), out)
	}()
	return out
}

// forward sends each peer of in once. A peer may come first without addresses,
// and then again with some; one whose addresses never come is sent at the end.
func (h *Host) forward(ctx context.Context, in <-chan peer.AddrInfo, out chan<- peer.AddrInfo) {
	told := make(map[peer.ID]bool)
	var bare []peer.ID
	send := func(info peer.AddrInfo) {
		told[info.ID] = true
		select {
		case out <- info:
		case <-ctx.Done():
		}
	}
	for info := range in {
		if info.ID == h.ID() || told[info.ID] || len(told)+len(bare) >= maxProviders {
			continue
		}
		info.Addrs = dialable(info.Addrs)
		if len(info.Addrs) == 0 {
			info.Addrs = dialable(h.Peerstore().Addrs(info.ID))
		}
		if len(info.Addrs) == 0 {
			bare = append(bare, info.ID)
			continue
		}
		send(info)
	}
	for _, id := range bare {
		if !told[id] {
			send(peer.AddrInfo{ID: id})
		}
	}
}

// dialable keeps of addresses that strangers sent those that a host of ours may
// have: IP addresses and names, with TCP or QUIC, direct or through a relay. No
// other part of a multiaddress can carry text, so what is left is safe to print.
func dialable(addrs []ma.Multiaddr) []ma.Multiaddr {
	kept := make([]ma.Multiaddr, 0, min(len(addrs), maxProviderAddrs))
	for _, addr := range addrs {
		if len(kept) == maxProviderAddrs {
			break
		}
		if isDialable(addr) {
			kept = append(kept, addr)
		}
	}
	return kept
}

// isDialable reports whether every part of addr is of a kind that we use.
func isDialable(addr ma.Multiaddr) bool {
	kinds := []int{
		ma.P_IP4, ma.P_IP6, ma.P_DNS, ma.P_DNS4, ma.P_DNS6, ma.P_TCP, ma.P_UDP, ma.P_QUIC_V1, ma.P_P2P, ma.P_CIRCUIT,
	}
	for _, part := range addr {
		if !slices.Contains(kinds, part.Protocol().Code) || !isPlain(part.Value()) {
			return false
		}
	}
	return len(addr) > 0
}

// isPlain reports whether s, a value within a multiaddress, has nothing in it
// but what addresses, names and peer IDs are made of.
func isPlain(s string) bool {
	for _, r := range s {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == ':' ||
			r == '-' || r == '_'
		if !plain {
			return false
		}
	}
	return true
}
