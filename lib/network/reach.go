package network

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/autonat"
	"github.com/libp2p/go-libp2p/p2p/host/autorelay"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	blankhost "github.com/libp2p/go-libp2p/p2p/host/blank"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/protocol/autonatv2"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// AutoRelay's pace. Its defaults, minutes and hours, are made for choosing among
// thousands of relays; here there are a few, and a node waits to be found.
const (
	relayBootDelay   = 0               // take the first relay that is there
	relayAskInterval = time.Second     // between looks at which peers are relays
	relayBackoff     = 4 * time.Second // after one refused or failed, as one does that has just started
	relaysWanted     = 2               // reservations to hold
	relayCandidates  = 20
)

// reachOptions adds what helps this host and others through NATs.
func (h *Host) reachOptions(o *basichost.HostOpts) error {
	cfg := &h.cfg
	if cfg.Relay != nil && cfg.Reachability == ReachabilityPublic {
		o.EnableRelayService, o.RelayServiceOpts = true, relayOptions(cfg.Relay)
	}
	if !cfg.Server {
		return nil
	}
	if cfg.Reachability == ReachabilityAuto && !slices.ContainsFunc(cfg.Listen, onLoopback) {
		o.NATManager = func(n network.Network) basichost.NATManager { return newPortMaps(n, cfg.Log, defaultRouter) }
	}
	if cfg.Reachability == ReachabilityPrivate {
		return nil // a host that cannot be dialled is told so, and cannot dial back
	}
	// Its dials must not count for what is known of networks without UDP or IPv6.
	w, err := h.newDialback(swarm.WithReadOnlyBlackHoleDetector())
	if err != nil {
		return err
	}
	var options []autonatv2.AutoNATOption
	if cfg.Metrics != nil {
		options = append(options, autonatv2.WithMetricsTracer(autonatv2.NewMetricsTracer(cfg.Metrics)))
	}
	if o.AutoNATv2, err = autonatv2.New(blankhost.NewBlankHost(w.Swarm), options...); err != nil {
		return fmt.Errorf("AutoNAT: %w", err)
	}
	return nil
}

// newDialback makes transports in the name of another key, by which AutoNAT dials who
// asks whether it can be reached.
func (h *Host) newDialback(options ...swarm.Option) (*transports, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	peers, err := pstoremem.NewPeerstore()
	if err != nil {
		return nil, err
	}
	plain := h.cfg
	plain.Metrics = nil // the host's
	options = append(options, swarm.WithDialRanker(swarm.NoDelayDialRanker))
	w, err := newTransports(&plain, key, peers, eventbus.NewBus(), h.fair, options...)
	if err != nil {
		_ = peers.Close() // the other error is the one to tell
		return nil, err
	}
	h.parts.dialback = append(h.parts.dialback, w)
	return w, nil
}

// findRelays gives a server that may need them its relays.
func (h *Host) findRelays() error {
	if !h.cfg.Server || h.cfg.Reachability == ReachabilityPublic {
		return nil
	}
	options := []autorelay.Option{
		autorelay.WithPeerSource(h.relayCandidates),
		autorelay.WithBootDelay(relayBootDelay), autorelay.WithMinInterval(relayAskInterval),
		autorelay.WithBackoff(relayBackoff), autorelay.WithNumRelays(relaysWanted),
		autorelay.WithMaxCandidates(relayCandidates), autorelay.WithMinCandidates(1),
	}
	if h.cfg.Metrics != nil {
		tracer := autorelay.NewMetricsTracer(autorelay.WithRegisterer(h.cfg.Metrics))
		options = append(options, autorelay.WithMetricsTracer(tracer))
	}
	var err error
	h.parts.relays, err = autorelay.NewAutoRelay(h.parts.basic, options...)
	return err
}

// learnReach finds out whether others can dial this host, or says what it was told,
// and helps others to find out. A client has nobody to tell.
func (h *Host) learnReach() error {
	cfg := &h.cfg
	if !cfg.Server && cfg.Reachability == ReachabilityAuto {
		return nil
	}
	options := []autonat.Option{autonat.UsingAddresses(func() []ma.Multiaddr {
		return slices.DeleteFunc(h.announced(h.parts.basic.AllAddrs()),
			func(a ma.Multiaddr) bool { return !manet.IsPublicAddr(a) })
	})}
	if cfg.Metrics != nil {
		options = append(options,
			autonat.WithMetricsTracer(autonat.NewMetricsTracer(autonat.WithRegisterer(cfg.Metrics))))
	}
	switch cfg.Reachability {
	case ReachabilityPublic:
		options = append(options, autonat.WithReachability(network.ReachabilityPublic))
	case ReachabilityPrivate:
		options = append(options, autonat.WithReachability(network.ReachabilityPrivate))
	case ReachabilityAuto:
	}
	if cfg.Server && cfg.Reachability != ReachabilityPrivate {
		w, err := h.newDialback()
		if err != nil {
			return err
		}
		options = append(options, autonat.EnableService(w.Swarm))
	}
	service, err := autonat.New(h.parts.basic, options...)
	if err != nil {
		return fmt.Errorf("AutoNAT: %w", err)
	}
	h.parts.basic.SetAutoNat(service)
	return nil
}

// onLoopback reports whether only programs on this machine reach what listens there.
func onLoopback(listen string) bool {
	addr, err := parseListen(listen)
	return err == nil && manet.IsIPLoopback(addr)
}

// relayCandidates is AutoRelay's source: bootstrap peers, and peers that are
// connected and serve as relays. AutoRelay dials and asks them.
func (h *Host) relayCandidates(_ context.Context, most int) <-chan peer.AddrInfo {
	candidates := make(chan peer.AddrInfo, most)
	defer close(candidates)
	infos := slices.Clone(h.cfg.Bootstrap)
	for _, id := range h.parts.basic.Network().Peers() {
		relays, err := h.parts.basic.Peerstore().SupportsProtocols(id, proto.ProtoIDv2Hop)
		if err == nil && len(relays) > 0 {
			infos = append(infos, h.parts.basic.Peerstore().PeerInfo(id))
		}
	}
	for _, info := range infos[:min(most, len(infos))] {
		candidates <- info
	}
	return candidates
}

// relayOptions is the relay service with r's limits and ours.
func relayOptions(r *Relay) []relay.Option {
	resources := relay.Resources{
		Limit:                 relayLimit(r),
		ReservationTTL:        relayReservationTTL,
		MaxReservations:       relayReservations,
		MaxCircuits:           relayCircuits,
		BufferSize:            relayBuffer,
		MaxReservationsPerIP:  relayReservationsPerIP,
		MaxReservationsPerASN: relayReservationsPerASN,
	}
	options := []relay.Option{relay.WithResources(resources)}
	if r.Allow != nil {
		options = append(options, relay.WithACL(relayACL(slices.Clone(r.Allow))))
	}
	return options
}

// relayLimit is the limit of one relayed connection, nil for none at all: peers
// then don't count it as limited.
func relayLimit(r *Relay) *relay.RelayLimit {
	if r.Data < 0 && r.Duration < 0 {
		return nil
	}
	limit := &relay.RelayLimit{Data: r.Data, Duration: r.Duration}
	switch {
	case r.Data < 0:
		limit.Data = math.MaxInt64
	case r.Data == 0:
		limit.Data = DefaultRelayData
	}
	switch {
	case r.Duration < 0:
		limit.Duration = relayForever
	case r.Duration == 0:
		limit.Duration = DefaultRelayDuration
	}
	return limit
}

// relayACL is who may reserve a place. Whoever holds one may be dialled by
// anybody.
type relayACL []peer.ID

// AllowReserve reports whether p is on the list.
func (a relayACL) AllowReserve(p peer.ID, _ ma.Multiaddr) bool { return slices.Contains(a, p) }

// AllowConnect allows it.
func (relayACL) AllowConnect(peer.ID, ma.Multiaddr, peer.ID) bool { return true }

// transportKey is key as libp2p holds it, or a fresh one.
func transportKey(key ed25519.PrivateKey) (crypto.PrivKey, error) {
	if key == nil {
		fresh, _, err := crypto.GenerateEd25519Key(rand.Reader)
		return fresh, err
	}
	return crypto.UnmarshalEd25519PrivateKey(slices.Clone(key))
}
