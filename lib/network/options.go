package network

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/routing"
	"github.com/libp2p/go-libp2p/p2p/host/autorelay"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// AutoRelay's pace. Its defaults, minutes and hours, are made for choosing among
// thousands of relays; here there are a few, and a node waits to be found.
const (
	relayBootDelay   = 0                // take the first relay that is there
	relayAskInterval = 2 * time.Second  // between looks at which peers are relays
	relayBackoff     = 20 * time.Second // after one refused or failed
	relaysWanted     = 2                // reservations to hold
	relayCandidates  = 20
)

// options is the libp2p host of cfg, listening at addrs, with its DHT made by
// route.
func (h *Host) options(cfg *Config, addrs []ma.Multiaddr, route func(host.Host) (routing.PeerRouting, error)) ([]libp2p.Option, error) {
	key, err := transportKey(cfg.Key)
	if err != nil {
		return nil, err
	}
	options := []libp2p.Option{
		libp2p.Identity(key),
		libp2p.ListenAddrs(addrs...),
		libp2p.UserAgent(cfg.UserAgent),
		libp2p.ProtocolVersion("plasm/1"),
		libp2p.AddrsFactory(announceable),
		libp2p.Routing(route),
		libp2p.Transport(tcp.NewTCPTransport),
		// Noise first: unlike TLS it has no certificate that a wrong clock makes
		// invalid.
		libp2p.Security(noise.ID, noise.New),
		libp2p.Security(libp2ptls.ID, libp2ptls.New),
		libp2p.EnableRelay(),
		libp2p.EnableHolePunching(holepunch.WithTracer(punchTracer{h})),
		// The detectors of networks without UDP or IPv6 want a hundred dials
		// before they let an AutoNAT server dial back by it.
		libp2p.UDPBlackHoleSuccessCounter(nil),
		libp2p.IPv6BlackHoleSuccessCounter(nil),
	}
	if cfg.NetworkKey != nil {
		options = append(options, libp2p.PrivateNetwork(slices.Clone(cfg.NetworkKey))) // knows TCP only
	} else {
		certificate, err := timeless()
		if err != nil {
			return nil, err
		}
		identity := libp2pquic.WithTLSIdentityOption(libp2ptls.WithCertTemplate(certificate))
		options = append(options, libp2p.Transport(libp2pquic.NewTransport, identity))
	}
	if cfg.Metrics != nil {
		options = append(options, libp2p.PrometheusRegisterer(cfg.Metrics))
	} else {
		options = append(options, libp2p.DisableMetrics())
	}
	options = append(options, h.reachabilityOptions(cfg, addrs)...)
	return append(options, cfg.Options...), nil
}

// timeless is the template of a certificate that holds at any time. What it
// proves, the peer's key, has no time; libp2p's own holds from an hour before it
// is made, and so keeps peers apart whose clocks differ by more.
func timeless() (*x509.Certificate, error) {
	number, err := rand.Int(rand.Reader, big.NewInt(math.MaxInt64))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: number,
		Subject:      pkix.Name{SerialNumber: number.String()}, // the issuer's too, which must not be empty
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // no end: RFC 5280, section 4.1.2.5
	}, nil
}

// reachabilityOptions is what helps this host and others through NATs.
func (h *Host) reachabilityOptions(cfg *Config, addrs []ma.Multiaddr) []libp2p.Option {
	var options []libp2p.Option
	switch cfg.Reachability {
	case ReachabilityPublic:
		options = append(options, libp2p.ForceReachabilityPublic())
	case ReachabilityPrivate:
		options = append(options, libp2p.ForceReachabilityPrivate())
	case ReachabilityAuto:
	}
	if cfg.Relay != nil && cfg.Reachability == ReachabilityPublic {
		options = append(options, libp2p.EnableRelayService(relayOptions(cfg.Relay)...))
	}
	if !cfg.Server {
		return options
	}
	if cfg.Reachability != ReachabilityPrivate { // a host that cannot be dialled is told so, and cannot dial back
		options = append(options, libp2p.EnableNATService(), libp2p.EnableAutoNATv2())
	}
	if cfg.Reachability != ReachabilityPublic {
		options = append(options, libp2p.EnableAutoRelayWithPeerSource(
			h.relayCandidates,
			autorelay.WithBootDelay(relayBootDelay), autorelay.WithMinInterval(relayAskInterval),
			autorelay.WithBackoff(relayBackoff), autorelay.WithNumRelays(relaysWanted),
			autorelay.WithMaxCandidates(relayCandidates), autorelay.WithMinCandidates(1),
		))
	}
	if cfg.Reachability == ReachabilityAuto && !slices.ContainsFunc(addrs, manet.IsIPLoopback) {
		options = append(options, libp2p.NATManager(func(n network.Network) basichost.NATManager {
			return newPortMaps(n, cfg.Log, defaultRouter)
		}))
	}
	return options
}

// relayCandidates is AutoRelay's source: bootstrap peers, and peers that are
// connected and serve as relays. AutoRelay dials and asks them.
func (h *Host) relayCandidates(_ context.Context, most int) <-chan peer.AddrInfo {
	candidates := make(chan peer.AddrInfo, most)
	defer close(candidates)
	infos := slices.Clone(h.bootstrap)
	for _, id := range h.inner.Network().Peers() {
		relays, err := h.inner.Peerstore().SupportsProtocols(id, proto.ProtoIDv2Hop)
		if err == nil && len(relays) > 0 {
			infos = append(infos, h.inner.Peerstore().PeerInfo(id))
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

// newPeerstore makes the store of what is known of peers.
func newPeerstore() (peerStore, error) {
	return pstoremem.NewPeerstore(
		pstoremem.WithMaxAddresses(maxUnconnectedAddrs),
		pstoremem.WithMaxAddressesPerPeer(maxAddrsPerPeer),
		pstoremem.WithMaxSignedPeerRecords(maxSignedPeerRecords),
	)
}
