package network

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"sync"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"golang.org/x/time/rate"
)

// How often neighbours are asked for: at once, for whoever starts together with
// us soon again, and then ever more rarely.
const (
	mdnsFirstAsk   = 250 * time.Millisecond
	mdnsSlowestAsk = time.Minute
	mdnsAskFactor  = 3

	// Answers a second on all interfaces together, however often strangers ask.
	mdnsAnswersPerSecond = 20
	mdnsAnswersBurst     = 20

	// Messages of others that are looked at.
	mdnsReadsPerSecond = 500
	mdnsReadsBurst     = 2000

	mdnsRetry = 5 * time.Second // between looks at the interfaces
)

// neighbours speaks mDNS for a host: a server answers, and everybody asks.
type neighbours struct {
	*Host

	instance string
	answers  *rate.Limiter
	reads    *rate.Limiter
	asked    chan struct{} // cap 1: somebody asks who is there
}

// findNeighbours speaks mDNS until ctx ends. Interfaces may come and go: when
// they change it begins anew.
func (h *Host) findNeighbours(ctx context.Context) {
	n := &neighbours{
		Host: h, instance: rand.Text(),
		answers: rate.NewLimiter(mdnsAnswersPerSecond, mdnsAnswersBurst),
		reads:   rate.NewLimiter(mdnsReadsPerSecond, mdnsReadsBurst),
		asked:   make(chan struct{}, 1),
	}
	complained := false
	for ctx.Err() == nil {
		err := n.session(ctx)
		if err != nil && !complained {
			h.log.Info("no neighbours are looked for by mDNS until a network comes up", "err", oneLine(err.Error()))
		}
		complained = err != nil
		if err == nil {
			continue // interfaces changed
		}
		select {
		case <-ctx.Done():
		case <-h.readdressed:
		case <-time.After(mdnsRetry):
		}
	}
}

// session joins the groups on the interfaces that there are, and returns nil
// when they are others now, or ctx has ended.
func (n *neighbours) session(ctx context.Context) error {
	interfaces, state, err := mdnsInterfaces()
	if err != nil {
		return err
	}
	groups, err := joinMDNS(ctx, interfaces)
	if err != nil {
		return err
	}
	var readers sync.WaitGroup
	broken := make(chan error, len(groups))
	for _, g := range groups {
		readers.Go(func() { broken <- n.listen(g) })
	}
	err = n.converse(ctx, groups, state, broken)
	n.announce(groups, 0) // goodbye
	for _, g := range groups {
		err = errors.Join(err, g.conn.Close())
	}
	readers.Wait()
	return err
}

// converse asks and answers until interfaces are no longer in state, ctx ends, or
// a socket is broken, which is the only error.
func (n *neighbours) converse(ctx context.Context, groups []*mdnsGroup, state string, broken <-chan error) error {
	n.announce(groups, mdnsTTL)
	n.ask(groups)
	wait := mdnsFirstAsk
	next := time.NewTimer(wait)
	defer next.Stop()
	look := time.NewTicker(mdnsRetry)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-broken:
			return err
		case <-n.asked:
			n.announce(groups, mdnsTTL)
		case <-next.C:
			n.ask(groups)
			wait = min(mdnsAskFactor*wait, mdnsSlowestAsk)
			next.Reset(wait)
		case <-n.readdressed:
			if changed(state) {
				return nil
			}
			n.announce(groups, mdnsTTL)
		case <-look.C:
			if changed(state) {
				return nil
			}
		}
	}
}

func changed(state string) bool {
	_, now, err := mdnsInterfaces()
	return err != nil || now != state
}

func (n *neighbours) ask(groups []*mdnsGroup) {
	query, err := mdnsQuery()
	if err != nil {
		n.log.Debug("mDNS", "err", err)
		return
	}
	for _, g := range groups {
		for _, i := range g.interfaces {
			n.send(g, i, query)
		}
	}
}

// announce says on each interface which addresses the host has there. A client
// has nothing to say.
func (n *neighbours) announce(groups []*mdnsGroup, ttl uint32) {
	if !n.cfg.Server {
		return
	}
	addrs, err := n.Network().InterfaceListenAddresses()
	if err != nil {
		n.log.Debug("mDNS", "err", err)
		return
	}
	for _, g := range groups {
		for _, i := range g.interfaces {
			here := addrsOf(i, addrs)
			if len(here) == 0 {
				continue
			}
			response, err := mdnsResponse(n.instance, n.ID(), here, ttl)
			if err != nil {
				n.log.Debug("mDNS", "err", err)
				continue
			}
			n.send(g, i, response)
		}
	}
}

// addrsOf returns those of addrs that are i's own.
func addrsOf(i net.Interface, addrs []ma.Multiaddr) []ma.Multiaddr {
	var here []ma.Multiaddr
	for _, addr := range addrs {
		if ip, err := manet.ToIP(addr); err == nil && has(i, ip) {
			here = append(here, addr)
		}
	}
	return here
}

func (n *neighbours) send(g *mdnsGroup, i net.Interface, packet []byte) {
	if err := g.write(packet, i.Index); err != nil {
		n.log.Debug("mDNS message not sent", "interface", i.Name, "err", err)
	}
}

// listen reads what comes to the group until its socket is closed or broken.
func (n *neighbours) listen(g *mdnsGroup) error {
	buffer := make([]byte, maxMDNSPacket)
	for {
		size, toGroup, err := g.read(buffer)
		if err != nil {
			return err
		}
		// What was sent to us alone may come from beyond the local network.
		if toGroup && n.reads.Allow() {
			n.hear(buffer[:size])
		}
	}
}

func (n *neighbours) hear(packet []byte) {
	asks, infos, err := readMDNS(packet)
	if err != nil {
		return // another service's, or nonsense
	}
	if asks && n.answers.Allow() {
		select {
		case n.asked <- struct{}{}:
		default:
		}
	}
	for _, info := range infos {
		info.Addrs = announceable(info.Addrs)
		n.Contact(info, SourceMDNS)
	}
}
