package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/multiformats/go-multistream"
	"github.com/quic-go/quic-go"

	"plasm/lib/capability"
	"plasm/lib/network"
)

// atOnce is how many attempts are under way at a time.
const atOnce = 64

// silence opens TCP connections.
func silence(ctx context.Context, target peer.AddrInfo, n int, taken *tally) error {
	where, address, err := manet.DialArgs(target.Addrs[0])
	if err != nil {
		return err
	}
	dialer := net.Dialer{Timeout: patience}
	times(n, atOnce, func(int) { taken.add(dialer.DialContext(ctx, where, address)) })
	return nil
}

// strangers opens connections, each as somebody else.
func strangers(ctx context.Context, target peer.AddrInfo, n int, taken *tally) error {
	quicAt, err := quicAddr(target.Addrs[0])
	if err != nil {
		return err
	}
	times(n, atOnce, func(i int) {
		key, _, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			taken.add(nil, err)
			return
		}
		over, addr := overTCP, target.Addrs[0]
		if i%2 == 1 {
			over, addr = overQUIC, quicAt
		}
		dialer, err := over(key)
		if err != nil {
			taken.add(nil, err)
			return
		}
		taken.add(dial(ctx, dialer, addr, target.ID))
	})
	return nil
}

// streams opens streams of each protocol on as many connections as one key is
// allowed, and reads nothing.
func streams(ctx context.Context, target peer.AddrInfo, n int, taken *tally) error {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return err
	}
	dialer, err := overTCP(key)
	if err != nil {
		return err
	}
	var conns []transport.CapableConn
	for range 16 {
		conn, err := dial(ctx, dialer, target.Addrs[0], target.ID)
		if err != nil {
			break
		}
		conns = append(conns, conn)
	}
	if len(conns) == 0 {
		return errors.New("no connection")
	}
	protocols := []protocol.ID{capability.Protocol, "/plasm/kad/1.0.0", identify.ID}
	times(n*len(protocols), atOnce, func(i int) {
		taken.add(open(ctx, conns[i%len(conns)], protocols[i/n]))
	})
	return nil
}

// open opens a stream, names its protocol and begins a message that has no end.
func open(ctx context.Context, conn transport.CapableConn, name protocol.ID) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stream, err := conn.OpenStream(ctx)
	if err != nil {
		return nil, err
	}
	_, err = multistream.NewMSSelect(stream, name).Write([]byte{0xff, 0x7f})
	return stream, err
}

// users starts hosts, waits until all are connected, and has each ask.
func users(ctx context.Context, target peer.AddrInfo, n int, taken *tally) error {
	hosts := make([]*network.Host, n)
	errs := make([]error, n)
	times(n, n, func(i int) {
		if hosts[i], errs[i] = network.Start(ctx, network.Config{}); errs[i] == nil {
			errs[i] = hosts[i].Connect(ctx, target)
		}
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	times(n, n, func(i int) { taken.add(capability.Ask(ctx, hosts[i], target, patience)) })
	return nil
}

// dial is below libp2p's swarm, which would use one connection for all.
func dial(ctx context.Context, dialer transport.Transport, addr ma.Multiaddr,
	id peer.ID,
) (transport.CapableConn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return dialer.Dial(ctx, addr, id)
}

func overTCP(key crypto.PrivKey) (transport.Transport, error) { return overTCPWith(key) }

func overTCPWith(key crypto.PrivKey, options ...tcp.Option) (transport.Transport, error) {
	secure, err := noise.New(noise.ID, key, nil)
	if err != nil {
		return nil, err
	}
	muxers := []upgrader.StreamMuxer{{ID: yamux.ID, Muxer: yamux.DefaultTransport}}
	up, err := upgrader.New([]sec.SecureTransport{secure}, muxers, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	return tcp.NewTCPTransport(up, nil, nil, options...)
}

func overQUIC(key crypto.PrivKey) (transport.Transport, error) {
	manager, err := quicreuse.NewConnManager(quic.StatelessResetKey{}, quic.TokenGeneratorKey{})
	if err != nil {
		return nil, err
	}
	return libp2pquic.NewTransport(key, manager, nil, nil, nil)
}

// quicAddr is the same address and port over QUIC.
func quicAddr(addr ma.Multiaddr) (ma.Multiaddr, error) {
	ip, err := addr.ValueForProtocol(ma.P_IP4)
	if err != nil {
		return nil, err
	}
	port, err := addr.ValueForProtocol(ma.P_TCP)
	if err != nil {
		return nil, err
	}
	return ma.NewMultiaddr("/ip4/" + ip + "/udp/" + port + "/quic-v1")
}
