package bench

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/marcopolo/simnet"

	"plasm/lib/capability"
	"plasm/lib/job"
	"plasm/lib/network"
)

// The simulated network: each packet takes latency, each host has a line of
// bitsPerSecond both ways. Time is simulated too (testing/synctest): computing
// takes none of it, so results are the network's and not this machine's.
const (
	latency       = 50 * time.Millisecond
	bitsPerSecond = 100_000_000
)

// simNodes names the variable that tells TestFindAll how many nodes to search.
const simNodes = "PLASM_SIM_NODES"

// allFound is how TestFindAll says how long it took.
var allFound = regexp.MustCompile(`first after (\d+) ms, all after (\d+) ms`)

// BenchmarkFindAll tells how long a client that knows one address takes until it
// has found all nodes there are, and holds that this grows no faster than the
// logarithm of their number. A search goes in rounds, each of which brings it
// nearer, so its times are multiples of a round trip: two of them are allowed on
// top. Nodes that were asked one after another would be far beyond.
func BenchmarkFindAll(b *testing.B) {
	const roundTrip = 2 * latency
	var smallest, fewest float64
	for _, nodes := range []int{10, 50, 200} {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			var first, all float64
			for b.Loop() {
				first, all = simulated(b, nodes)
			}
			if smallest == 0 {
				smallest, fewest = all, float64(nodes)
			}
			b.ReportMetric(first, "sim-ms-to-first")
			atMost(b, all, "sim-ms-to-all", smallest*math.Log(float64(nodes))/math.Log(fewest)+ms(2*roundTrip))
		})
	}
}

// simulated has TestFindAll search so many nodes: only a test may simulate time.
func simulated(b *testing.B, nodes int) (first, all float64) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run", "^TestFindAll$", "-test.v")
	cmd.Env = append(cmd.Environ(), simNodes+"="+strconv.Itoa(nodes))
	out, err := cmd.CombinedOutput()
	told := allFound.FindSubmatch(out)
	if err != nil || told == nil {
		b.Fatalf("TestFindAll: %v\n%s", err, bytes.TrimSpace(out))
	}
	for i, figure := range []*float64{&first, &all} {
		if *figure, err = strconv.ParseFloat(string(told[i+1]), 64); err != nil {
			b.Fatal(err)
		}
	}
	return first, all
}

// TestFindAll: a client that knows one address finds all nodes of a network in
// which every packet takes 50 ms.
//
//nolint:paralleltest // a bubble of simulated time
func TestFindAll(t *testing.T) {
	nodes := 10
	if text := os.Getenv(simNodes); text != "" {
		var err error
		if nodes, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulation(t)
		var hosts []*network.Host
		var known []peer.AddrInfo
		for range nodes {
			h := sim.join(t, network.Config{Server: true, Bootstrap: known})
			hosts = append(hosts, h)
			known = []peer.AddrInfo{{ID: hosts[0].ID(), Addrs: hosts[0].Addrs()}}
		}
		announced(t, hosts)
		began := time.Now()
		var first, all time.Duration
		client := sim.join(t, network.Config{Bootstrap: known})
		report := capability.Find(t.Context(), client, capability.Search{Timeout: time.Minute}, func(job.Node) {
			if all = time.Since(began); first == 0 {
				first = all
			}
		})
		if report.Found != nodes {
			t.Errorf("%d of %d nodes found, left out: %v", report.Found, nodes, report.LeftOut)
		}
		if all > capability.DefaultTimeout {
			t.Errorf("all found after %v, when a search ends after %v", all, capability.DefaultTimeout)
		}
		t.Logf("%d nodes: first after %d ms, all after %d ms", nodes, first.Milliseconds(), all.Milliseconds())
	})
}

// simulation is a network in which hosts have addresses of 10.0.0.0/16.
type simulation struct {
	net   *simnet.Simnet
	link  simnet.NodeBiDiLinkSettings
	hosts int
}

func newSimulation(t *testing.T) *simulation {
	t.Helper()
	line := simnet.LinkSettings{BitsPerSecond: bitsPerSecond}
	s := &simulation{
		net:  &simnet.Simnet{LatencyFunc: simnet.StaticLatency(latency)},
		link: simnet.NodeBiDiLinkSettings{Downlink: line, Uplink: line},
	}
	s.net.Start()
	t.Cleanup(s.net.Close)
	return s
}

// join starts a host on the simulated network, over QUIC.
func (s *simulation) join(t *testing.T, cfg network.Config) *network.Host {
	t.Helper()
	s.hosts++
	ip := net.IPv4(10, 0, byte(s.hosts>>8), byte(s.hosts))
	cfg.Listen = []string{"/ip4/" + ip.String() + "/udp/7527/quic-v1"}
	cfg.Reachability = network.ReachabilityPublic // else it would ask a real router for a port
	cfg.Simulated = []quicreuse.Option{
		quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return source(ip), nil }),
		quicreuse.OverrideListenUDP(func(_ string, addr *net.UDPAddr) (net.PacketConn, error) {
			return s.net.NewEndpoint(addr, s.link), nil
		}),
	}
	return join(t, cfg)
}

// source is the address that a host's packets come from.
type source net.IP

// PreferredSourceIPForDestination returns it.
func (s source) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) { return net.IP(s), nil }
