package network

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
)

// How connections to relays by a second transport are kept.
const (
	maxTwins   = 16 // relays
	twinDials  = 2  // addresses of a relay that are tried
	twinWithin = 5 * time.Second
	twinLook   = time.Minute // for one that was lost
)

// relayFound is a relay that the host has connected to, and where it listens.
type relayFound struct {
	id    peer.ID
	addrs []ma.Multiaddr
}

// noteRelay takes note of a peer that is a relay, when the host has dialled it.
func (h *Host) noteRelay(e event.EvtPeerIdentificationCompleted) {
	outbound := e.Conn.Stat().Direction == network.DirOutbound && !isRelayed(e.Conn.RemoteMultiaddr())
	if !outbound || h.private || !slices.Contains(e.Protocols, proto.ProtoIDv2Hop) {
		return
	}
	select {
	case h.relayFound <- relayFound{e.Peer, dialable(e.ListenAddrs)}:
	default: // they come faster than they are dialled: it is one of many
	}
}

// keepTwins connects to relays by each transport that the host listens at. A router
// gives every transport a port of its own, and only who is connected by it to somebody
// outside learns that port: of two hosts that reach their relay by TCP and by QUIC,
// neither could tell the other where to punch a hole.
func (h *Host) keepTwins(ctx context.Context) {
	relays := make(map[peer.ID][]ma.Multiaddr)
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-h.relayFound:
			if _, known := relays[r.id]; known || len(relays) < maxTwins {
				relays[r.id] = r.addrs
				h.addTwin(ctx, r.id, r.addrs)
			}
		case <-time.After(twinLook):
			for id, addrs := range relays {
				if h.Network().Connectedness(id) != network.Connected {
					delete(relays, id) // it is found again when it is back
					continue
				}
				h.addTwin(ctx, id, addrs)
			}
		}
	}
}

// addTwin dials a relay by the transport that no connection to it has, unless everybody
// can dial the host.
func (h *Host) addTwin(ctx context.Context, id peer.ID, addrs []ma.Multiaddr) {
	if h.Reachability() == ReachabilityPublic {
		return
	}
	listening := h.parts.transports.ListenAddresses()
	for _, isOf := range []func(ma.Multiaddr) bool{isQUIC, isTCP} {
		if !slices.ContainsFunc(listening, isOf) || h.isConnectedBy(id, isOf) {
			continue
		}
		there := slices.DeleteFunc(slices.Clone(addrs), func(a ma.Multiaddr) bool { return !isOf(a) || isRelayed(a) })
		for _, addr := range there[:min(len(there), twinDials)] {
			if h.dialTwin(ctx, id, addr) {
				break
			}
		}
	}
}

func isTCP(addr ma.Multiaddr) bool {
	_, err := addr.ValueForProtocol(ma.P_TCP)
	return err == nil
}

// isConnectedBy reports whether a direct connection to a peer is of a transport.
func (h *Host) isConnectedBy(id peer.ID, isOf func(ma.Multiaddr) bool) bool {
	return slices.ContainsFunc(h.Network().ConnsToPeer(id), func(c network.Conn) bool {
		return isOf(c.RemoteMultiaddr()) && !isRelayed(c.RemoteMultiaddr())
	})
}

// dialTwin makes another connection to a peer, and reports whether there is one. The
// swarm dials no peer that it is connected to, but takes whatever a listener accepts.
func (h *Host) dialTwin(ctx context.Context, id peer.ID, addr ma.Multiaddr) bool {
	ctx, cancel := context.WithTimeout(ctx, twinWithin)
	defer cancel()
	conn, err := h.dialBeside(ctx, id, addr)
	if err != nil {
		h.log.Debug("no second connection to the relay", "peer", id.String(), "addr", addr, "err", oneLine(err.Error()))
		return false
	}
	select {
	case h.parts.transports.twins <- conn:
		return true
	case <-ctx.Done(): // no listener is open any more
		_ = conn.Close()
		return false
	}
}

// errNoTransport is dialBeside's for an address that means nothing to the host.
var errNoTransport = errors.New("no transport for the address")

// dialBeside makes a connection that the swarm knows nothing of, within twinWithin.
func (h *Host) dialBeside(ctx context.Context, id peer.ID, addr ma.Multiaddr) (transport.CapableConn, error) {
	ctx, cancel := context.WithTimeout(ctx, twinWithin)
	defer cancel()
	t := h.parts.transports.TransportForDialing(addr)
	if t == nil {
		return nil, errNoTransport
	}
	return t.Dial(ctx, addr, id)
}

// tcpWire is the TCP transport whose listeners also accept what comes by twins.
type tcpWire struct {
	*tcp.TcpTransport

	twins <-chan transport.CapableConn
}

// Listen listens at an address.
func (t *tcpWire) Listen(addr ma.Multiaddr) (transport.Listener, error) {
	l, err := t.TcpTransport.Listen(addr)
	if err != nil {
		return nil, err
	}
	both := &twinListener{Listener: l, twins: t.twins, accepted: make(chan accepted), done: make(chan struct{})}
	go both.accept()
	return both, nil
}

// twinListener is a listener that accepts twins, too.
type twinListener struct {
	transport.Listener

	twins    <-chan transport.CapableConn
	accepted chan accepted
	once     sync.Once
	done     chan struct{} // closed by Close
}

// accepted is what the inner listener accepted.
type accepted struct {
	conn transport.CapableConn
	err  error
}

// accept passes on what the inner listener accepts, until that fails.
func (l *twinListener) accept() {
	for {
		conn, err := l.Listener.Accept()
		select {
		case l.accepted <- accepted{conn, err}:
		case <-l.done:
			if conn != nil {
				_ = conn.Close()
			}
		}
		if err != nil {
			return
		}
	}
}

// Accept waits for a connection that was accepted, or dialled as a twin.
func (l *twinListener) Accept() (transport.CapableConn, error) {
	select {
	case a := <-l.accepted:
		return a.conn, a.err
	case conn := <-l.twins:
		return conn, nil
	case <-l.done:
		return nil, transport.ErrListenerClosed
	}
}

// Close ends accepting.
func (l *twinListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}
