package network

import (
	"log/slog"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
)

func limiter(t *testing.T) network.ResourceManager {
	t.Helper()
	m, err := newResourceManager(nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// opened opens connections from addr, each of another peer, until it is refused
// or there are most.
func opened(t *testing.T, m network.ResourceManager, addr string, most int) int {
	t.Helper()
	for n := range most {
		scope, err := m.OpenConnection(network.DirInbound, true, ma.StringCast(addr))
		if err != nil {
			return n
		}
		t.Cleanup(scope.Done)
		if err := scope.SetPeer(somebody(t)); err != nil {
			return n
		}
	}
	return most
}

// An office of 20 behind one address isn't cut off, and one address takes only
// its share.
func TestOneAddress(t *testing.T) {
	t.Parallel()
	m := limiter(t)
	for _, addr := range []string{"/ip4/203.0.113.7/tcp/7527", "/ip6/2001:db8::7/tcp/7527"} {
		if n := opened(t, m, addr, 500); n < 120 || n != maxConnsPerAddress {
			t.Errorf("%s may open %d connections", addr, n)
		}
	}
	if n := opened(t, m, "/ip4/203.0.113.8/tcp/7527", 20); n != 20 {
		t.Errorf("its neighbour may open %d", n)
	}
	if n := opened(t, m, "/ip6/2001:db8:0:100::7/tcp/7527", 20); n != 20 {
		t.Errorf("another /56 may open %d", n)
	}
}

// One that opens and closes connections is slowed down.
func TestOneAddressInAHurry(t *testing.T) {
	t.Parallel()
	m := limiter(t)
	n := 0
	for range 2 * newConnsBurst {
		scope, err := m.OpenConnection(network.DirInbound, true, ma.StringCast("/ip4/203.0.113.7/tcp/7527"))
		if err != nil {
			continue
		}
		scope.Done()
		n++
	}
	if n < newConnsBurst || n > newConnsBurst+newConnsBurst/2 {
		t.Errorf("%d connections at once", n)
	}
}

func TestOnePeer(t *testing.T) {
	t.Parallel()
	m := limiter(t)
	peer, other := somebody(t), somebody(t)
	conns := 0
	for range 2 * maxPeerConns {
		scope, err := m.OpenConnection(network.DirInbound, true, ma.StringCast("/ip4/127.0.0.1/tcp/1"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(scope.Done)
		if scope.SetPeer(peer) == nil {
			conns++
		}
	}
	if conns != maxPeerConns {
		t.Errorf("a peer may have %d connections", conns)
	}
	streams := 0
	for range 10 * maxPeerStreamsInbound {
		if scope, err := m.OpenStream(peer, network.DirInbound); err == nil {
			t.Cleanup(scope.Done)
			streams++
		}
	}
	if streams != maxPeerStreamsInbound {
		t.Errorf("a peer may open %d streams", streams)
	}
	if scope, err := m.OpenStream(other, network.DirInbound); err != nil {
		t.Errorf("another peer may open none: %v", err)
	} else {
		scope.Done()
	}
}

// The limits leave room in the order in which a stranger meets them.
func TestLimitsFitTogether(t *testing.T) {
	t.Parallel()
	if maxConnsPerAddress*maxPeerStreamsInbound >= maxUnnamedStreams {
		t.Error("one address could take all streams")
	}
	if maxUnnamedStreams >= maxStreamsInbound {
		t.Error("streams that say nothing could take all")
	}
	if maxStrangersConns <= 2000 || maxStrangersConns >= maxHandshakes || maxStrangersConns >= maxConnsInbound {
		t.Error("connections that say nothing could take all")
	}
	if highWater >= maxConnsInbound || lowWater >= highWater {
		t.Error("connections are refused before any is closed")
	}
	if newConnsBurst < maxConnsPerAddress {
		t.Error("an office that comes at once is slowed down")
	}
}
