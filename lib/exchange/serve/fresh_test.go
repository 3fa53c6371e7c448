package serve

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	p2p "github.com/libp2p/go-libp2p/core/network"

	"plasm/lib/exchange/queue"
)

// enterPool puts a stream from an address into a pool, and returns it and what is
// dropped for it.
func enterPool(p *pool, from string) (x *session, dropped []*session) {
	x = &session{source: queue.SourceOf(netip.MustParseAddr(from))}
	p.add(x)
	return x, p.overflow()
}

// TestCrowdOfStreams has addresses fill a pool, each in its own way, and one stream
// come from elsewhere: it stays, however many more of them come.
func TestCrowdOfStreams(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		newcomer string
		attacker func(i int) string
	}{
		"eight addresses":             {"192.0.2.1", func(i int) string { return fmt.Sprintf("198.51.100.%d", i%8) }},
		"64 addresses":                {"192.0.2.1", func(i int) string { return fmt.Sprintf("198.51.100.%d", i%64) }},
		"64 addresses of its own /16": {"198.51.7.1", func(i int) string { return fmt.Sprintf("198.51.100.%d", i%64) }},
		"one /64": {
			"2001:db8::1",
			func(i int) string { return fmt.Sprintf("2001:db9:1:2::%x", i) },
		},
		"one /48": {"2001:db8::1", func(i int) string { return fmt.Sprintf("2001:db9:1:%x00::1", i%256) }},
		"a /48 of its own /32": {
			"2001:db8:7::1",
			func(i int) string { return fmt.Sprintf("2001:db8:1:%x00::1", i%64) },
		},
		"IPv6 beside IPv4": {"192.0.2.1", func(i int) string { return fmt.Sprintf("2001:db9:1:%x00::1", i%256) }},
	} {
		p := newPool(maxUnknown, false)
		for i := range 2 * maxUnknown {
			enterPool(p, test.attacker(i))
		}
		oldest := p.victim()
		newcomer, dropped := enterPool(p, test.newcomer)
		if len(dropped) != 1 || dropped[0] != oldest || !oldest.dropped || oldest.pool != nil {
			t.Errorf("%s: %d streams make room", name, len(dropped))
		}
		for i := range 4 * maxUnknown {
			enterPool(p, test.attacker(i))
		}
		if newcomer.dropped || p.units != maxUnknown {
			t.Errorf("%s: the newcomer is dropped: %v; the pool holds %d", name, newcomer.dropped, p.units)
		}
	}
}

// TestOldestGoesFirst: of one source it is the oldest stream that makes room.
func TestOldestGoesFirst(t *testing.T) {
	t.Parallel()
	p := newPool(3, false)
	var all []*session
	for range 3 {
		x, _ := enterPool(p, "192.0.2.1")
		all = append(all, x)
	}
	for _, want := range all {
		if _, dropped := enterPool(p, "192.0.2.1"); len(dropped) != 1 || dropped[0] != want {
			t.Fatalf("%d dropped, the oldest is not", len(dropped))
		}
	}
}

// link is a connection that is not there.
type link struct {
	p2p.Conn

	name string
}

// TestManyStreamsOfOneConnection: a connection that has most of a crowd is closed
// with all its streams, but not for a few, and not where a listed requester came.
func TestManyStreamsOfOneConnection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		of     int
		proved bool
		shut   bool
	}{
		{of: maxTogether + 1, shut: true},
		{of: maxTogether},
		{of: maxTogether + 1, proved: true},
	} {
		p := newPool(test.of, test.proved)
		crowd := &link{name: "crowd"}
		var all []*session
		for range test.of {
			x := &session{source: "198.51.100.1/32", link: crowd}
			p.add(x)
			all = append(all, x)
		}
		newcomer := &session{source: "192.0.2.1/32", link: &link{name: "newcomer"}}
		p.add(newcomer)
		dropped := p.overflow()
		if len(dropped) != 1 || dropped[0] != all[0] || all[0].shut != test.shut || newcomer.dropped {
			t.Errorf("%+v: %d dropped, its connection is closed: %v; the newcomer is dropped: %v", test, len(dropped),
				all[0].shut, newcomer.dropped)
		}
		for i, x := range all {
			if x.dropped != (i == 0 || test.shut) || x.dropped != (x.pool == nil) {
				t.Errorf("%+v: stream %d is dropped: %v", test, i, x.dropped)
			}
		}
	}
}

// TestConnectionMakesRoom: what is broken off with its connection leaves none.
func TestConnectionMakesRoom(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	r := newRequester(t, n, nil)
	stream := r.stream()
	breakOff([]*session{{stream: stream, link: stream.Conn(), shut: true}})
	if _, err := stream.Read(make([]byte, 1)); err == nil || !stream.Conn().IsClosed() {
		t.Errorf("the stream says %v, its connection is closed: %v", err, stream.Conn().IsClosed())
	}
}

// TestOffersUnderWay: what unproven streams hold together is bounded, and those who
// hold most make room.
func TestOffersUnderWay(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	p := n.streams.pools[unknown]
	honest, _ := enterPool(p, "192.0.2.1")
	honest.s = n.Server
	r := newRequester(t, n, nil)
	const offer = 360 << 10
	for i := range maxUnknown {
		x := &session{s: n.Server, stream: r.stream(), source: fmt.Sprintf("198.51.100.%d/32", i%64)}
		n.mu.Lock()
		p.add(x)
		n.mu.Unlock()
		if err := x.hold(offer); x.dropped != errors.Is(err, errDropped) {
			t.Fatalf("stream %d is dropped: %v, and reads on: %v", i, x.dropped, err)
		}
	}
	n.mu.Lock()
	held := 0
	for _, x := range p.order {
		held += x.units * unitBytes
	}
	if most := maxUnknown * unitBytes; held > most || held < most-offer-2*unitBytes || honest.dropped {
		t.Errorf("streams without an offer hold %d bytes of %d; the honest one is dropped: %v", held, most,
			honest.dropped)
	}
	n.mu.Unlock()
	if err := honest.hold(offer); err != nil {
		t.Error("the honest offer makes room for others")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(p.order) > 0 { // none of them is the server's
		p.remove(p.order[0])
	}
	if p.units != 0 || len(p.sources) != 0 || len(p.networks) != 0 {
		t.Errorf("an empty pool holds %+v", p)
	}
}

// TestStandings: who has submitted is known by its connection, and by its address
// when it comes again.
func TestStandings(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), nil)
	r.outcome(j, r.run(j))
	for _, c := range n.host.Network().ConnsToPeer(r.host.ID()) {
		if address, over := n.host.Trusted(c); !address || !over {
			t.Errorf("after a job: %v, %v", address, over)
		}
	}
	other := newRequester(t, n, nil)
	for _, c := range n.host.Network().ConnsToPeer(other.host.ID()) {
		if _, over := n.host.Trusted(c); over {
			t.Error("another one is taken for the requester")
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if most := n.streams.pools[vouching]; !most.proved {
		t.Error("large offers of a listed requester make room for each other")
	}
}
