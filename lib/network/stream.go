package network

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"
)

// ErrNoAddress is what Reach returns for a peer without addresses that neither the
// network nor a neighbour has told an address of.
var ErrNoAddress = errors.New("no address of it is known")

// How Reach looks for a peer of which it has no address.
const (
	lookForAddrs = 50 * time.Millisecond  // whether it was heard of or has connected
	firstLookup  = 250 * time.Millisecond // between lookups, doubled each time
	slowLookup   = 2 * time.Second
	slowAnswer   = time.Second // from when on a peer is looked for that was dialled at addresses it had
)

// Reach connects to a peer, directly or over a relay, in whatever way it is named: at
// the addresses in info, and where nobody answers there, where the network knows it to
// be. A peer without addresses is looked for until ctx ends: as a neighbour, and in the
// network once the routing table has a peer; if there is none until then, the error is
// ErrNoAddress.
//
// It returns when the peer has proved its ID: a round trip earlier than Connect, which
// waits for what the peer says of itself. Over a relay both ends then try to connect
// directly; a stream that may not be relayed waits for that.
func (h *Host) Reach(ctx context.Context, info peer.AddrInfo) error {
	h.parts.transports.Backoff().Clear(info.ID) // the pauses are the caller's
	h.Peerstore().AddAddrs(info.ID, info.Addrs, peerstore.TempAddrTTL)
	if len(h.Peerstore().Addrs(info.ID)) == 0 {
		return h.locate(ctx, info.ID)
	}
	ctx, cancel := context.WithCancel(ctx)
	var trying sync.WaitGroup
	defer trying.Wait()
	defer cancel()
	dialled, found, failed := make(chan error, 1), make(chan error, 1), make(chan struct{})
	trying.Go(func() {
		_, err := h.Network().DialPeer(ctx, info.ID)
		if err != nil {
			close(failed)
		}
		dialled <- err
	})
	trying.Go(func() { found <- h.reachElsewhere(ctx, info.ID, failed) })
	look := time.NewTicker(lookForAddrs)
	defer look.Stop()
	var problem error
	for dialled != nil || found != nil {
		select {
		case problem = <-dialled:
			if problem == nil {
				return nil
			}
			dialled = nil
		case err := <-found:
			if err == nil {
				return nil
			}
			found = nil
		case <-look.C:
			if h.Network().Connectedness(info.ID) != network.NotConnected { // heard of, and dialled, as a neighbour
				return nil
			}
		}
	}
	return problem // the other one may only say that this was tried just now
}

// reachElsewhere connects to a peer where the network knows it to be, once dialling it
// has failed, or takes long: an address that no machine has any more takes seconds to
// fail.
func (h *Host) reachElsewhere(ctx context.Context, id peer.ID, failed <-chan struct{}) error {
	select {
	case <-failed:
	case <-time.After(slowAnswer):
	case <-ctx.Done():
		return ctx.Err()
	}
	if h.dht.Load() != nil { // else FindPeer joins and waits
		h.awaitFirst(ctx)
	}
	info, err := h.FindPeer(ctx, id)
	if err != nil {
		return err
	}
	h.Peerstore().AddAddrs(id, dialable(info.Addrs), peerstore.TempAddrTTL)
	_, err = h.Network().DialPeer(ctx, id)
	return err
}

// locate connects to a peer of which no address is known.
func (h *Host) locate(ctx context.Context, id peer.ID) error {
	if h.dht.Load() == nil { // DialOnly
		return h.Connect(ctx, peer.AddrInfo{ID: id})
	}
	look := time.NewTicker(lookForAddrs)
	defer look.Stop()
	lookup := time.NewTimer(0)
	defer lookup.Stop()
	wait := firstLookup
	for {
		var due <-chan time.Time
		if h.TableSize() > 0 {
			due = lookup.C
		}
		select {
		case <-due:
			if h.Connect(ctx, peer.AddrInfo{ID: id}) == nil {
				return nil
			}
			lookup.Reset(wait)
			wait = min(2*wait, slowLookup)
		case <-look.C:
			if h.Network().Connectedness(id) != network.NotConnected {
				return nil
			}
			if len(h.Peerstore().Addrs(id)) > 0 {
				_, err := h.Network().DialPeer(ctx, id)
				return err
			}
		case <-ctx.Done():
			return ErrNoAddress
		}
	}
}

// Speak opens a stream to a peer that is directly connected, for a protocol that it
// is taken to speak: what is written goes with the question whether it does. If it
// doesn't, the first Read says so, by a multistream.ErrNotSupported.
func (h *Host) Speak(ctx context.Context, id peer.ID, p protocol.ID) (network.Stream, error) {
	s, err := h.Network().NewStream(network.WithNoDial(ctx, "connected"), id)
	if err != nil {
		return nil, err
	}
	if err := s.SetProtocol(p); err != nil {
		_ = s.ResetWithError(network.StreamResourceLimitExceeded) // the other error is the one to tell
		return nil, err
	}
	return &spoken{s, multistream.NewMSSelect(s, p)}, nil
}

// spoken is a stream of which the peer has yet to say that it speaks the protocol.
type spoken struct {
	network.Stream

	asked io.ReadWriteCloser
}

// Read reads once the peer has agreed.
func (s *spoken) Read(p []byte) (int, error) { return s.asked.Read(p) }

// Write writes, the first time behind the question.
func (s *spoken) Write(p []byte) (int, error) { return s.asked.Write(p) }

// agreement is how long Close waits for a peer that hasn't said whether it agrees.
const agreement = 10 * time.Second

// Close closes both directions, once the peer has agreed or has taken too long.
func (s *spoken) Close() error {
	_ = s.SetReadDeadline(time.Now().Add(agreement)) // without one, Close waits as long
	return s.asked.Close()
}

// CloseWrite closes the direction to the peer, which has the question by then.
func (s *spoken) CloseWrite() error {
	if f, ok := s.asked.(interface{ Flush() error }); ok {
		_ = f.Flush() // reading says what is wrong
	}
	return s.Stream.CloseWrite()
}
