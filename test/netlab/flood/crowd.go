package main

import (
	"context"
	"crypto/rand"
	"net"
	"sync"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/quic-go/quic-go"
)

// crowd opens n connections from each address of this machine, each with a key of
// its own.
func crowd(ctx context.Context, target peer.AddrInfo, n int, taken *tally) error {
	own, err := ownAddrs(target)
	if err != nil {
		return err
	}
	times(n*len(own), atOnce, func(i int) {
		s := &source{ip: own[i%len(own)], target: target}
		taken.add(s.dial(ctx))
	})
	return nil
}

// source is an address that connections come from.
type source struct {
	ip     net.IP
	target peer.AddrInfo

	mu      sync.Mutex
	conn    transport.CapableConn  // the last
	sockets *quicreuse.ConnManager // QUIC's
}

// connection returns the last connection, or a new one if that is closed.
func (s *source) connection(ctx context.Context) (transport.CapableConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && !s.conn.IsClosed() {
		return s.conn, nil
	}
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	s.conn = conn
	return conn, nil
}

// dial connects as a new peer, by the transport of the target's address.
func (s *source) dial(ctx context.Context) (transport.CapableConn, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	over := s.overTCP
	if _, err := s.target.Addrs[0].ValueForProtocol(ma.P_QUIC_V1); err == nil {
		over = s.overQUIC
	}
	dialer, err := over(key)
	if err != nil {
		return nil, err
	}
	return dial(ctx, dialer, s.target.Addrs[0], s.target.ID)
}

func (s *source) overTCP(key crypto.PrivKey) (transport.Transport, error) {
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: s.ip}, Timeout: patience}
	return overTCPWith(key, tcp.WithDialerForAddr(func(ma.Multiaddr) (tcp.ContextDialer, error) { return &from, nil }))
}

func (s *source) overQUIC(key crypto.PrivKey) (transport.Transport, error) {
	if s.sockets == nil {
		sockets, err := quicreuse.NewConnManager(quic.StatelessResetKey{}, quic.TokenGeneratorKey{},
			quicreuse.OverrideListenUDP(func(network string, _ *net.UDPAddr) (net.PacketConn, error) {
				return net.ListenUDP(network, &net.UDPAddr{IP: s.ip})
			}))
		if err != nil {
			return nil, err
		}
		s.sockets = sockets
	}
	return libp2pquic.NewTransport(key, s.sockets, nil, nil, nil)
}

// ownAddrs returns the machine's addresses from which a peer is reached, but for
// loopback and those that only a wire has.
func ownAddrs(target peer.AddrInfo) ([]net.IP, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var own []net.IP
	for _, addr := range addrs {
		if n, ok := addr.(*net.IPNet); ok && family(target, n.IP) && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			own = append(own, n.IP)
		}
	}
	return own, nil
}
