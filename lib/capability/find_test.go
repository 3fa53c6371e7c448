package capability

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/test/need"
)

// fleet starts n nodes of mixed capabilities, all known to the first host only.
func fleet(t *testing.T, n int) (hub *network.Host, nodes map[string]job.Node) {
	t.Helper()
	hub = server(t)
	hosts := make([]*network.Host, n)
	for i := range hosts { // one after the other: they all share this machine
		hosts[i] = server(t, hub)
		eventually(t, "in the network", func() bool { return hosts[i].TableSize() > 0 })
	}
	nodes = map[string]job.Node{}
	var announcers []*Announcer
	for i, h := range hosts {
		d := document()
		d.Arch = []string{"amd64", "amd64", "arm64"}[i%3]
		d.OS = []string{"linux", "darwin"}[i%2]
		d.CPUCores = int64(1 + i%16)
		d.Limits.MemoryMB = []int64{256, 512, 1024, 1500, 4096}[i%5]
		if i%4 == 0 {
			d.Engines = append(d.Engines, job.NodeEngine{Name: "wasmtime", Version: "40.0.0"})
		}
		if i%7 == 0 {
			d.Guards = []string{"rlimits"}
		}
		d.Slots.Free = int64(i % 3)
		nodes[h.ID().String()] = d
		s := Serve(h, func() job.Node { return d }, nil)
		a := Announce(h, Announcement{Keys: Keys(&d), Debounce: time.Hour}) // once
		t.Cleanup(func() {
			a.Close()
			s.Close()
		})
		announcers = append(announcers, a)
	}
	for _, a := range announcers {
		eventually(t, "announced", func() bool { return a.State().Pending == 0 })
	}
	return hub, nodes
}

// TestFindInAFleet searches among 50 nodes by clients that start cold and know
// one address. It isn't parallel: it takes all that the machine has.
func TestFindInAFleet(t *testing.T) {
	need.Time(t)
	hub, nodes := fleet(t, 50)
	if len(nodes) != 50 {
		t.Fatalf("%d nodes", len(nodes))
	}
	for _, need := range []Need{
		{},
		{Arch: "arm64"},
		{OS: "darwin", MinCores: 5},
		{Engine: "wasmtime", Free: true},
		{MinMemoryMB: 1025},
		{MinMemoryMB: 512, Guards: []string{"seccomp"}, MinCores: 3, Arch: "amd64"},
		{MinCores: 17},
	} {
		t.Run(fmt.Sprintf("%+v", need), func(t *testing.T) { findAllThatFit(t, hub, nodes, need) })
	}
	t.Run("to a limit", func(t *testing.T) {
		for _, limit := range []int{1, 3} {
			found, report := find(t, client(t, hub), Search{Limit: limit})
			if len(found) != limit || report.End != EndLimit {
				t.Errorf("limit %d: %d, %s", limit, len(found), report.End)
			}
		}
	})
	t.Run("by a caller who takes time", func(t *testing.T) {
		c := client(t, hub)
		calls := 0
		Find(t.Context(), c, Search{Timeout: patience}, func(job.Node) {
			if calls == 0 { // all are asked all the same
				eventually(t, "all connected", func() bool { return len(c.Network().Peers()) > len(nodes) })
			}
			calls++
		})
		if calls != len(nodes) {
			t.Errorf("%d found", calls)
		}
	})
}

// findAllThatFit finds all that fit and no other, with the reason for each that
// was left out.
func findAllThatFit(t *testing.T, hub *network.Host, nodes map[string]job.Node, wanted Need) {
	t.Helper()
	found, report := find(t, client(t, hub), Search{Need: wanted, Timeout: patience})
	for id := range nodes {
		d := nodes[id]
		_, ok := found[id]
		if fits := wanted.Against(&d) == nil; ok != fits {
			t.Errorf("%s (%+v): found %v, fits %v, left out as it %s", id, d, ok, fits, left(report, hub.ID()))
		}
	}
	if report.End != EndThrough || report.Candidates != len(found)+len(report.LeftOut) {
		t.Errorf("%+v", report)
	}
	if why := left(report, hub.ID()); why != "does not speak /plasm/node/1.0.0" {
		t.Errorf("the hub was left out as it %s", why)
	}
	for _, l := range report.LeftOut {
		if l.Err == nil && (len(l.Why) == 0 || l.Node == nil) {
			t.Errorf("without a reason: %+v", l)
		}
	}
}

// TestFindDespiteBadPeers: each kind of bad peer beside a good one. This is found,
// and the search ends without the bad one's answer.
func TestFindDespiteBadPeers(t *testing.T) {
	t.Parallel()
	for _, bad := range badPeers() {
		t.Run(bad.name, func(t *testing.T) {
			t.Parallel()
			hub := server(t)
			good, _ := node(t, document(), hub)
			h := server(t, hub)
			asked := bad.play(t, h)
			announce(t, h)
			found, report := find(t, client(t, hub), Search{})
			if _, ok := found[good.ID().String()]; !ok || len(found) != 1 {
				t.Errorf("found %v; %v", found, report.Lines())
			}
			if why := left(report, h.ID()); !strings.HasPrefix(why, bad.want) {
				t.Errorf("left out as it %s; want %s", why, bad.want)
			}
			if n := asked.Load(); n > 1 {
				t.Errorf("asked %d times", n)
			}
			if report.End != EndThrough { // and not at the search's timeout
				t.Errorf("%s after %v", report.End, report.Took)
			}
		})
	}
}

// TestFindOnABusyMachine: the only node takes longer to answer than a silent one is
// waited for, and it is found.
func TestFindOnABusyMachine(t *testing.T) {
	t.Parallel()
	h := server(t)
	n := document()
	n.PeerID = h.ID().String()
	h.SetStreamHandler(Protocol, func(s p2p.Stream) {
		<-time.After(askTime + askTime/4)
		answerWith(string(n.Encode()))(s)
	})
	if found, report := find(t, client(t, h), Search{}); len(found) != 1 || report.End != EndThrough {
		t.Errorf("%v; %v", found, report.Lines())
	}
}

// TestFindDespiteManyBadPeers: all kinds together.
func TestFindDespiteManyBadPeers(t *testing.T) {
	t.Parallel()
	hub := server(t)
	good, _ := node(t, document(), hub)
	var bads sync.WaitGroup
	for _, bad := range badPeers() {
		bads.Go(func() {
			h := server(t, hub)
			bad.play(t, h)
			announce(t, h)
		})
	}
	bads.Wait()
	found, report := find(t, client(t, hub), Search{Limit: 1})
	if _, ok := found[good.ID().String()]; !ok || report.End != EndLimit {
		t.Errorf("%v; %v", found, report.Lines())
	}
}

// TestFindWhenNodesHaveGone: their records are still there.
func TestFindWhenNodesHaveGone(t *testing.T) {
	t.Parallel()
	hub := server(t)
	stays, _ := node(t, document(), hub)
	gone := map[peer.ID]bool{}
	for range 3 {
		h, leave := node(t, document(), hub)
		gone[h.ID()] = true
		leave()
	}
	found, report := find(t, client(t, hub), Search{})
	if _, ok := found[stays.ID().String()]; !ok || len(found) != 1 {
		t.Errorf("found %v; %v", found, report.Lines())
	}
	for id := range gone {
		if why := left(report, id); !strings.HasPrefix(why, "can't be reached: ") && why != "no answer within 2s" {
			t.Errorf("%s: %q; %v", id, why, report.Lines())
		}
	}
}

// TestFindWhileNodesComeAndGo: those that are there all the time are found, and
// nothing ever fails.
func TestFindWhileNodesComeAndGo(t *testing.T) {
	t.Parallel()
	hub := server(t)
	var stay []peer.ID
	for range 5 {
		h, _ := node(t, document(), hub)
		stay = append(stay, h.ID())
	}
	for range 3 {
		c := client(t, hub)
		eventually(t, "connected", func() bool { return c.TableSize() > 0 })
		var moving sync.WaitGroup
		for range 2 { // while c searches
			moving.Go(func() {
				for range 3 {
					_, leave := node(t, document(), hub)
					leave()
				}
			})
		}
		found, report := find(t, c, Search{})
		for _, id := range stay {
			if _, ok := found[id.String()]; !ok {
				t.Errorf("%s wasn't found; %v", id, report.Lines())
			}
		}
		moving.Wait()
	}
}

// TestFindNeighbourOnly: the only peer is one that the host knows itself; it is
// alone, so nothing of it is in any DHT.
func TestFindNeighbourOnly(t *testing.T) {
	t.Parallel()
	h := server(t)
	s := Serve(h, document, nil)
	defer s.Close()
	found, report := find(t, client(t, h), Search{})
	if len(found) != 1 || report.End != EndThrough {
		t.Errorf("%v; %v", found, report.Lines())
	}
}

// TestFindAgain: a second search on the same host finds the same.
func TestFindAgain(t *testing.T) {
	t.Parallel()
	hub := server(t)
	s := Serve(hub, document, nil)
	defer s.Close()
	h, _ := node(t, document(), hub)
	c := client(t, hub)
	for range 3 {
		found, report := find(t, c, Search{})
		if _, ok := found[h.ID().String()]; !ok || len(found) != 2 {
			t.Errorf("%v; %v", found, report.Lines())
		}
	}
}

func TestFindNobody(t *testing.T) {
	t.Parallel()
	gone := server(t) // over QUIC it takes 5 s to see that nobody is there
	nowhere := at(gone)
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	var config net.ListenConfig
	mute, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mute.Close() })
	silent := []peer.AddrInfo{{
		ID:    gone.ID(),
		Addrs: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/" + port(t, mute))},
	}}
	tests := []struct {
		name   string
		known  []peer.AddrInfo
		search Search
		end    End
		least  time.Duration
		line   string
	}{
		{"no address", nil, Search{}, EndThrough, 0, "no address to begin with"},
		{"no address, listening", nil, Search{MDNS: true}, EndThrough, listenTime, "no neighbour was heard"},
		{
			"nobody there", nowhere,
			Search{},
			EndThrough, 0,
			"bootstrap peer did not answer: connection refused: /ip4/127.0.0.1/",
		},
		{
			"nobody there, listening", nowhere,
			Search{MDNS: true},
			EndThrough, listenTime,
			"bootstrap peer did not answer: connection refused: /ip4/127.0.0.1/",
		},
		{"nobody who answers", silent, Search{Timeout: time.Second}, EndTimeout, time.Second, "no answer within"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := start(t, network.Config{Bootstrap: test.known})
			found, report := find(t, c, test.search)
			if len(found) != 0 || report.End != test.end || report.Took < test.least {
				t.Errorf("%v, %s after %v", found, report.End, report.Took)
			}
			text := strings.Join(report.Lines(), "\n")
			if !strings.Contains(text, test.line) ||
				!strings.Contains(text, "candidates asked: 0, found: 0, left out: 0") {
				t.Error(text)
			}
		})
	}
}

// TestFindDespiteAMuteContact: one first contact never answers. What the other
// leads to is found, and the search doesn't wait for the first.
func TestFindDespiteAMuteContact(t *testing.T) {
	t.Parallel()
	hub := server(t)
	good, _ := node(t, document(), hub)
	gone := server(t)
	var config net.ListenConfig
	mute, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mute.Close() }()
	silent := peer.AddrInfo{ID: gone.ID(), Addrs: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/" + port(t, mute))}}
	c := start(t, network.Config{Bootstrap: append([]peer.AddrInfo{silent}, at(hub)...)})
	found, report := find(t, c, Search{})
	if _, ok := found[good.ID().String()]; !ok || report.End != EndThrough {
		t.Errorf("%v; %v after %v", found, report.Lines(), report.Took)
	}
}

// TestFindInEachNetwork: two first contacts that don't know of each other.
func TestFindInEachNetwork(t *testing.T) {
	t.Parallel()
	one, two := server(t), server(t)
	a, _ := node(t, document(), one)
	b, _ := node(t, document(), two)
	found, report := find(t, client(t, one, two), Search{})
	if found[a.ID().String()].PeerID == "" || found[b.ID().String()].PeerID == "" {
		t.Errorf("%v; %v", found, report.Lines())
	}
}

func TestFindEndsWithItsContext(t *testing.T) {
	t.Parallel()
	hub := server(t)
	good, _ := node(t, document(), hub)
	h := server(t, hub)
	badPeers()[0].play(t, h)
	announce(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	report := Find(ctx, client(t, hub), Search{Timeout: patience}, func(n job.Node) {
		if n.PeerID == good.ID().String() {
			cancel()
		}
	})
	if report.End != EndStopped {
		t.Errorf("%s after %v", report.End, report.Took)
	}
	if why := left(report, h.ID()); why != errEnded.Error() && why != "" {
		t.Errorf("left out as: %s", why)
	}
}

// TestFindNearestFirst: of those that have arrived the nearest comes first, here
// of all that came while the caller was busy with the first.
func TestFindNearestFirst(t *testing.T) {
	t.Parallel()
	f := &finder{news: make(chan struct{}, 1), search: Search{}}
	for _, rtt := range []int64{50, 10, 40, 20} {
		f.arrived = append(f.arrived, job.Node{RTTUS: rtt})
	}
	var order []int64
	f.handOver(func(n job.Node) {
		order = append(order, n.RTTUS)
		if n.RTTUS == 20 { // meanwhile two more arrive
			f.arrived = append(f.arrived, job.Node{RTTUS: 60}, job.Node{RTTUS: 30})
		}
	})
	if want := []int64{10, 20, 30, 40, 50, 60}; !slices.Equal(order, want) {
		t.Errorf("%v, want %v", order, want)
	}
}

// TestFindLeavesNothingRunning isn't parallel, so that only its own goroutines
// are there to be seen.
func TestFindLeavesNothingRunning(t *testing.T) {
	hub := server(t)
	node(t, document(), hub)
	for _, bad := range badPeers() {
		h := server(t, hub)
		bad.play(t, h)
		announce(t, h)
	}
	c := client(t, hub)
	for _, s := range []Search{{}, {Limit: 1}, {Timeout: 50 * time.Millisecond}} {
		find(t, c, s)
		if left := goroutines("capability.(*finder)", "capability.Ask", "network.(*Host).Providers"); len(left) > 0 {
			t.Errorf("%+v: still running:\n%s", s, strings.Join(left, "\n\n"))
		}
	}
}
