package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/multiformats/go-multistream"

	"plasm/lib/exchange/wire"
)

// How offers go on: a byte often enough not to be lost, and a new stream in place
// of one that was dropped, on a new connection if need be.
const (
	trickle    = 3 * time.Second
	reopenWait = 500 * time.Millisecond
)

// offerHead begins an offer of the greatest length.
const offerHead = "O\x80\xc0\x16{"

// loadBytes is how much of an offer comes at once: less than a muxer lets through
// unread.
const loadBytes = 200 << 10

// offers opens n streams for jobs on a connection from each address of this
// machine, and begins an offer on each, of which a byte comes now and then. What is
// dropped it opens anew.
func offers(ctx context.Context, target peer.AddrInfo, n int, taken *tally) error {
	return offersOf(ctx, target, n, taken, offerHead)
}

// loads is offers, of each of which loadBytes come first.
func loads(ctx context.Context, target peer.AddrInfo, n int, taken *tally) error {
	return offersOf(ctx, target, n, taken, offerHead+strings.Repeat(" ", loadBytes))
}

func offersOf(ctx context.Context, target peer.AddrInfo, n int, taken *tally, head string) error {
	own, err := ownAddrs(target)
	if err != nil {
		return err
	}
	var first sync.WaitGroup
	for _, ip := range own {
		first.Add(n)
		s := &source{ip: ip, target: target}
		for range n {
			go s.offer(ctx, []byte(head), func(err error) {
				taken.add(nil, err)
				first.Done()
			})
		}
	}
	first.Wait()
	return nil
}

// offer begins offers, one after the other. It reports on the first.
func (s *source) offer(ctx context.Context, head []byte, report func(error)) {
	for {
		stream, err := s.begin(ctx, head)
		report(err)
		report = func(error) {}
		for err == nil {
			err = s.goOn(stream)
		}
		<-time.After(reopenWait)
	}
}

// goOn writes one more byte after a while, unless the stream ends before.
func (s *source) goOn(stream network.MuxedStream) error {
	if err := stream.SetReadDeadline(time.Now().Add(trickle)); err != nil {
		return err
	}
	answer := make([]byte, 64) // the protocol's name
	for {
		_, err := stream.Read(answer)
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			_, err = stream.Write([]byte(" "))
			return err
		}
		if err != nil {
			return err
		}
	}
}

// begin opens a stream, names the protocol and writes the head of an offer.
func (s *source) begin(ctx context.Context, head []byte) (network.MuxedStream, error) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := s.connection(within)
	if err != nil {
		return nil, err
	}
	stream, err := conn.OpenStream(within)
	if err != nil {
		return nil, err
	}
	if err := stream.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := multistream.NewMSSelect(stream, wire.Protocol).Write(head); err != nil {
		return nil, err
	}
	return stream, stream.SetWriteDeadline(time.Time{})
}

// family reports whether an address is of the kind by which a peer is reached.
func family(target peer.AddrInfo, ip net.IP) bool {
	at, err := manet.ToIP(target.Addrs[0])
	return err == nil && (at.To4() == nil) == (ip.To4() == nil)
}
