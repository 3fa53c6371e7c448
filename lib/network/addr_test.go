package network

import (
	"slices"
	"strings"
	"testing"

	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
)

func TestParseAddrs(t *testing.T) {
	t.Parallel()
	a, b := somebody(t), somebody(t)
	infos, err := ParseAddrs([]string{
		"/ip4/192.0.2.1/tcp/7527/p2p/" + a.String(),
		"/dns4/example.org/tcp/7527/p2p/" + b.String(),
		"/ip4/192.0.2.1/udp/7527/quic-v1/p2p/" + a.String(),
		"/ip4/192.0.2.1/tcp/7527/p2p/" + a.String(),
		"/ip4/192.0.2.1/tcp/7527/p2p/" + b.String() + "/p2p-circuit/p2p/" + a.String(),
	})
	if err != nil || len(infos) != 2 || infos[0].ID != a || infos[1].ID != b || len(infos[0].Addrs) != 3 ||
		len(infos[1].Addrs) != 1 {
		t.Errorf("%v, %v", infos, err)
	}
	if infos, err := ParseAddrs(nil); infos != nil || err != nil {
		t.Errorf("%v, %v", infos, err)
	}
	for value, want := range map[string]string{
		"":                            `not a multiaddress: ""`,
		"example.org:7527":            `not a multiaddress: "example.org:7527"`,
		"/ip4/192.0.2.1/tcp/7527":     `a multiaddress without /p2p/ID at its end: "/ip4/192.0.2.1/tcp/7527"`,
		"/p2p/" + a.String():          `a peer ID without an address before it: "/p2p/` + a.String() + `"`,
		"/ip4/1.2.3.4/tcp/1/p2p/12D3": `not a multiaddress: "/ip4/1.2.3.4/tcp/1/p2p/12D3"`,
		"/ip4/\x1b[1m\n":              `not a multiaddress: "/ip4/\x1b[1m\n"`,
	} {
		_, err := ParseAddrs([]string{"/ip4/192.0.2.1/tcp/7527/p2p/" + a.String(), value})
		if code, message, hint := told(t, err); code != job.CodeUsage || message != want || hint == "" {
			t.Errorf("%q: %s %s (%s)", value, code, message, hint)
		}
	}
}

func multiaddrs(values ...string) []ma.Multiaddr {
	addrs := make([]ma.Multiaddr, 0, len(values))
	for _, value := range values {
		addrs = append(addrs, ma.StringCast(value))
	}
	return addrs
}

func texts(addrs []ma.Multiaddr) []string {
	values := make([]string, 0, len(addrs))
	for _, addr := range addrs {
		values = append(values, addr.String())
	}
	return values
}

func TestAnnounceable(t *testing.T) {
	t.Parallel()
	local := []string{"/ip4/127.0.0.1/tcp/1", "/ip6/::1/udp/1/quic-v1"}
	if got := texts(announceable(multiaddrs(local...))); !slices.Equal(got, local) {
		t.Errorf("where there is only loopback: %v", got)
	}
	private := []string{"/ip4/10.0.0.1/tcp/1", "/p2p-circuit"}
	if got := texts(announceable(multiaddrs(append(private, local...)...))); !slices.Equal(got, private) {
		t.Errorf("where there are others: %v", got)
	}
	if got := announceable(nil); len(got) != 0 {
		t.Errorf("none: %v", got)
	}
}

// Addresses of strangers are printed and dialled, so only plain ones are kept.
func TestDialable(t *testing.T) {
	t.Parallel()
	relay := somebody(t).String()
	good := []string{
		"/ip4/192.0.2.1/tcp/7527", "/ip6/2001:db8::1/udp/7527/quic-v1", "/dns4/a-b_c.example/tcp/1",
		"/ip4/192.0.2.1/tcp/7527/p2p/" + relay + "/p2p-circuit",
	}
	bad := []string{
		"/unix/tmp/x", "/ip4/192.0.2.1/tcp/80/http", "/ip4/192.0.2.1/udp/1/quic-v1/webtransport",
		"/dns4/a\x1b[1m/tcp/1", "/dns4/a\u202eb/tcp/1", "/ip6zone/x/ip6/fe80::1/tcp/1",
	}
	if got := texts(dialable(multiaddrs(append(bad, good...)...))); !slices.Equal(got, good) {
		t.Errorf("%v", got)
	}
	if got := dialable(multiaddrs(strings.Split(strings.Repeat(good[0]+" ", 50),
		" ")[:50]...)); len(got) != maxProviderAddrs {
		t.Errorf("%d addresses kept", len(got))
	}
}

// The name of a key in the DHT is part of the protocol: sha256sum of the bytes
// "plasm-capability/1 arch=amd64" is what the CID holds.
func TestKeyCID(t *testing.T) {
	t.Parallel()
	id, err := Key("arch=amd64").CID()
	if err != nil {
		t.Fatal(err)
	}
	const digest = "3c6855960b67729ce4543df388206a7a6f74035594ea1fdaa2f00c0269509a3e"
	prefix := id.Prefix()
	if got := id.Hash().HexString(); got != "1220"+digest || prefix.Version != 1 || prefix.Codec != 0x55 {
		t.Errorf("%s %s, %+v", id, got, prefix)
	}
}
