package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	natpmp "github.com/jackpal/go-nat-pmp"
	"github.com/libp2p/go-libp2p/core/network"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/libp2p/go-netroute"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// How a router is asked by NAT-PMP. One that restarts forgets what it mapped, so
// it is asked long before a mapping ends.
const (
	pmpPatience = time.Second // for one answer of a router a wire away
	pmpRenew    = time.Minute
	pmpLifetime = 10 * time.Minute
)

// portMaps has the router open the host's ports, by NAT-PMP (RFC 6886), or by
// UPnP where it does not speak that. UPnP is libp2p's. So would NAT-PMP be, if
// v0.51 found the router: it asks go-netroute v0.4 for the way to 0.0.0.0, which
// that refuses on Linux.
//
// It is a basichost.NATManager: libp2p asks for mappings every 5 s.
type portMaps struct {
	net    network.Network
	log    *slog.Logger
	router func() (net.IP, error)
	again  chan struct{} // cap 1: listening addresses changed

	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	at     net.IP                // the router that mapped
	mapped map[port]ma.Multiaddr // to /ip4/ADDR/tcp|udp/PORT outside
	upnp   basichost.NATManager  // nil while NAT-PMP works
}

// port is a port of this machine.
type port struct {
	protocol string // tcp or udp
	number   int
}

// newPortMaps begins to map the ports that n listens at, until Close. router
// returns the address of the router; log gets what goes wrong.
func newPortMaps(n network.Network, log *slog.Logger, router func() (net.IP, error)) *portMaps {
	ctx, stop := context.WithCancel(context.Background())
	p := &portMaps{net: n, log: log, router: router, again: make(chan struct{}, 1), stop: stop}
	p.running.Go(func() { p.keep(ctx) })
	return p
}

// defaultRouter returns the address of the machine's way out: where it would
// send what is for the anycast address of port mapping (RFC 7723).
func defaultRouter() (net.IP, error) {
	routes, err := netroute.New()
	if err != nil {
		return nil, err
	}
	_, router, _, err := routes.Route(net.IPv4(192, 0, 0, 9))
	if err == nil && router == nil {
		err = errors.New("no router on the way out")
	}
	return router, err
}

// HasDiscoveredNAT reports whether a router maps ports.
func (p *portMaps) HasDiscoveredNAT() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.mapped) > 0 || p.upnp != nil && p.upnp.HasDiscoveredNAT()
}

// GetMapping returns the address outside of the listening address inside, or nil.
func (p *portMaps) GetMapping(inside ma.Multiaddr) ma.Multiaddr {
	p.mu.Lock()
	upnp := p.upnp
	where, isPort := portOf(inside)
	outside, isMapped := p.mapped[where]
	p.mu.Unlock()
	if isPort && isMapped {
		return slices.Concat(outside, inside[2:])
	}
	if upnp != nil {
		return upnp.GetMapping(inside)
	}
	return nil
}

// portOf returns the port of a listening address that others can reach over
// IPv4.
func portOf(addr ma.Multiaddr) (p port, ok bool) {
	if len(addr) < 2 || addr[0].Protocol().Code != ma.P_IP4 || manet.IsIPLoopback(addr) {
		return port{}, false
	}
	number, err := strconv.Atoi(addr[1].Value())
	return port{addr[1].Protocol().Name, number}, err == nil
}

// Close takes the mappings back and waits until that is done, some seconds at
// most.
func (p *portMaps) Close() error {
	p.stop()
	p.running.Wait()
	if p.upnp != nil { // nobody writes it any more
		return p.upnp.Close()
	}
	return nil
}

// keep maps and renews until ctx ends.
func (p *portMaps) keep(ctx context.Context) {
	changed := &network.NotifyBundle{ListenF: p.listening, ListenCloseF: p.listening}
	p.net.Notify(changed)
	defer p.net.StopNotify(changed)
	defer p.takeBack()
	renew := time.NewTicker(pmpRenew)
	defer renew.Stop()
	for {
		p.mapAll()
		select {
		case <-ctx.Done():
			return
		case <-renew.C:
		case <-p.again:
		}
	}
}

func (p *portMaps) listening(network.Network, ma.Multiaddr) {
	select {
	case p.again <- struct{}{}:
	default:
	}
}

// mapAll has the router map every port, anew.
func (p *portMaps) mapAll() {
	var ports []port
	for _, addr := range p.net.ListenAddresses() {
		if one, ok := portOf(addr); ok && !slices.Contains(ports, one) {
			ports = append(ports, one)
		}
	}
	if len(ports) == 0 || p.upnp != nil && p.upnp.HasDiscoveredNAT() {
		return
	}
	router, err := p.router()
	var mapped map[port]ma.Multiaddr
	if err == nil {
		mapped, err = askRouter(router, ports)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.mapped = router, mapped
	if err != nil {
		p.log.Debug("no port mapped by NAT-PMP", "err", oneLine(err.Error()))
		if p.upnp == nil {
			p.upnp = basichost.NewNATManager(p.net)
		}
	}
}

// askRouter has a router map all of ports. A router that has no public address
// itself, behind another one, is of no use.
func askRouter(router net.IP, ports []port) (map[port]ma.Multiaddr, error) {
	client := natpmp.NewClientWithTimeout(router, pmpPatience)
	own, err := client.GetExternalAddress()
	if err != nil {
		return nil, fmt.Errorf("router %s: %w", router, err)
	}
	outside, err := manet.FromIP(net.IP(own.ExternalIPAddress[:]))
	if err != nil {
		return nil, err
	}
	if !manet.IsPublicAddr(outside) {
		return nil, fmt.Errorf("router %s has no public address, but %s", router, net.IP(own.ExternalIPAddress[:]))
	}
	mapped := make(map[port]ma.Multiaddr, len(ports))
	for _, one := range ports {
		got, err := client.AddPortMapping(one.protocol, one.number, one.number, int(pmpLifetime.Seconds()))
		if err != nil {
			return nil, fmt.Errorf("router %s: %s port %d: %w", router, one.protocol, one.number, err)
		}
		addr, err := ma.NewComponent(one.protocol, strconv.Itoa(int(got.MappedExternalPort)))
		if err != nil {
			return nil, err
		}
		mapped[one] = outside.AppendComponent(addr)
	}
	return mapped, nil
}

// takeBack has the router forget what it mapped, if it answers.
func (p *portMaps) takeBack() {
	p.mu.Lock()
	router, mapped := p.at, p.mapped
	p.mapped = nil
	p.mu.Unlock()
	for one := range mapped {
		client := natpmp.NewClientWithTimeout(router, pmpPatience)
		if _, err := client.AddPortMapping(one.protocol, one.number, 0, 0); err != nil {
			p.log.Debug("a port stays mapped until the router forgets it", "port", one.number, "err",
				oneLine(err.Error()))
			return
		}
	}
}
