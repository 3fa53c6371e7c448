package serve

import (
	"fmt"
	"net/netip"
	"testing"

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
		"one /64":                     {"2001:db8::1", func(i int) string { return fmt.Sprintf("2001:db9:1:2::%x", i) }},
		"one /48":                     {"2001:db8::1", func(i int) string { return fmt.Sprintf("2001:db9:1:%x00::1", i%256) }},
		"a /48 of its own /32":        {"2001:db8:7::1", func(i int) string { return fmt.Sprintf("2001:db8:1:%x00::1", i%64) }},
		"IPv6 beside IPv4":            {"192.0.2.1", func(i int) string { return fmt.Sprintf("2001:db9:1:%x00::1", i%256) }},
	} {
		p := newPool(maxUnknown, true)
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
	p := newPool(3, true)
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

// TestOffersUnderWay: what unproven streams hold together is bounded, and those who
// hold most make room.
func TestOffersUnderWay(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: haunt(echo)}})
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
		x.hold(offer)
	}
	n.mu.Lock()
	held := 0
	for _, x := range p.order {
		held += x.units * unitBytes
	}
	if most := maxUnknown * unitBytes; held > most || held < most-offer-2*unitBytes || honest.dropped {
		t.Errorf("streams without an offer hold %d bytes of %d; the honest one is dropped: %v", held, most, honest.dropped)
	}
	n.mu.Unlock()
	honest.hold(offer)
	if honest.dropped {
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
	n := startNode(t, setup{Config: Config{Run: haunt(echo)}})
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
	if most := n.streams.pools[vouching]; most.bytes {
		t.Error("large offers of a listed requester make room for each other")
	}
}
