package network

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
)

// How the machine's addresses are followed.
const (
	interfacePause = 500 * time.Millisecond // between looks, however much the kernel tells
	interfaceLook  = 30 * time.Second       // without news
	interfacePoll  = 2 * time.Second        // where the kernel tells nothing
	goneTime       = 2 * time.Minute        // twice as long as libp2p keeps an interface's address
)

// ground is the swarm with the addresses that the machine's interfaces have now.
// libp2p (v0.52) keeps these for a minute, in two places: the swarm's list is thrown
// away by refresh; the host's is not to be had, so that the host is told the addresses
// as ones that are listened at, and what it still knows of others is left out by
// without.
type ground struct {
	*swarm.Swarm

	mu       sync.Mutex
	notified []network.Notifiee
	own      []netip.Addr             // of the interfaces
	gone     map[netip.Addr]time.Time // of the interfaces until then
}

func newGround(s *swarm.Swarm) *ground {
	return &ground{Swarm: s, own: interfaceAddrs(), gone: make(map[netip.Addr]time.Time)}
}

// interfaceAddrs returns the addresses of the machine's interfaces, without those that
// only a wire knows; nil when they can't be had.
func interfaceAddrs() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	own := make([]netip.Addr, 0, len(all))
	for _, addr := range all {
		n, ok := addr.(*net.IPNet)
		if !ok || n.IP.To4() == nil && n.IP.IsLinkLocalUnicast() {
			continue
		}
		if ip, ok := netip.AddrFromSlice(n.IP); ok {
			own = append(own, ip.Unmap())
		}
	}
	return own
}

// ListenAddresses returns the addresses that the swarm listens at, and for those that
// stand for all of a family, those of the interfaces too.
func (g *ground) ListenAddresses() []ma.Multiaddr {
	addrs := g.Swarm.ListenAddresses()
	if own, err := g.InterfaceListenAddresses(); err == nil {
		addrs = ma.Unique(append(addrs, own...))
	}
	return addrs
}

// Notify has n called as the swarm does, and when the machine's addresses change.
func (g *ground) Notify(n network.Notifiee) {
	g.mu.Lock()
	g.notified = append(g.notified, n)
	g.mu.Unlock()
	g.Swarm.Notify(n)
}

// StopNotify undoes Notify.
func (g *ground) StopNotify(n network.Notifiee) {
	g.mu.Lock()
	g.notified = slices.DeleteFunc(g.notified, func(other network.Notifiee) bool { return other == n })
	g.mu.Unlock()
	g.Swarm.StopNotify(n)
}

// refresh looks at the interfaces, and returns which addresses they have that they had
// not when it was called last, and the other way round. It has told all who follow the
// swarm by then.
func (g *ground) refresh() (gained, lost []netip.Addr) {
	now := interfaceAddrs()
	g.mu.Lock()
	for _, ip := range now {
		delete(g.gone, ip)
		if !slices.Contains(g.own, ip) {
			gained = append(gained, ip)
		}
	}
	for _, ip := range g.own {
		if !slices.Contains(now, ip) {
			lost = append(lost, ip)
			g.gone[ip] = time.Now()
		}
	}
	for ip, since := range g.gone {
		if time.Since(since) > goneTime {
			delete(g.gone, ip)
		}
	}
	g.own = now
	notified := slices.Clone(g.notified)
	g.mu.Unlock()
	if len(gained) == 0 && len(lost) == 0 {
		return nil, nil
	}
	g.ListenClose() // of nothing: it throws away what the swarm knows of interfaces
	if addrs := g.Swarm.ListenAddresses(); len(addrs) > 0 {
		for _, n := range notified {
			n.Listen(g, addrs[0])
		}
	}
	return gained, lost
}

// without returns addrs without those that the interfaces had a short while ago. It
// may reuse addrs.
func (g *ground) without(addrs []ma.Multiaddr) []ma.Multiaddr {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.gone) == 0 {
		return addrs
	}
	return slices.DeleteFunc(addrs, func(a ma.Multiaddr) bool {
		_, gone := g.gone[ipOf(a)]
		return gone && !isRelayed(a)
	})
}

// announced is what the host says of addrs, its own: none that mean nothing to others,
// and none that it has no more.
func (h *Host) announced(addrs []ma.Multiaddr) []ma.Multiaddr {
	return announceable(h.parts.ground.without(slices.Clone(addrs)))
}

// followInterfaces takes note of addresses that the machine gets and loses, at once
// where the kernel tells.
func (h *Host) followInterfaces(ctx context.Context) {
	news := make(chan struct{}, 1)
	every := interfaceLook
	if f, err := openInterfaceEvents(); err == nil {
		var reading sync.WaitGroup
		reading.Go(func() { readInterfaceEvents(f, news) })
		defer reading.Wait()
		defer func() { _ = f.Close() }() // ends reading
	} else {
		h.log.Info("the kernel does not tell of new addresses: they are looked for", "every", interfacePoll, "err", err)
		every = interfacePoll
	}
	for {
		h.readdress()
		select {
		case <-ctx.Done():
			return
		case <-time.After(interfacePause):
		}
		select {
		case <-ctx.Done():
			return
		case <-news:
		case <-time.After(every):
		}
	}
}

// readInterfaceEvents sends a value for what the kernel tells, until f is closed or
// broken.
func readInterfaceEvents(f *os.File, news chan<- struct{}) {
	buffer := make([]byte, os.Getpagesize())
	for {
		n, err := f.Read(buffer)
		lost := errors.Is(err, syscall.ENOBUFS) // some of what there was to tell
		if err != nil && !lost {
			return
		}
		if !lost && !isInterfaceEvent(buffer[:n]) {
			continue
		}
		select {
		case news <- struct{}{}:
		default:
		}
	}
}

// readdress looks at the interfaces, and where addresses have changed, lets go of
// connections that can't go on and dials the contacts that are missing.
func (h *Host) readdress() {
	gained, lost := h.parts.ground.refresh()
	select {
	case h.readdressed <- struct{}{}: // links may have changed without any address
	default:
	}
	if len(gained) == 0 && len(lost) == 0 {
		return
	}
	h.log.Debug("addresses of interfaces changed", "gained", gained, "lost", lost)
	h.dropFrom(lost)
	if len(gained) > 0 && h.dht.Load() != nil {
		for _, c := range h.missing() {
			h.dial(c)
		}
	}
}

// dropFrom closes connections that began at addresses which the machine has no more:
// nothing comes through them, and it would take their keepers half a minute to notice.
// QUIC's don't say where they began, so that all of the same family are closed; over
// QUIC the other end is told, too.
func (h *Host) dropFrom(lost []netip.Addr) {
	var closing sync.WaitGroup
	for _, c := range h.Network().Conns() {
		local, remote := ipOf(c.LocalMultiaddr()), ipOf(c.RemoteMultiaddr())
		if isRelayed(c.RemoteMultiaddr()) || remote.IsLoopback() {
			continue
		}
		if slices.ContainsFunc(lost, func(ip netip.Addr) bool {
			return ip == local || local.IsUnspecified() && ip.Is4() == remote.Is4()
		}) {
			closing.Go(func() { _ = c.Close() })
		}
	}
	closing.Wait()
}
