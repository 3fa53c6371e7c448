package network

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/time/rate"
)

func TestMDNSMessages(t *testing.T) {
	t.Parallel()
	query, err := mdnsQuery()
	if err != nil {
		t.Fatal(err)
	}
	if asks, infos, err := readMDNS(query); !asks || infos != nil || err != nil {
		t.Errorf("query: %v, %v, %v", asks, infos, err)
	}
	// The bytes of the protocol, once.
	const bytes = "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06_plasm\x04_udp\x05local\x00\x00\x0c\x00\x01"
	if string(query) != bytes {
		t.Errorf("query is %q", query)
	}
	id := somebody(t)
	addrs := multiaddrs("/ip4/10.0.0.1/tcp/7527", "/ip6/2001:db8::1/udp/7527/quic-v1")
	response, err := mdnsResponse("NAME", id, addrs, mdnsTTL)
	if err != nil {
		t.Fatal(err)
	}
	asks, infos, err := readMDNS(response)
	if asks || err != nil || len(infos) != 1 || infos[0].ID != id ||
		!slices.Equal(texts(infos[0].Addrs), texts(addrs)) {
		t.Errorf("response: %v, %v, %v", asks, infos, err)
	}
	goodbye, err := mdnsResponse("NAME", id, addrs, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, infos, err := readMDNS(goodbye); infos != nil || !errors.Is(err, errNotOurs) {
		t.Errorf("goodbye: %v, %v", infos, err)
	}
	const longest = "/ip6/2001:db8:1111:2222:3333:4444:5555:6666/udp/65535/quic-v1 "
	many := multiaddrs(strings.Fields("/ip4/10.0.0.1/tcp/7527 " + strings.Repeat(longest, 50))...)
	if packet, err := mdnsResponse(rand.Text(), id, many, mdnsTTL); err != nil || len(packet) > 1452 ||
		len(packet) < 1152 {
		t.Errorf("%d bytes don't fill a frame of IPv6, %v", len(packet), err)
	}
}

// foreign is a response with one TXT record.
func foreign(tb testing.TB, name string, text ...string) []byte {
	tb.Helper()
	message := dnsmessage.Message{
		Header: dnsmessage.Header{Response: true},
		Answers: []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: 10},
			Body:   &dnsmessage.TXTResource{TXT: text},
		}},
	}
	packet, err := message.Pack()
	if err != nil {
		tb.Fatal(err)
	}
	return packet
}

func TestMDNSPassesOver(t *testing.T) {
	t.Parallel()
	id := somebody(t).String()
	good := "dnsaddr=/ip4/10.0.0.1/tcp/7527/p2p/" + id
	if _, infos, err := readMDNS(foreign(t, "X._PLASM._udp.local.", good, "x=y")); err != nil || len(infos) != 1 {
		t.Errorf("%v, %v", infos, err)
	}
	for name, packet := range map[string][]byte{
		"another service": foreign(t, "X._p2p._udp.local.", good),
		"no address":      foreign(t, "X._plasm._udp.local.", "x=y"),
		"no peer ID":      foreign(t, "X._plasm._udp.local.", "dnsaddr=/ip4/10.0.0.1/tcp/7527"),
		"name":            foreign(t, "X._plasm._udp.local.", "dnsaddr=/dns4/evil.example/tcp/7527/p2p/"+id),
		"relayed": foreign(t, "X._plasm._udp.local.",
			"dnsaddr=/ip4/10.0.0.1/tcp/7527/p2p/"+id+"/p2p-circuit/p2p/"+id),
		"nothing": {},
		"half":    foreign(t, "X._plasm._udp.local.", good)[:40],
	} {
		if asks, infos, err := readMDNS(packet); asks || len(infos) > 0 || err == nil {
			t.Errorf("%s: %v, %v, %v", name, asks, infos, err)
		}
	}
}

// What a neighbour says becomes a contact that is dialled.
func TestHear(t *testing.T) {
	t.Parallel()
	log := newJournal()
	node := start(t, Config{Server: true})
	h := start(t, Config{Log: log.logger()})
	n := &neighbours{
		Host: h, answers: rate.NewLimiter(1, 1), reads: rate.NewLimiter(1, 1),
		asked: make(chan struct{}, 1),
	}
	packet, err := mdnsResponse("NAME", node.ID(), node.LocalAddrs(), mdnsTTL)
	if err != nil {
		t.Fatal(err)
	}
	n.hear(packet)
	n.hear(packet)
	if info := wait(t, "Found", h.Found()); info.ID != node.ID() {
		t.Errorf("found %v", info)
	}
	wait(t, "the table", h.Ready())
	log.await(t, "peer.discovered", "peer", node.ID().String())
	if c := h.Contacts(); len(c) != 1 || c[0].Source != SourceMDNS {
		t.Errorf("%+v", c)
	}
	query, err := mdnsQuery()
	if err != nil {
		t.Fatal(err)
	}
	for range 10 { // answers are limited
		n.hear(query)
	}
	if len(n.asked) != 1 || n.answers.Allow() {
		t.Error("a query is not noted once")
	}
}

// Strangers on the local network cannot crowd out contacts for good.
func TestContactsAreBounded(t *testing.T) {
	t.Parallel()
	h := start(t, Config{})
	for range 2 * maxContacts {
		h.note(peer.AddrInfo{ID: somebody(t), Addrs: multiaddrs("/ip4/127.0.0.1/tcp/1")}, SourceMDNS)
	}
	if n := len(h.Contacts()); n != maxContacts {
		t.Errorf("%d contacts", n)
	}
	h.mu.Lock()
	h.contacts[7].State = ContactFailed
	h.mu.Unlock()
	if h.note(peer.AddrInfo{ID: somebody(t), Addrs: multiaddrs("/ip4/127.0.0.1/tcp/1")}, SourceLocal) == nil {
		t.Error("a neighbour that is gone does not give way")
	}
}

func FuzzReadMDNS(f *testing.F) {
	query, err := mdnsQuery()
	if err != nil {
		f.Fatal(err)
	}
	id, err := peer.Decode("12D3KooWNFmp3YfL2F4mJYMnb1WAjQaWc4ZK53hkuXjAEGMa8i5A")
	if err != nil {
		f.Fatal(err)
	}
	response, err := mdnsResponse("NAME", id, multiaddrs("/ip4/10.0.0.1/tcp/7527", "/ip6/2001:db8::1/udp/7527/quic-v1"),
		mdnsTTL)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(query)
	f.Add(response)
	f.Add(foreign(f, "X._plasm._udp.local.", "dnsaddr=/dns4/evil\x1b/tcp/1/p2p/"+id.String()))
	f.Fuzz(func(t *testing.T, packet []byte) {
		asks, infos, err := readMDNS(packet)
		if err != nil && (asks || len(infos) > 0) {
			t.Fatalf("%v beside %v, %v", err, asks, infos)
		}
		for _, info := range infos {
			for _, addr := range info.Addrs {
				if !isDialable(addr) || strings.ContainsFunc(addr.String(),
					func(r rune) bool { return r < ' ' || r > '~' }) {
					t.Errorf("%q", addr)
				}
			}
		}
	})
}
