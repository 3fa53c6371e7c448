package main

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/multiformats/go-multistream"

	"plasm/lib/exchange/wire"
)

// How offers go on: a byte often enough not to be lost, and a new stream in place
// of one that was dropped.
const (
	trickle    = 3 * time.Second
	reopenWait = 2 * time.Second
)

// offers opens n streams for jobs on a connection from each address of this
// machine, and begins an offer of the greatest length on each, of which a byte
// comes now and then. What is dropped it opens anew.
func offers(ctx context.Context, target peer.AddrInfo, n int, taken *tally) error {
	own, err := ownAddrs(target)
	if err != nil {
		return err
	}
	var first sync.WaitGroup
	for _, ip := range own {
		first.Add(n)
		go offersFrom(ctx, net.Dialer{LocalAddr: &net.TCPAddr{IP: ip}, Timeout: patience}, target, n, func(err error) {
			taken.add(nil, err)
			first.Done()
		})
	}
	first.Wait()
	return nil
}

// offersFrom is offers from one address. It reports on each first stream.
func offersFrom(ctx context.Context, from net.Dialer, target peer.AddrInfo, n int, report func(error)) {
	head := []byte("O\x80\xc0\x16{")
	conn, err := dialFrom(ctx, from, target)
	for range n {
		if err != nil {
			report(err)
			continue
		}
		go func() {
			err := beginOffer(ctx, conn, head, report)
			for err == nil || !conn.IsClosed() {
				<-time.After(reopenWait)
				err = beginOffer(ctx, conn, head, func(error) {})
			}
		}()
	}
}

// beginOffer begins one offer and goes on with it until it is dropped.
func beginOffer(ctx context.Context, conn transport.CapableConn, head []byte, report func(error)) error {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stream, err := conn.OpenStream(within)
	if err == nil {
		err = begin(stream, head)
	}
	report(err)
	if err != nil {
		return err
	}
	for {
		<-time.After(trickle)
		if _, err := stream.Write([]byte(" ")); err != nil {
			return nil
		}
	}
}

// begin names the protocol and writes the head of an offer.
func begin(stream network.MuxedStream, head []byte) error {
	if err := stream.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := multistream.NewMSSelect(stream, wire.Protocol).Write(head); err != nil {
		return err
	}
	return stream.SetWriteDeadline(time.Time{})
}

// family reports whether an address is of the kind by which a peer is reached.
func family(target peer.AddrInfo, ip net.IP) bool {
	at, err := manet.ToIP(target.Addrs[0])
	return err == nil && (at.To4() == nil) == (ip.To4() == nil)
}
