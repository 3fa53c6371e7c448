package network

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	ma "github.com/multiformats/go-multiaddr"
)

// What an interface has had is left out, but for a relay's address.
func TestWithoutGoneAddresses(t *testing.T) {
	t.Parallel()
	const id = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
	kept := []string{
		"/ip4/192.0.2.2/tcp/1", "/ip6/2001:db8::2/udp/1/quic-v1", "/ip4/192.0.2.1/tcp/1/p2p/" + id + "/p2p-circuit",
	}
	var addrs []ma.Multiaddr
	for _, text := range append([]string{"/ip4/192.0.2.1/tcp/1", "/ip6/2001:db8::1/udp/1/quic-v1"}, kept...) {
		addrs = append(addrs, ma.StringCast(text))
	}
	g := &ground{gone: map[netip.Addr]time.Time{
		netip.MustParseAddr("192.0.2.1"): time.Now(), netip.MustParseAddr("2001:db8::1"): time.Now(),
	}}
	var got []string
	for _, addr := range g.without(addrs) {
		got = append(got, addr.String())
	}
	if diff := cmp.Diff(kept, got); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}
