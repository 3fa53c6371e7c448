package network

import (
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// freeConn is a connection whose peer may have any.
type freeConn struct{ network.NullScope }

func (*freeConn) SetPeer(peer.ID) error { return nil }

// TestWidening: connections that have proved nothing share a little that they may
// hold beyond what each begins with, and give it back.
func TestWidening(t *testing.T) {
	t.Parallel()
	f := newFair(&network.NullResourceManager{}, maxStrangersConns, slog.New(slog.DiscardHandler))
	f.narrow = true
	join := func(dir network.Direction) (*fairConn, peer.ID) {
		c, p := &fairConn{ConnManagementScope: &freeConn{}, fair: f, dir: dir}, somebody(t)
		if err := c.SetPeer(p); err != nil {
			t.Fatal(err)
		}
		return c, p
	}
	reserve := func(c *fairConn, size int, want error) {
		t.Helper()
		if err := c.ReserveMemory(size, network.ReservationPriorityMedium); !errors.Is(err, want) {
			t.Errorf("%d bytes more: %v, not %v", size, err, want)
		}
	}
	first, id := join(network.DirInbound)
	reserve(first, strangerWindow, nil)
	reserve(first, 1, errWindow)
	for range strangersWindows/strangerWindow - 1 {
		c, _ := join(network.DirInbound)
		t.Cleanup(c.Done)
		reserve(c, strangerWindow, nil)
	}
	last, _ := join(network.DirInbound)
	t.Cleanup(last.Done)
	reserve(last, 1, errWindow)
	out, _ := join(network.DirOutbound)
	t.Cleanup(out.Done)
	reserve(out, strangersWindows, nil)
	f.prove(id)
	reserve(first, strangersWindows, nil)
	reserve(last, 1, errWindow)
	first.Done()
	reserve(last, strangerWindow, nil)
	f.narrow = false
	reserve(last, strangersWindows, nil)
}

// TestNarrow: a node takes little over QUIC from a stranger whose streams it does
// not read, and more once it does.
func TestNarrow(t *testing.T) {
	t.Parallel()
	const name, much = "/test/unread", strangerWindow + 4*narrowWindow
	node, other := start(t, Config{Server: true}), start(t, Config{})
	streams, read := make(chan network.Stream), make(chan int)
	node.SetStreamHandler(name, func(s network.Stream) { streams <- s })
	dialOver(t, other, node, isQUIC)
	s, err := other.NewStream(patiently(t), node.ID(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Reset() })
	if _, err := s.Write([]byte{0}); err != nil { // with the question for the protocol
		t.Fatal(err)
	}
	taken := make(chan int, 1)
	go func() {
		n, _ := s.Write(make([]byte, much)) // as much as goes before the deadline
		taken <- n
	}()
	in := wait(t, "the stream", streams)
	if err := s.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	n := wait(t, "the write", taken)
	if n > narrowWindow {
		t.Errorf("%d bytes are taken of a stream that is not read", n)
	}
	if err := s.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	go func() {
		all := 0
		for buf := make([]byte, narrowWindow); all < 1+n+much; {
			n, err := in.Read(buf)
			all += n
			if err != nil {
				break
			}
		}
		read <- all
	}()
	if _, err := s.Write(make([]byte, much)); err != nil {
		t.Fatal(err)
	}
	if all := wait(t, "the reader", read); all != 1+n+much {
		t.Errorf("%d bytes are read of %d", all, 1+n+much)
	}
}

// dialOver connects a host to another one by the transport of addresses that isOf
// tells.
func dialOver(t *testing.T, from, to *Host, isOf func(ma.Multiaddr) bool) {
	t.Helper()
	for _, addr := range to.LocalAddrs() {
		if isOf(addr) {
			if err := from.Connect(patiently(t), peer.AddrInfo{ID: to.ID(), Addrs: []ma.Multiaddr{addr}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !from.isConnectedBy(to.ID(), isOf) {
		t.Fatalf("connected by %v", from.Network().ConnsToPeer(to.ID()))
	}
}

// TestRest: an address of which a connection had to make room waits for the next
// one; others do not, nor those that are known.
func TestRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFair(&network.NullResourceManager{}, maxStrangersConns, slog.New(slog.DiscardHandler))
		open := func(addr string, want error) {
			t.Helper()
			c, err := f.OpenConnection(network.DirInbound, false, ma.StringCast(addr))
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, not %v", addr, err, want)
			}
			if err == nil {
				c.Done()
			}
		}
		const v4, v6 = "/ip4/198.51.100.7/udp/7527/quic-v1", "/ip6/2001:db8:1:200::1/tcp/7527"
		for _, addr := range []string{"198.51.100.7", "198.51.100.9", "2001:db8:1:2ff::7"} {
			f.rest(netip.MustParseAddr(addr))
		}
		f.trust(netip.MustParseAddr("198.51.100.9"))
		open(v4, errResting)
		open(v6, errResting)
		open("/ip4/198.51.100.8/tcp/7527", nil)
		open("/ip4/198.51.100.9/tcp/7527", nil)
		open("/ip6/2001:db8:1:300::1/tcp/7527", nil)
		<-time.After(restFor)
		open(v4, nil)
		open(v6, nil)
		for i := range 2 * maxResting {
			f.rest(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))
		}
		if len(f.resting) > maxResting {
			t.Errorf("%d addresses rest", len(f.resting))
		}
	})
}
