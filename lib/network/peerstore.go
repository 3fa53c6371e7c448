package network

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	ma "github.com/multiformats/go-multiaddr"
)

// addressStore is what is known of peers, of whom any number may come: every command
// has a peer ID of its own. libp2p's store keeps the addresses of who was connected for
// 15 minutes and of who announced itself for a day, and takes no more when it is
// full: then a host can't even dial an address that it was given. This one makes
// room. Who passed by goes first, then any of those who announced themselves: whoever
// floods it has most of what is in it, and so loses most.
type addressStore struct {
	peerstore.Peerstore
	peerstore.CertifiedAddrBook // of the same store

	keeps func(peer.ID) bool // who stays; may be nil

	mu      sync.Mutex
	passing map[peer.ID]int // how many addresses each had when the last ones came
	lasting map[peer.ID]int // the same, of those whose addresses are for longer
	addrs   int             // in both
}

// newPeerstore makes the store of what is known of peers.
func newPeerstore() (*addressStore, error) {
	inner, err := pstoremem.NewPeerstore(
		pstoremem.WithMaxAddresses(2*maxKeptAddrs), // never reached
		pstoremem.WithMaxAddressesPerPeer(maxAddrsPerPeer),
		pstoremem.WithMaxSignedPeerRecords(maxSignedPeerRecords),
	)
	if err != nil {
		return nil, err
	}
	return &addressStore{
		Peerstore: inner, CertifiedAddrBook: inner, passing: map[peer.ID]int{},
		lasting: map[peer.ID]int{},
	}, nil
}

// keepThose makes room at the expense of nobody who is connected, or in the routing
// table.
func (s *addressStore) keepThose(h *Host) {
	s.keeps = func(p peer.ID) bool {
		if d := h.dht.Load(); d != nil && d.RoutingTable().Find(p) != "" {
			return true
		}
		return h.parts.transports.Connectedness(p) != network.NotConnected || p == h.parts.transports.LocalPeer()
	}
}

// AddAddr implements peerstore.AddrBook, as the next four do.
func (s *addressStore) AddAddr(p peer.ID, addr ma.Multiaddr, ttl time.Duration) {
	s.AddAddrs(p, []ma.Multiaddr{addr}, ttl)
}

func (s *addressStore) AddAddrs(p peer.ID, addrs []ma.Multiaddr, ttl time.Duration) {
	s.Peerstore.AddAddrs(p, addrs, ttl)
	s.came(p, ttl)
}

func (s *addressStore) SetAddr(p peer.ID, addr ma.Multiaddr, ttl time.Duration) {
	s.SetAddrs(p, []ma.Multiaddr{addr}, ttl)
}

func (s *addressStore) SetAddrs(p peer.ID, addrs []ma.Multiaddr, ttl time.Duration) {
	s.Peerstore.SetAddrs(p, addrs, ttl)
	s.came(p, ttl)
}

func (s *addressStore) ClearAddrs(p peer.ID) {
	s.Peerstore.ClearAddrs(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uncount(p)
}

// came counts a peer of whom addresses came, and makes room for them.
func (s *addressStore) came(p peer.ID, ttl time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.Addrs(p))
	_, lasts := s.lasting[p]
	s.uncount(p)
	if n == 0 {
		return
	}
	s.addrs += n
	if lasts || ttl > peerstore.RecentlyConnectedAddrTTL && ttl < peerstore.ConnectedAddrTTL {
		s.lasting[p] = n
	} else {
		s.passing[p] = n
	}
	if len(s.passing) > maxPassingPeers {
		s.evict(s.passing, p)
	}
	for s.addrs > maxKeptAddrs && (s.evict(s.passing, p) || s.evict(s.lasting, p)) {
	}
}

// uncount forgets that a peer was counted.
func (s *addressStore) uncount(p peer.ID) {
	s.addrs -= s.passing[p] + s.lasting[p]
	delete(s.passing, p)
	delete(s.lasting, p)
}

// evict forgets one of those peers, the first that a map hands out and that may go,
// which is any. Of more than a few who stay it does not ask.
func (s *addressStore) evict(from map[peer.ID]int, but peer.ID) bool {
	asked := 0
	for p := range from {
		if p == but || s.keeps != nil && s.keeps(p) {
			asked++
			if asked == 32 {
				break
			}
			continue
		}
		s.uncount(p)
		s.Peerstore.ClearAddrs(p)
		s.RemovePeer(p)
		return true
	}
	return false
}
