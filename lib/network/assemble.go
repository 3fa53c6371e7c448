package network

import (
	"errors"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/p2p/host/autorelay"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/host/observedaddrs"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	routed "github.com/libp2p/go-libp2p/p2p/host/routed"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	ma "github.com/multiformats/go-multiaddr"
)

// parts are what a host is put together from: what libp2p.New would make of its
// options. That one links every transport there is, and finds out by reflection how
// the parts fit: together nearly half of what a command's start took.
type parts struct {
	bus        event.Bus
	events     event.Subscription // of watched
	transports *transports
	ground     *ground              // the transports, as the host sees them
	basic      *basichost.BasicHost // owns stores and limits
	observed   *observedaddrs.Manager
	relays     *autorelay.AutoRelay // nil for a host that needs none
	dialback   []*transports        // by which AutoNAT finds out whether others can be reached
}

// open makes a host that dials and is not dialled.
func (h *Host) open() error {
	resources, err := newResourceManager(h.cfg.Metrics, h.log)
	if err != nil {
		return err
	}
	h.fair = resources
	h.fair.narrow = h.cfg.Server && h.cfg.Relay == nil
	conns, err := newConnManager()
	if err != nil {
		return errors.Join(err, resources.Close())
	}
	peers, err := newPeerstore()
	if err != nil {
		return errors.Join(err, conns.Close(), resources.Close())
	}
	if err = h.assemble(conns, peers); err != nil && h.parts.basic == nil {
		err = errors.Join(err, peers.Close(), conns.Close(), resources.Close())
	}
	return err
}

// assemble makes the parts that need no address to listen at.
func (h *Host) assemble(conns connmgr.ConnManager, peers *addressStore) error {
	p, cfg := &h.parts, &h.cfg
	key, err := transportKey(cfg.Key)
	if err != nil {
		return err
	}
	var swarmOptions []swarm.Option
	var busOptions []eventbus.Option
	if cfg.Metrics != nil {
		rcmgr.MustRegisterWith(cfg.Metrics)
		swarmOptions = append(swarmOptions,
			swarm.WithMetricsTracer(swarm.NewMetricsTracer(swarm.WithRegisterer(cfg.Metrics))))
		busOptions = append(busOptions,
			eventbus.WithMetricsTracer(eventbus.NewMetricsTracer(eventbus.WithRegisterer(cfg.Metrics))))
	}
	p.bus = eventbus.NewBus(busOptions...)
	if p.events, err = p.bus.Subscribe(watched(), watchBuffer()); err != nil {
		return err
	}
	if p.transports, err = newTransports(cfg, key, peers, p.bus, h.fair, swarmOptions...); err != nil {
		return err
	}
	p.ground = newGround(p.transports.Swarm)
	peers.keepThose(h)
	options := &basichost.HostOpts{
		EventBus: p.bus, ConnManager: conns, AddrsFactory: h.announced,
		EnablePing: true, UserAgent: cfg.UserAgent, ProtocolVersion: "plasm/1",
		EnableMetrics: cfg.Metrics != nil, PrometheusRegisterer: cfg.Metrics,
	}
	if len(cfg.Simulated) == 0 { // it waits for what is not simulated
		if p.observed, err = observedaddrs.NewManager(p.bus, p.ground); err != nil {
			return err
		}
		options.ObservedAddrsManager = p.observed
	}
	if err := h.reachOptions(options); err != nil {
		return err
	}
	if p.basic, err = basichost.NewHost(p.ground, options); err != nil {
		return err
	}
	if err := h.findRelays(); err != nil {
		return err
	}
	h.Host = routed.Wrap(p.basic, h)
	return nil
}

// enter makes a host one that others find and dial: the DHT, so that nothing that
// happens is missed, relayed connections, and then the addresses it listens at.
func (h *Host) enter(addrs []ma.Multiaddr) error {
	d, err := newDHT(h.parts.basic, h.cfg.Server, h.entered)
	if err != nil {
		return err
	}
	h.dht.Store(d)
	if err := client.AddTransport(h.parts.basic, h.parts.transports.upgrader); err != nil {
		return err
	}
	if err := h.parts.transports.Listen(addrs...); err != nil || len(h.cfg.Simulated) > 0 {
		return err
	}
	return checkListening(addrs, h.parts.transports.ListenAddresses())
}

// setOff starts the parts that work by themselves.
func (h *Host) setOff() error {
	h.spawn(h.watch)
	p := &h.parts
	if p.observed != nil {
		p.observed.Start(p.transports.Swarm)
	}
	if p.relays != nil {
		p.relays.Start()
	}
	p.basic.Start()
	h.spawn(h.startPunching)
	h.spawn(h.keepTwins)
	if len(h.cfg.Simulated) == 0 {
		h.spawn(h.followInterfaces)
	}
	return h.learnReach()
}

// dismantle ends the parts, as many as there are. Connections go first, as libp2p's
// keeper of observed addresses stops listening to events and does not say so: with
// peers still talking, the rest of the host would wait for it for ever. The watcher
// drains the events until the host is closed: one that is not drained holds up
// whoever publishes.
func (h *Host) dismantle() error {
	p := &h.parts
	err := h.stopPunching()
	if d := h.dht.Load(); d != nil {
		err = errors.Join(err, d.Close())
	}
	if p.transports != nil {
		err = errors.Join(err, p.transports.Close())
	}
	if p.relays != nil {
		err = errors.Join(err, p.relays.Close())
	}
	if p.observed != nil {
		err = errors.Join(err, p.observed.Close())
	}
	if p.transports != nil {
		err = errors.Join(err, p.transports.close())
	}
	if p.basic != nil {
		err = errors.Join(err, p.basic.Close())
	}
	for _, w := range p.dialback {
		err = errors.Join(err, w.close(), w.Peerstore().Close())
	}
	if p.events != nil {
		err = errors.Join(err, p.events.Close())
	}
	return err
}
