package serve

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
)

// relayData is what the relay of these tests lets through in each direction, and
// announces.
const relayData = 128 << 10

// startRelay starts a relay at which n has a place.
func startRelay(t *testing.T, n *testNode) host.Host {
	t.Helper()
	resources := relay.DefaultResources()
	resources.Limit = &relay.RelayLimit{Duration: time.Minute, Data: relayData}
	r, err := libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.ForceReachabilityPublic(),
		libp2p.EnableRelayService(relay.WithResources(resources)),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	at := peer.AddrInfo{ID: r.ID(), Addrs: r.Addrs()}
	if err := n.host.Connect(ctx, at); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Reserve(ctx, n.host, at); err != nil {
		t.Fatal(err)
	}
	return r
}

// newRelayed is newRequester over a relay.
func newRelayed(t *testing.T, n *testNode, over host.Host) *requester {
	t.Helper()
	r := &requester{t: t, n: n, key: identity.Generate(), host: startHost(t, nil, false)}
	t.Cleanup(func() {
		if err := r.host.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	addr := over.Addrs()[0].Encapsulate(ma.StringCast("/p2p/" + over.ID().String() + "/p2p-circuit"))
	if err := r.host.Connect(ctx, peer.AddrInfo{ID: n.host.ID(), Addrs: []ma.Multiaddr{addr}}); err != nil {
		t.Fatal(err)
	}
	if how := r.host.Network().Connectedness(n.host.ID()); how != p2p.Limited {
		t.Fatalf("the connection is %v", how)
	}
	return r
}

// TestJobOverRelay: a job that fits through a relay runs as any other does, and
// what does not fit is refused in words before it is cut off without.
func TestJobOverRelay(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{})
	over := startRelay(t, n)
	cat := module(t, "cat")
	budget := wire.RelayBudget(relayData)

	r := newRelayed(t, n, over)
	j := newJob(cat, []byte("over a relay"))
	if a := r.run(j); string(a.stdout) != "over a relay" || r.outcome(j, a).Status != job.Exit {
		t.Errorf("stdout %q", a.stdout)
	}
	j = newJob(cat, make([]byte, relayData))
	a := r.open(j).end()
	a.rejected(t, job.RejectRelayLimited)
	left := budget - 2*int64(len(j.manifest.Encode()))
	if a.accept != nil || a.rejection.Have != left || a.rejection.Need != int64(relayData) {
		t.Errorf("accept %+v, rejection %+v: it needs %d of %d", a.accept, a.rejection, relayData, left)
	}

	// What a program writes is not known before. This one writes two bytes at a time,
	// and so mostly headers.
	r = newRelayed(t, n, over)
	j = newJob(module(t, "yes"), nil)
	j.manifest.OutputLimitBytes = 4 * relayData
	a = r.run(j)
	a.rejected(t, job.RejectRelayLimited)
	if got := int64(len(a.stdout)); a.started == nil || got > budget {
		t.Errorf("%d bytes of output came, of %d that fit through", got, budget)
	}

	// As much as fits does come.
	r = newRelayed(t, n, over)
	input := bytes.Repeat([]byte{'x'}, int(budget)-len(cat)-4<<10) // less the manifest, twice, and headers
	j = newJob(cat, input)
	if a = r.run(j); r.outcome(j, a).Status != job.Exit || !bytes.Equal(a.stdout, input) {
		t.Errorf("%d bytes of %d", len(a.stdout), len(input))
	}
}

// TestSourceOverRelay: who comes over a relay is charged by the relay's address,
// as many relays as there may be at it, and as many peer IDs behind them.
func TestSourceOverRelay(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{
		listed: func(string) bool { return false }, any: true,
		queue: queue.Config{Slots: 2, MemoryMB: 4096, Waiting: 4, UnlistedRate: queue.Rate{Every: time.Hour, Burst: 3}},
	})
	n.wanted(t)
	overs := []host.Host{startRelay(t, n), startRelay(t, n)}
	for i := range 3 {
		r := newRelayed(t, n, overs[i%2])
		j := newJob(module(t, "exit-0"), nil)
		r.outcome(j, r.run(j))
	}
	newRelayed(t, n, overs[0]).open(newJob(module(t, "exit-0"), nil)).end().rejected(t, job.RejectRateLimited)
	newRequester(t, n, nil).open(newJob(module(t, "exit-0"), nil)).end().rejected(t, job.RejectRateLimited)
}
