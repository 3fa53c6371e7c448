package network

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	ma "github.com/multiformats/go-multiaddr"
)

// watched are the events that the host follows.
func watched() []any {
	return []any{
		new(event.EvtPeerConnectednessChanged),
		new(event.EvtLocalReachabilityChanged),
		new(event.EvtLocalAddressesUpdated),
		new(event.EvtLocalProtocolsUpdated),
		new(event.EvtAutoRelayAddrsUpdated),
		new(event.EvtPeerIdentificationCompleted),
		new(event.EvtPeerProtocolsUpdated),
	}
}

// watchBuffer is room for what happens before watch runs: an event that finds
// none holds up libp2p.
func watchBuffer() event.SubscriptionOpt { return eventbus.BufSize(1024) }

// entered is called with the routing table locked.
func (h *Host) entered(p peer.ID) {
	h.readied.Do(func() { close(h.ready) })
	select {
	case h.added <- p:
	default: // only the log misses it
	}
	h.signalChange()
}

func (h *Host) signalChange() {
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// watch follows libp2p's events until the subscription is closed, which is after
// the host is.
func (h *Host) watch(context.Context) {
	w := watcher{Host: h, since: make(map[peer.ID]time.Time)}
	if slices.Contains(h.Mux().Protocols(), holepunch.Protocol) {
		w.canPunch()
	}
	for {
		select {
		case e, open := <-h.parts.events.Out():
			if !open {
				return
			}
			w.handle(e)
		case p := <-h.added:
			h.discovered(p, "dht")
		}
	}
}

// watcher is the state of watch.
type watcher struct {
	*Host

	since   map[peer.ID]time.Time // when who is connected did so
	lent    []ma.Multiaddr        // as last logged
	punched bool
}

func (w *watcher) handle(e any) {
	switch e := e.(type) {
	case event.EvtPeerConnectednessChanged:
		w.connectedness(e)
	case event.EvtLocalReachabilityChanged:
		w.reachable(e.Reachability)
	case event.EvtAutoRelayAddrsUpdated:
		w.relaysChanged(e.RelayAddrs)
	case event.EvtLocalAddressesUpdated:
		w.log.Debug("own addresses changed", "addrs", w.Addrs())
		w.lentChanged()
		w.signalChange()
		select {
		case w.readdressed <- struct{}{}:
		default:
		}
	case event.EvtLocalProtocolsUpdated:
		if slices.Contains(e.Added, holepunch.Protocol) {
			w.canPunch()
		}
	case event.EvtPeerIdentificationCompleted:
		w.noteRelay(e)
		select {
		case w.punch.observed <- struct{}{}:
		default:
		}
	case event.EvtPeerProtocolsUpdated:
		if slices.Contains(e.Added, holepunch.Protocol) {
			w.punchAgain(e.Peer)
		}
	}
}

func (w *watcher) canPunch() {
	if !w.punched {
		w.punched = true
		close(w.punching)
	}
}

func (w *watcher) connectedness(e event.EvtPeerConnectednessChanged) {
	since, known := w.since[e.Peer]
	if e.Connectedness == network.NotConnected {
		if known {
			delete(w.since, e.Peer)
			w.events.peer("peer.disconnected", e.Peer,
				slog.Duration("after", time.Since(since).Round(time.Millisecond)))
		}
		w.lost(e.Peer)
		return
	}
	if !known {
		w.since[e.Peer] = time.Now()
	}
	w.events.peer("peer.connected", e.Peer, w.describe(e.Peer)...)
}

// describe says how p is connected: over a direct connection if there is one.
func (w *watcher) describe(p peer.ID) []slog.Attr {
	conns := w.Network().ConnsToPeer(p)
	if len(conns) == 0 {
		return nil
	}
	best := conns[0]
	for _, conn := range conns {
		if !isRelayed(conn.RemoteMultiaddr()) {
			best = conn
		}
	}
	return []slog.Attr{
		slog.String("addr", best.RemoteMultiaddr().String()),
		slog.String("direction", direction(best.Stat().Direction)),
		slog.Bool("relayed", isRelayed(best.RemoteMultiaddr())),
	}
}

func direction(d network.Direction) string {
	if d == network.DirInbound {
		return "in"
	}
	return "out"
}

// isRelayed reports whether addr leads through a relay.
func isRelayed(addr ma.Multiaddr) bool {
	_, err := addr.ValueForProtocol(ma.P_CIRCUIT)
	return err == nil
}

func (w *watcher) reachable(r network.Reachability) {
	now := ReachabilityAuto
	switch r {
	case network.ReachabilityPublic:
		now = ReachabilityPublic
	case network.ReachabilityPrivate:
		now = ReachabilityPrivate
	case network.ReachabilityUnknown:
	}
	w.mu.Lock()
	w.reachability = now
	w.mu.Unlock()
	w.natStatus()
	w.signalChange()
}

func (w *watcher) relaysChanged(addrs []ma.Multiaddr) {
	var relays []peer.ID
	for _, addr := range addrs {
		id, err := relayOf(addr)
		if err == nil && !slices.Contains(relays, id) {
			relays = append(relays, id)
		}
	}
	w.mu.Lock()
	w.relays = relays
	w.mu.Unlock()
	w.natStatus()
	w.signalChange()
}

// relayOf returns the peer before /p2p-circuit.
func relayOf(addr ma.Multiaddr) (peer.ID, error) {
	id, err := addr.ValueForProtocol(ma.P_P2P)
	if err != nil {
		return "", err
	}
	return peer.Decode(id)
}

// lentChanged logs the addresses that a router lends the host once there are
// others: when it has mapped a port, or peers agree on where they see the host.
// A mapping has no event of its own; libp2p looks for it every 5 s.
func (w *watcher) lentChanged() {
	lent := w.lentAddrs()
	if slices.EqualFunc(lent, w.lent, ma.Multiaddr.Equal) {
		return
	}
	w.lent = lent
	w.natStatus()
}

// natStatus logs what is known of being reached.
func (w *watcher) natStatus() {
	w.log.Info("nat.status", "reachability", w.Reachability().String(), "relays", w.Relays(), "public_addrs", w.lent)
}
