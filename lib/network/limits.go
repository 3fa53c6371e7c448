package network

import (
	"log/slog"
	"math"
	"net/netip"
	"syscall"
	"time"

	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/x/rate"
	"github.com/prometheus/client_golang/prometheus"
)

// What strangers can make a host hold. Everything here is the same on every
// machine, but for descriptors, of which a host takes at most half of what the
// process may open.
const (
	// All peers together. A host with 1,000 peers has room to spare.
	maxConns           = 4096
	maxConnsInbound    = 3072
	maxConnsOutbound   = 2048
	maxDescriptors     = 4096 // TCP connections and listeners
	maxStreams         = 24576
	maxStreamsInbound  = 16384
	maxStreamsOutbound = 16384
	maxMemory          = 512 << 20 // bytes of buffers: windows of streams and connections

	// All strangers together, of what others open; the rest is for addresses that
	// are trusted, and for what the host opens itself.
	maxStrangersConns   = 2560
	maxStrangersStreams = 512  // 128 MiB as yamux reckons, a quarter of maxMemory
	maxTrusted          = 1024 // addresses
	trustFor            = 24 * time.Hour
	maxResting          = 4096 // addresses of which a connection had to make room
	restFor             = 3 * time.Second
	listedWeight        = 100 // of a connection, when some must be closed
	crowdedLogEvery     = time.Minute

	// Connections whose peer is not known yet, streams whose protocol is not
	// known yet. A stranger who opens connections and says nothing is thrown out
	// after 15 s, libp2p's handshake timeout.
	maxHandshakes         = maxConnsInbound
	maxHandshakesOutbound = 512
	maxUnnamedStreams     = 12288
	maxHandshakeMemory    = 128 << 20

	// One peer ID. More than one connection is for the moment in which both
	// sides dial, or TCP and QUIC race.
	maxPeerConns           = 16
	maxPeerStreamsInbound  = 64
	maxPeerStreamsOutbound = 256
	maxPeerMemory          = 64 << 20

	// One protocol: streams of all peers together.
	maxProtocolStreams = 8192

	// One IPv4 address or one IPv6 /56, which may be an office behind one NAT:
	// 20 users who run 6 commands each. A /48 may have four times as many.
	// Loopback has no limit of its own.
	maxConnsPerAddress   = 128
	newConnsPerAddress   = 50  // a second: handshakes of a twentieth of a core
	newConnsBurst        = 256 // at once
	wideFactor           = 4
	addressPrefixV4      = 32
	addressPrefixV6      = 56
	wideAddressPrefixV6  = 48
	addressLimiterMemory = time.Minute // how long an address that went quiet is remembered

	// Above highWater connections, those that matter least are closed until
	// lowWater are left. One that is younger than connGrace is spared.
	lowWater  = 800
	highWater = 1200
	connGrace = 20 * time.Second

	// What is kept of peers that are not connected.
	maxKeptAddrs         = 65536 // addresses of all of them, those connected included
	maxPassingPeers      = 1024  // who did not announce themselves
	maxAddrsPerPeer      = 64
	maxSignedPeerRecords = 8192

	// Provider records that others put here.
	maxRecords        = 65536 // of all peers
	maxRecordsPerPeer = 256   // of one peer ID

	// What lookups may bring.
	maxProviders     = 65536 // distinct providers told of one key
	maxProviderAddrs = 16    // addresses kept of one provider

	// First contacts.
	maxContacts     = 256              // known at a time, neighbours included
	dialTimeout     = 10 * time.Second // for one attempt at a contact
	firstRedial     = time.Second      // while a contact does not answer, doubled each time
	slowestRedial   = time.Minute
	neighbourRedial = 5 * time.Second // between attempts at one, however often it is heard

	maxFound = 256  // peers told through Found and not yet taken
	maxKnown = 4096 // peers of whom the log need not say again that they are there
)

// Limits of the relay service.
const (
	DefaultRelayData     = 16 << 20         // bytes a direction of one relayed connection
	DefaultRelayDuration = 10 * time.Minute // of one relayed connection

	relayReservations       = 256           // places in all
	relayReservationsPerIP  = 32            // of one address: an office behind one NAT
	relayReservationsPerASN = 128           // of one provider's IPv6 network
	relayCircuits           = 16            // relayed connections of one peer at a time
	relayBuffer             = 4096          // bytes a direction of one relayed connection
	relayForever            = 1 << 31 * 1e9 // "no limit" where only the other limit is set: 68 years

	// A place is gone when its holder disconnects, and so needs no end. It has one
	// as a time of day, which the holder compares with its own clock: so far away
	// that no clock is ahead of it.
	relayReservationTTL = 10 * 365 * 24 * time.Hour
)

// scaleMemory is what libp2p's own limits, where there is none of ours, are scaled
// to: a fixed size and not this machine's.
const scaleMemory = 1 << 30

// newResourceManager makes what counts connections, streams and memory.
func newResourceManager(metrics prometheus.Registerer, log *slog.Logger) (*fair, error) {
	limits := rcmgr.DefaultLimits
	descriptors := min(maxDescriptors, openFileLimit()/2)
	ours := ourLimits(descriptors)
	limitServices(&ours)
	config := ours.Build(limits.Scale(scaleMemory, descriptors))
	options := []rcmgr.Option{
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: addressPrefixV4, ConnCount: maxConnsPerAddress}},
			[]rcmgr.ConnLimitPerSubnet{
				{PrefixLength: addressPrefixV6, ConnCount: maxConnsPerAddress},
				{PrefixLength: wideAddressPrefixV6, ConnCount: wideFactor * maxConnsPerAddress},
			},
		),
		rcmgr.WithConnRateLimiters(newConnLimiter()),
	}
	if metrics == nil {
		options = append(options, rcmgr.WithMetricsDisabled())
	}
	inner, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(config), options...)
	if err != nil {
		return nil, err
	}
	return newFair(inner, part(descriptors, maxStrangersConns), log), nil
}

// part is of that many descriptors the same part that most is of maxDescriptors.
func part(descriptors, most int) int { return descriptors * most / maxDescriptors }

// ourLimits are the limits of all and of each, without those of libp2p's services.
func ourLimits(descriptors int) rcmgr.PartialLimitConfig {
	inbound := rcmgr.LimitVal(part(descriptors, maxConnsInbound))
	return rcmgr.PartialLimitConfig{
		System: rcmgr.ResourceLimits{
			Conns: maxConns, ConnsInbound: inbound, ConnsOutbound: maxConnsOutbound,
			Streams: maxStreams, StreamsInbound: maxStreamsInbound, StreamsOutbound: maxStreamsOutbound,
			FD: rcmgr.LimitVal(descriptors), Memory: maxMemory,
		},
		Transient: rcmgr.ResourceLimits{
			Conns: maxHandshakes + maxHandshakesOutbound, ConnsInbound: inbound, ConnsOutbound: maxHandshakesOutbound,
			Streams: maxUnnamedStreams, StreamsInbound: maxUnnamedStreams, StreamsOutbound: maxUnnamedStreams,
			FD: rcmgr.LimitVal(part(descriptors, maxHandshakes+maxHandshakesOutbound)), Memory: maxHandshakeMemory,
		},
		PeerDefault: rcmgr.ResourceLimits{
			Conns: maxPeerConns, ConnsInbound: maxPeerConns, ConnsOutbound: maxPeerConns, FD: maxPeerConns,
			Streams: maxPeerStreamsInbound + maxPeerStreamsOutbound, StreamsInbound: maxPeerStreamsInbound,
			StreamsOutbound: maxPeerStreamsOutbound, Memory: maxPeerMemory,
		},
		ProtocolDefault: rcmgr.ResourceLimits{
			Streams: maxProtocolStreams, StreamsInbound: maxProtocolStreams, StreamsOutbound: maxProtocolStreams,
		},
		ProtocolPeerDefault: rcmgr.ResourceLimits{
			Streams: maxPeerStreamsInbound + maxPeerStreamsOutbound, StreamsInbound: maxPeerStreamsInbound,
			StreamsOutbound: maxPeerStreamsOutbound, Memory: maxPeerMemory,
		},
	}
}

// newConnLimiter bounds how fast one address opens connections.
func newConnLimiter() *rate.Limiter {
	address := rate.Limit{RPS: newConnsPerAddress, Burst: newConnsBurst}
	wide := rate.Limit{RPS: wideFactor * newConnsPerAddress, Burst: wideFactor * newConnsBurst}
	return &rate.Limiter{
		NetworkPrefixLimits: []rate.PrefixLimit{ // the zero limit is none
			{Prefix: netip.MustParsePrefix("127.0.0.0/8")},
			{Prefix: netip.MustParsePrefix("::1/128")},
		},
		SubnetRateLimiter: rate.SubnetLimiter{
			IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: addressPrefixV4, Limit: address}},
			IPv6SubnetLimits: []rate.SubnetLimit{
				{PrefixLength: addressPrefixV6, Limit: address},
				{PrefixLength: wideAddressPrefixV6, Limit: wide},
			},
			GracePeriod: addressLimiterMemory,
		},
	}
}

// newConnManager makes what closes connections above highWater.
func newConnManager() (*connmgr.BasicConnMgr, error) {
	return connmgr.NewConnManager(lowWater, highWater, connmgr.WithGracePeriod(connGrace))
}

// openFileLimit is how many descriptors this process may have.
func openFileLimit() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(limit.Cur)
}
