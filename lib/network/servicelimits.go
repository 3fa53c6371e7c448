package network

import (
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/host/autonat"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	circuit "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
)

// limitServices adds the limits of libp2p's own services, first of all peers
// together, then of one. They are what libp2p itself gives a host that may use a
// GiB of memory, whatever this machine has; but for identify, without which nobody
// is answered, and whose own limits are so low that a few strangers fill them.
func limitServices(c *rcmgr.PartialLimitConfig) {
	everybody := rcmgr.ResourceLimits{
		Streams: maxProtocolStreams, StreamsInbound: maxProtocolStreams, StreamsOutbound: maxProtocolStreams,
		Memory: maxMemory,
	}
	punching, circuits := streams(40, 40, 80, 8<<20), streams(1280, 1280, 1280, 32<<20)
	pings, probes := streams(128, 128, 128, 8<<20), streams(68, 68, 68, 6<<20)
	c.Service = map[string]rcmgr.ResourceLimits{
		identify.ServiceName: everybody, ping.ServiceName: pings, autonat.ServiceName: probes,
		holepunch.ServiceName: punching, relay.ServiceName: streams(512, 512, 512, 32<<20),
	}
	c.Protocol = map[protocol.ID]rcmgr.ResourceLimits{
		identify.ID: everybody, identify.IDPush: everybody, ping.ID: pings, autonat.AutoNATProto: probes,
		holepunch.Protocol: punching, circuit.ProtoIDv2Hop: circuits, circuit.ProtoIDv2Stop: circuits,
	}
	const enough = 32 * (256<<20 + 16<<10) // bytes: the streams are what is limited
	few, ofOne := streams(2, 2, 2, 1<<20), streams(128, 128, 128, 32<<20)
	pings, named := streams(2, 3, 4, enough), streams(16, 16, 32, enough)
	c.ServicePeer = map[string]rcmgr.ResourceLimits{
		identify.ServiceName: streams(16, 16, 32, 1<<20), ping.ServiceName: pings, autonat.ServiceName: few,
		holepunch.ServiceName: few, relay.ServiceName: streams(64, 64, 64, 1<<20),
	}
	c.ProtocolPeer = map[protocol.ID]rcmgr.ResourceLimits{
		identify.ID: named, identify.IDPush: named, ping.ID: pings, autonat.AutoNATProto: few,
		holepunch.Protocol: few, circuit.ProtoIDv2Hop: ofOne, circuit.ProtoIDv2Stop: ofOne,
	}
}

// streams is a limit of streams that others open, that this host opens, of both,
// and of their memory.
func streams(in, out, all rcmgr.LimitVal, memory rcmgr.LimitVal64) rcmgr.ResourceLimits {
	return rcmgr.ResourceLimits{StreamsInbound: in, StreamsOutbound: out, Streams: all, Memory: memory}
}
