package network

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// How long a routing table stays empty beside peers that could be in it.
const (
	firstFill   = time.Second // doubled each time
	slowestFill = 30 * time.Second
	filledLook  = 10 * time.Second // at a table that has peers
	maxFill     = 16               // peers to ask at a time
)

// fillTable has the DHT ask its peers again while its routing table is empty. A peer
// enters the table when it has answered a question, which the DHT puts to it once: when
// it is identified. One that is busy at that moment is asked again two minutes later, and
// as long nothing is found or announced.
func (h *Host) fillTable(ctx context.Context) {
	changed, err := h.parts.bus.Emitter(new(event.EvtPeerProtocolsUpdated))
	if err != nil {
		h.log.Warn("the routing table is not filled", "err", err)
		return
	}
	defer func() { _ = changed.Close() }()
	wait := firstFill
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if h.TableSize() > 0 {
			wait = filledLook
			continue
		}
		wait = min(2*wait, slowestFill)
		for _, id := range h.servers() {
			// On this event the DHT asks, whatever the change is.
			if err := changed.Emit(event.EvtPeerProtocolsUpdated{Peer: id}); err != nil {
				return // the bus has ended
			}
		}
	}
}

// servers returns connected peers that serve the DHT.
func (h *Host) servers() []peer.ID {
	var servers []peer.ID
	for _, id := range h.Network().Peers() {
		if len(servers) == maxFill {
			break
		}
		served, err := h.Peerstore().SupportsProtocols(id, dhtProtocol)
		if err == nil && len(served) > 0 && h.Network().Connectedness(id) == network.Connected {
			servers = append(servers, id)
		}
	}
	return servers
}
