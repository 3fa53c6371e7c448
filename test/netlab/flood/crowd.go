package main

import (
	"context"
	"crypto/rand"
	"net"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
)

// crowd opens n connections from each address of this machine, each with a key of
// its own.
func crowd(ctx context.Context, target peer.AddrInfo, n int, taken *tally) error {
	own, err := ownAddrs(target)
	if err != nil {
		return err
	}
	times(n*len(own), atOnce, func(i int) {
		from := net.Dialer{LocalAddr: &net.TCPAddr{IP: own[i%len(own)]}}
		taken.add(dialFrom(ctx, from, target))
	})
	return nil
}

// dialFrom connects from an address as somebody new.
func dialFrom(ctx context.Context, from net.Dialer, target peer.AddrInfo) (transport.CapableConn, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	dialer, err := overTCPWith(key, tcp.WithDialerForAddr(func(ma.Multiaddr) (tcp.ContextDialer, error) { return &from, nil }))
	if err != nil {
		return nil, err
	}
	return dial(ctx, dialer, target.Addrs[0], target.ID)
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
