package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"plasm/lib/network"
)

// How long one's own port may take to answer, and all that are tried together.
const (
	dialWithin    = 3 * time.Second
	dialAllWithin = 10 * time.Second
)

// checkPorts is about where the node listens, or would.
func checkPorts(ctx context.Context, p *Patient) Finding {
	const name = "ports"
	addrs := p.Addrs
	switch {
	case p.Status != nil:
		addrs = p.Status.Node.Addrs
	case p.Shut == "":
		return p.checkFree(ctx)
	case len(addrs) == 0:
		return p.notAsked(name)
	}
	ctx, cancel := context.WithTimeout(ctx, dialAllWithin)
	defer cancel()
	var refused, others []string
	var dropped []ma.Multiaddr
	for _, text := range addrs {
		addr, err := ma.NewMultiaddr(text)
		if err != nil {
			continue
		}
		direct, _ := ma.SplitFunc(addr, func(c ma.Component) bool { return c.Protocol().Code == ma.P_P2P })
		if !manet.IsIPLoopback(direct) {
			others = append(others, direct.String())
		}
		if !isOwn(direct) { // a router's: most don't let in from inside what is for themselves
			continue
		}
		if err := dial(ctx, addr, direct); err != nil {
			refused = append(refused, fmt.Sprintf("%s (%v)", direct, err))
			dropped = append(dropped, direct)
		}
	}
	switch {
	case len(refused) > 0:
		return found(name, Failed, "a firewall on this machine drops what it should let in: "+network.Ports(dropped),
			"not reached from this machine: %s", strings.Join(refused, ", "))
	case len(others) == 0:
		return found(name, Warning, p.settings("listen = [\"/ip4/0.0.0.0/tcp/7527\", …]")+
			"; or the machine has no network", "it is reached from this machine only")
	}
	return ok(name, "%s", strings.Join(others, ", "))
}

// isOwn reports whether an interface of this machine has the address.
func isOwn(addr ma.Multiaddr) bool {
	ip, err := manet.ToIP(addr)
	if err != nil || ip.IsLoopback() {
		return err == nil
	}
	own, err := net.InterfaceAddrs()
	return err != nil || slices.ContainsFunc(own, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.Equal(ip)
	})
}

// dial connects to an address of this machine's, as a neighbour would: by TCP, or as
// whole says with the node's ID, by QUIC.
func dial(ctx context.Context, whole, direct ma.Multiaddr) error {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	if _, err := direct.ValueForProtocol(ma.P_QUIC_V1); err == nil {
		return dialQUIC(ctx, whole)
	}
	var d manet.Dialer
	conn, err := d.DialContext(ctx, direct)
	if err != nil {
		return causeOf(err)
	}
	return conn.Close()
}

// dialQUIC connects to a node at one address. Over UDP nobody answers but the node.
func dialQUIC(ctx context.Context, whole ma.Multiaddr) error {
	info, err := peer.AddrInfoFromP2pAddr(whole)
	if err != nil {
		return err
	}
	h, err := network.Start(ctx, network.Config{DialOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }() // nothing of it is needed any more
	h.Peerstore().AddAddrs(info.ID, info.Addrs, peerstore.TempAddrTTL)
	if _, err := h.Network().DialPeer(ctx, info.ID); err != nil {
		problem, _ := h.Explain(*info, err)
		return errors.New(problem)
	}
	return nil
}

// checkFree tries the ports that a node would listen at.
func (p *Patient) checkFree(ctx context.Context) Finding {
	const name = "ports"
	var taken []string
	for _, text := range p.Listen {
		addr, err := ma.NewMultiaddr(text)
		if err != nil {
			return found(name, Failed, p.settings("listen"), "%s is not a multiaddress: %v", text, err)
		}
		if err := tryListen(ctx, addr); errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EACCES) {
			taken = append(taken, fmt.Sprintf("%s (%v)", addr, causeOf(err)))
		}
	}
	if len(taken) > 0 {
		return found(name, Failed, "end what holds them (ss -lntup), or name others: "+p.settings("listen"),
			"cannot be had: %s", strings.Join(taken, ", "))
	}
	return ok(name, "free: %s", strings.Join(p.Listen, ", "))
}

// tryListen opens a port and lets it go.
func tryListen(ctx context.Context, addr ma.Multiaddr) error {
	direct, _ := ma.SplitFunc(addr, func(c ma.Component) bool { return c.Protocol().Code == ma.P_QUIC_V1 })
	kind, host, err := manet.DialArgs(direct)
	if err != nil {
		return err // not a port of this machine's
	}
	var l net.ListenConfig
	if strings.HasPrefix(kind, "udp") {
		conn, err := l.ListenPacket(ctx, kind, host)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	listener, err := l.Listen(ctx, kind, host)
	if err != nil {
		return err
	}
	return listener.Close()
}

// cause is what the system says, without what was tried.
func causeOf(err error) error {
	if errno, isErrno := errors.AsType[syscall.Errno](err); isErrno {
		return errno
	}
	return err
}

// notAsked is what a check says that asks the running node, where none answers.
func (p *Patient) notAsked(name string) Finding {
	if p.Shut != "" {
		return found(name, Unknown, p.askHint(), "this user may not ask the node")
	}
	return found(name, Unknown, "start the node", "the node does not run")
}

// checkPeers is about whom the node knows.
func checkPeers(_ context.Context, p *Patient) Finding {
	const name = "peers"
	if p.Status == nil {
		return p.notAsked(name)
	}
	now := &p.Status.Network
	var failed []string
	for _, c := range p.Status.Contacts {
		if c.State == string(network.ContactFailed) && c.Source == string(network.SourceBootstrap) {
			failed = append(failed, fmt.Sprintf("%s: %s", c.PeerID, c.Error))
		}
	}
	switch {
	case len(failed) > 0:
		return found(name, Warning, "is the address right, and that node running? "+p.settings("bootstrap"),
			"first contacts that do not answer: %s", strings.Join(failed, "; "))
	case now.Peers == 0:
		return found(name, Warning, "alone is well where others look for this one; else name a first contact: "+
			p.settings("bootstrap"), "it is connected to nobody")
	}
	return ok(name, "connected to %d, %d of them in the directory", now.Peers, now.DHTPeers)
}

// checkReachability is about being dialled from elsewhere (AutoNAT).
func checkReachability(_ context.Context, p *Patient) Finding {
	const name = "reachability"
	if p.Status == nil {
		return p.notAsked(name)
	}
	switch now := &p.Status.Network; now.Reachability {
	case network.ReachabilityPublic.String():
		return ok(name, "others can dial this machine")
	case network.ReachabilityPrivate.String():
		if len(now.Relays) > 0 {
			return ok(name, "others cannot dial this machine, and reach it over a relay")
		}
		return found(name, Warning,
			"let TCP and UDP 7527, or the ports of --listen, in at this machine's firewall and at the router, or "+
				"give it a relay: a first contact that runs with --relay",
			"others cannot dial this machine, and no relay holds a place for it")
	}
	return found(name, Unknown,
		"in one local network that is all right; across networks it takes peers with public addresses half a minute "+
			"to find out", "whether others can dial this machine is not known yet")
}

// checkRelay is about places at relays.
func checkRelay(_ context.Context, p *Patient) Finding {
	const name = "relay"
	if p.Status == nil {
		return p.notAsked(name)
	}
	switch now := &p.Status.Network; {
	case now.RelayService:
		return ok(name, "it is a relay for others")
	case len(now.Relays) > 0:
		return ok(name, "reached over %s", strings.Join(now.Relays, ", "))
	case now.Reachability == network.ReachabilityPrivate.String():
		return found(name, Warning, p.settings("bootstrap")+", to a node that runs with --relay",
			"no relay holds a place for it")
	}
	return ok(name, "none is needed")
}
