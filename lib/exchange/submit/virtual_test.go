package submit

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/marcopolo/simnet"
	manet "github.com/multiformats/go-multiaddr/net"

	"plasm/lib/network"
)

// simulate gives a test in a bubble of virtual time a network, over QUIC, for its hosts.
// Computing takes no time there: what a timeout does doesn't depend on the machine.
func simulate(t *testing.T) {
	t.Helper()
	s := &simulation{
		net: &simnet.Simnet{LatencyFunc: simnet.StaticLatency(time.Millisecond)}, homes: 1, dead: map[string]bool{},
	}
	s.net.Start()
	simulations.Store(t, s)
	t.Cleanup(func() {
		simulations.Delete(t)
		s.net.Close()
	})
}

// simulations has the networks, by test.
var simulations sync.Map

// simulationOf returns the network of a test in virtual time, nil for any other test.
func simulationOf(t *testing.T) *simulation {
	t.Helper()
	value, _ := simulations.Load(t)
	s, _ := value.(*simulation)
	return s
}

// simulation is a network whose hosts have addresses of 10.0.0.0/24.
type simulation struct {
	net *simnet.Simnet

	mu    sync.Mutex
	addrs int
	homes int             // addresses that the next host gets
	dead  map[string]bool // addresses that no packet comes from and none goes to
}

// settle gives a host its addresses.
func (s *simulation) settle(cfg *network.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ip net.IP
	cfg.Listen = nil
	for range s.homes {
		s.addrs++
		ip = net.IPv4(10, 0, 0, byte(s.addrs))
		cfg.Listen = append(cfg.Listen, "/ip4/"+ip.String()+"/udp/7527/quic-v1")
	}
	s.homes = 1
	line := simnet.LinkSettings{BitsPerSecond: 1e9}
	cfg.Reachability = network.ReachabilityPublic // else it would ask a real router for a port
	cfg.Simulated = []quicreuse.Option{
		quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return sourceIP(ip), nil }),
		quicreuse.OverrideListenUDP(func(_ string, addr *net.UDPAddr) (net.PacketConn, error) {
			return &socket{s.net.NewEndpoint(addr, simnet.NodeBiDiLinkSettings{Downlink: line, Uplink: line}), s}, nil
		}),
	}
}

// cut takes a host's first address away, so that nothing passes and nothing says so, or gives
// it back.
func (s *simulation) cut(n *fakeNode, cut bool) {
	_, addr, err := manet.DialArgs(n.host.Network().ListenAddresses()[0])
	if err != nil {
		n.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead[addr] = cut
}

// socket is a socket of the simulated network.
type socket struct {
	*simnet.SimConn

	s *simulation
}

// WriteTo sends a packet, which gets lost where the way is cut.
func (c *socket) WriteTo(p []byte, to net.Addr) (int, error) {
	c.s.mu.Lock()
	dead := c.s.dead[to.String()] || c.s.dead[c.LocalAddr().String()]
	c.s.mu.Unlock()
	if dead {
		return len(p), nil
	}
	return c.SimConn.WriteTo(p, to)
}

// sourceIP is the address that a host's packets come from.
type sourceIP net.IP

// PreferredSourceIPForDestination returns it.
func (s sourceIP) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) {
	return net.IP(s), nil
}
