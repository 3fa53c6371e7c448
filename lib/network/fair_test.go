package network

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
)

// crowd fills what strangers may hold, from addresses of its own.
func crowd(t *testing.T, m network.ResourceManager) (held int) {
	t.Helper()
	for i := range 4000 {
		n := opened(t, m, fmt.Sprintf("/ip4/198.18.%d.%d/tcp/7527", i/256, i%256), maxConnsPerAddress)
		held += n
		if n == 0 {
			return held
		}
	}
	t.Fatal("there is no end to what strangers may open")
	return 0
}

// Twenty addresses that take all they can leave room for one that comes from
// elsewhere.
func TestNewcomerInACrowd(t *testing.T) {
	t.Parallel()
	m := limiter(t)
	for i := range 20 {
		opened(t, m, fmt.Sprintf("/ip4/198.18.0.%d/tcp/7527", i), maxConnsPerAddress)
	}
	if n := opened(t, m, "/ip4/203.0.113.7/tcp/7527", 16); n < 4 {
		t.Errorf("a newcomer may open %d connections", n)
	}
}

// Strangers with any number of addresses leave room for who is trusted, and for
// what the host opens itself; and all is given back.
func TestTrustedInACrowd(t *testing.T) { //nolint:tparallel // its one subtest is what comes before the end
	t.Parallel()
	m, err := newResourceManager(nil, newJournal().logger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	t.Run("crowded", func(t *testing.T) { //nolint:paralleltest // one after the other
		held := crowd(t, m)
		if held > maxStrangersConns {
			t.Errorf("strangers hold %d connections", held)
		}
		const known = "/ip4/203.0.113.7/tcp/7527"
		if n := opened(t, m, known, 1); n != 0 {
			t.Error("a stranger's connection is let in")
		}
		m.trust(netip.MustParseAddr("203.0.113.7"))
		if n := opened(t, m, known, 100); n != 100 {
			t.Errorf("of a known address %d of 100 connections are let in", n)
		}
		for i := range 500 {
			addr := ma.StringCast(fmt.Sprintf("/ip4/203.0.114.%d/tcp/7527", i%250))
			scope, err := m.OpenConnection(network.DirOutbound, true, addr)
			if err != nil {
				t.Fatalf("no connection out: %v", err)
			}
			t.Cleanup(scope.Done)
			if err := scope.SetPeer(somebody(t)); err != nil {
				t.Fatal(err)
			}
		}
	})
	if m.conns.all != 0 || len(m.conns.by) != 0 || len(m.peers) != 0 {
		t.Errorf("still counted: %d connections of %d sources, %d peers", m.conns.all, len(m.conns.by), len(m.peers))
	}
}

// The same for streams: many peers at few addresses.
func TestStreamsInACrowd(t *testing.T) {
	t.Parallel()
	m, err := newResourceManager(nil, newJournal().logger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	open := func(addr string, most int) (n int) {
		conn, err := m.OpenConnection(network.DirInbound, true, ma.StringCast(addr))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Done)
		p := somebody(t)
		if err := conn.SetPeer(p); err != nil {
			t.Fatal(err)
		}
		for ; n < most; n++ {
			stream, err := m.OpenStream(p, network.DirInbound)
			if err != nil {
				return n
			}
			t.Cleanup(stream.Done)
		}
		return n
	}
	held := 0
	for i := range 1200 {
		held += open(fmt.Sprintf("/ip4/198.18.0.%d/tcp/7527", i%20), maxPeerStreamsInbound)
	}
	if held > maxStrangersStreams {
		t.Errorf("strangers hold %d streams", held)
	}
	if n := open("/ip4/203.0.113.7/tcp/7527", 8); n < 4 {
		t.Errorf("a newcomer may open %d streams", n)
	}
	m.trust(netip.MustParseAddr("203.0.113.8"))
	if n := open("/ip4/203.0.113.8/tcp/7527", maxPeerStreamsInbound); n != maxPeerStreamsInbound {
		t.Errorf("of a known address %d streams are let in", n)
	}
}

// More addresses than are remembered do not make it forget the newest.
func TestTrustIsBounded(t *testing.T) {
	t.Parallel()
	m, err := newResourceManager(nil, newJournal().logger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	at := netip.MustParseAddr("10.0.0.1")
	for range 2 * maxTrusted {
		at = at.Next()
		m.trust(at)
	}
	if !m.exempt(at) || len(m.trusted) != maxTrusted {
		t.Errorf("%d addresses are trusted", len(m.trusted))
	}
}
