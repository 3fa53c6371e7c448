package network

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	ma "github.com/multiformats/go-multiaddr"
)

// strangers adds n strangers to a store, each with some addresses for that long.
func strangers(t *testing.T, s peerstore.Peerstore, n, addrs int, ttl time.Duration) (all []peer.ID) {
	t.Helper()
	var list []ma.Multiaddr
	for i := range addrs {
		list = append(list, ma.StringCast(fmt.Sprintf("/ip4/198.51.100.1/tcp/%d", 1024+i)))
	}
	for range n {
		key, _, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		id, err := peer.IDFromPrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		s.AddAddrs(id, list, ttl)
		all = append(all, id)
	}
	return all
}

func held(s peerstore.Peerstore, peers []peer.ID) (n int) {
	for _, p := range peers {
		if len(s.Addrs(p)) > 0 {
			n++
		}
	}
	return n
}

func TestStrangersDoNotFillTheAddressStore(t *testing.T) {
	t.Parallel()
	s, err := newPeerstore()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	friend := strangers(t, s, 1, 3, peerstore.TempAddrTTL)[0]
	s.keeps = func(p peer.ID) bool { return p == friend }
	announced := strangers(t, s, 100, 5, peerstore.AddressTTL)
	passed := strangers(t, s, 2*maxPassingPeers, 8, peerstore.RecentlyConnectedAddrTTL)

	if n := held(s, passed); n != maxPassingPeers-1 {
		t.Errorf("%d of those who passed by are kept, not %d", n, maxPassingPeers-1)
	}
	if len(s.Addrs(passed[len(passed)-1])) == 0 {
		t.Error("the last to come is gone")
	}
	if n := held(s, announced); n != len(announced) {
		t.Errorf("%d of %d who announced themselves are kept", n, len(announced))
	}
	if len(s.Addrs(friend)) != 3 {
		t.Error("one who is to stay is gone")
	}

	// One who passed by and then announces itself counts once; one that is cleared
	// no more.
	s.AddAddrs(friend, s.Addrs(friend), peerstore.AddressTTL)
	s.ClearAddrs(announced[0])
	strangers(t, s, maxKeptAddrs/maxAddrsPerPeer+100, maxAddrsPerPeer, peerstore.AddressTTL)
	total := 0
	for _, p := range s.PeersWithAddrs() {
		total += len(s.Addrs(p))
	}
	if total > maxKeptAddrs || total < maxKeptAddrs-maxAddrsPerPeer || total != s.addrs {
		t.Errorf("%d addresses are kept, %d counted, of %d", total, s.addrs, maxKeptAddrs)
	}
	if n := held(s, passed); n != 0 {
		t.Errorf("%d of those who passed by are kept before those who announced themselves", n)
	}
	if len(s.Addrs(friend)) != 3 {
		t.Error("one who is to stay is gone")
	}
}

// However many strangers there were, a host can dial an address that it is given.
func TestDialInACrowd(t *testing.T) {
	t.Parallel()
	h, other := start(t, Config{Server: true}), start(t, Config{Server: true})
	strangers(t, h.Peerstore(), maxKeptAddrs/maxAddrsPerPeer+100, maxAddrsPerPeer, peerstore.AddressTTL)
	if err := h.Connect(patiently(t), at(other)[0]); err != nil {
		t.Fatal(err)
	}
	strangers(t, h.Peerstore(), 2*maxPassingPeers, 1, peerstore.TempAddrTTL)
	if len(h.Peerstore().Addrs(other.ID())) == 0 {
		t.Error("the addresses of a peer that is connected are gone")
	}
}
