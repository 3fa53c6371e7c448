package capability

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
	"plasm/lib/network"
)

func TestAsk(t *testing.T) {
	t.Parallel()
	h, _ := node(t, document(), server(t))
	c := client(t)
	n, err := Ask(t.Context(), c, at(h)[0], patience)
	if err != nil {
		t.Fatal(err)
	}
	if n.PeerID != h.ID().String() || n.RTTUS < 1 || n.RTTUS > patience.Microseconds() || n.Version != "0.1.0" {
		t.Errorf("%+v", n)
	}
	// The address first in the list is the one that worked, and it does again.
	addrs, err := peer.AddrInfoFromString(n.Addrs[0])
	if err != nil || addrs.ID != h.ID() || len(addrs.Addrs) != 1 {
		t.Fatalf("%v: %v", n.Addrs, err)
	}
	if slices.Index(n.Addrs[1:], n.Addrs[0]) >= 0 {
		t.Errorf("an address twice: %v", n.Addrs)
	}
	if _, err := Ask(t.Context(), client(t), *addrs, patience); err != nil {
		t.Errorf("asking at %s: %v", n.Addrs[0], err)
	}
}

// TestAskOnlyProvenAddresses: what a node says of its addresses is kept when it
// can be one.
func TestAskOnlyProvenAddresses(t *testing.T) {
	t.Parallel()
	h := server(t)
	n := document()
	n.PeerID = h.ID().String()
	good := "/ip4/192.0.2.1/tcp/1/p2p/" + n.PeerID
	n.Addrs = []string{"/nonsense/p2p/" + n.PeerID, good, "/ip4/300.0.0.1/tcp/1/p2p/" + n.PeerID}
	h.SetStreamHandler(Protocol, answerWith(string(n.Encode())))
	got, err := Ask(t.Context(), client(t), at(h)[0], patience)
	if err != nil || len(got.Addrs) != 2 || got.Addrs[1] != good || !strings.Contains(got.Addrs[0], "127.0.0.1") {
		t.Errorf("%+v: %v", got, err)
	}
}

// TestAskIgnoresItsRTT: how near a node is isn't the node's to say.
func TestAskIgnoresItsRTT(t *testing.T) {
	t.Parallel()
	h := server(t)
	n := document()
	n.PeerID, n.RTTUS = h.ID().String(), job.MaxRTT
	h.SetStreamHandler(Protocol, answerWith(`{"future":[{}],`+string(n.Encode())[1:]))
	got, err := Ask(t.Context(), client(t), at(h)[0], patience)
	if err != nil || got.RTTUS == job.MaxRTT {
		t.Errorf("%+v: %v", got, err)
	}
}

// TestAskBadPeers: over either transport, as they end streams differently.
func TestAskBadPeers(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{tcp, quic} {
		for _, bad := range badPeers() {
			t.Run(bad.name+" at "+listen, func(t *testing.T) {
				t.Parallel()
				h := start(t, network.Config{Server: true, Listen: []string{listen}})
				bad.play(t, h)
				c := start(t, network.Config{Listen: []string{listen}})
				askBadly(t, c, at(h)[0], bad.want)
			})
		}
	}
}

// askBadly asks a peer that must not be believed, for the reason given.
func askBadly(t *testing.T, c *network.Host, info peer.AddrInfo, want string) {
	t.Helper()
	within := patience
	if strings.HasPrefix(want, "no answer") { // which it gives at no time
		within = askTime
	}
	began := time.Now()
	n, err := Ask(t.Context(), c, info, within)
	if n != nil || err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Fatalf("%+v, %v; want %s", n, err, want)
	}
	if took := time.Since(began); within == askTime && took < askTime {
		t.Errorf("took %v", took)
	}
	if strings.ContainsAny(err.Error(), "\n\x1b") || len(err.Error()) > 500 {
		t.Errorf("not safe to print: %q", err)
	}
}

// TestAskUnreachable: nobody there, and somebody there who isn't a peer.
func TestAskUnreachable(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	mute, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mute.Close() })
	gone := server(t)
	stranger, other := at(gone)[0], at(server(t))[0]
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		addr string
		want string
	}{
		"nobody":       {stranger.Addrs[0].String(), "can't be reached: "},
		"mute":         {"/ip4/127.0.0.1/tcp/" + port(t, mute), "no answer within 2s"},
		"another peer": {other.Addrs[0].String(), "can't be reached: "},
		"no address":   {"", "can't be reached: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info := peer.AddrInfo{ID: stranger.ID}
			if test.addr != "" {
				info.Addrs = []ma.Multiaddr{ma.StringCast(test.addr)}
			}
			askBadly(t, client(t), info, test.want)
		})
	}
}

func port(t *testing.T, l net.Listener) string {
	t.Helper()
	_, p, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAskEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := server(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	bad := badPeers()[0]
	asked := bad.play(t, h)
	go func() {
		eventually(t, "asked", func() bool { return asked.Load() > 0 })
		cancel()
	}()
	if _, err := Ask(ctx, client(t), at(h)[0], patience); err != errEnded { //nolint:errorlint // exactly that one
		t.Error(err)
	}
}
