package network

import (
	"log/slog"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/host/autonat"
	basichost "github.com/libp2p/go-libp2p/p2p/host/basic"
	"github.com/libp2p/go-libp2p/p2p/protocol/autonatv2"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
)

// What each role switches on.
func TestReach(t *testing.T) {
	t.Parallel()
	type chosen struct {
		natService, autoNATv2, autoRelay, relayService bool
		told                                           Reachability
	}
	for name, c := range map[string]struct {
		cfg  Config
		want chosen
	}{
		"client":         {Config{}, chosen{}},
		"client, public": {Config{Reachability: ReachabilityPublic}, chosen{told: ReachabilityPublic}},
		"server":         {Config{Server: true}, chosen{natService: true, autoNATv2: true, autoRelay: true}},
		"private server": {
			Config{Server: true, Reachability: ReachabilityPrivate},
			chosen{autoRelay: true, told: ReachabilityPrivate},
		},
		"public server": {
			Config{Server: true, Reachability: ReachabilityPublic},
			chosen{natService: true, autoNATv2: true, told: ReachabilityPublic},
		},
		"relay": {
			Config{Server: true, Reachability: ReachabilityPublic, Relay: &Relay{}},
			chosen{natService: true, autoNATv2: true, relayService: true, told: ReachabilityPublic},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, c.cfg)
			speaks := func(p protocol.ID) bool { return slices.Contains(h.Mux().Protocols(), p) }
			protocols, err := h.EventBus().Subscribe(new(event.EvtLocalProtocolsUpdated))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = protocols.Close() }()
			for ctx := patiently(t); ctx.Err() == nil &&
				(h.Reachability() != c.want.told || speaks(proto.ProtoIDv2Hop) != c.want.relayService); {
				select {
				case <-h.Changed():
				case <-protocols.Out():
				case <-ctx.Done():
				}
			}
			got := chosen{
				natService: speaks(autonat.AutoNATProto), autoNATv2: speaks(autonatv2.DialProtocol),
				autoRelay:    h.parts.relays != nil,
				relayService: speaks(proto.ProtoIDv2Hop), told: h.Reachability(),
			}
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// A router is asked for ports by a server that others may reach through it.
func TestWhoAsksRouters(t *testing.T) {
	t.Parallel()
	outside, inside := []string{"/ip4/0.0.0.0/tcp/7527"}, []string{"/ip4/127.0.0.1/tcp/7527"}
	for name, c := range map[string]struct {
		cfg  Config
		want bool
	}{
		"client":           {Config{Listen: outside}, false},
		"server":           {Config{Listen: outside, Server: true}, true},
		"anywhere":         {Config{Server: true}, true},
		"server, loopback": {Config{Listen: inside, Server: true}, false},
		"private server":   {Config{Listen: outside, Server: true, Reachability: ReachabilityPrivate}, false},
		"public server":    {Config{Listen: outside, Server: true, Reachability: ReachabilityPublic}, false},
	} {
		h := newHost(&c.cfg)
		var err error
		if h.fair, err = newResourceManager(nil, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.fair.Close() })
		var options basichost.HostOpts
		if err := h.reachOptions(&options); err != nil {
			t.Fatal(err)
		}
		if got := options.NATManager != nil; got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRelayLimit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		relay Relay
		want  *relay.RelayLimit
	}{
		"default": {Relay{}, &relay.RelayLimit{Data: DefaultRelayData, Duration: DefaultRelayDuration}},
		"chosen": {
			Relay{Data: 1000, Duration: time.Second},
			&relay.RelayLimit{Data: 1000, Duration: time.Second},
		},
		"no limit":  {Relay{Data: -1, Duration: -1}, nil},
		"only data": {Relay{Data: 1000, Duration: -1}, &relay.RelayLimit{Data: 1000, Duration: relayForever}},
		"only duration": {
			Relay{Data: -1, Duration: time.Second},
			&relay.RelayLimit{Data: math.MaxInt64, Duration: time.Second},
		},
	} {
		got := relayLimit(&c.relay)
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		if got != nil && (got.Duration/time.Second > math.MaxUint32 || got.Duration <= 0) {
			t.Errorf("%s: %v does not fit the wire format", name, got.Duration)
		}
	}
}

func TestRelayACL(t *testing.T) {
	t.Parallel()
	a, b := somebody(t), somebody(t)
	acl := relayACL([]peer.ID{a})
	if !acl.AllowReserve(a, nil) || acl.AllowReserve(b, nil) || !acl.AllowConnect(b, nil, a) {
		t.Error("only those listed may reserve, and anybody may connect to them")
	}
	if n := len(relayOptions(&Relay{})); n != 1 {
		t.Errorf("%d options without a list", n)
	}
	if n := len(relayOptions(&Relay{Allow: []peer.ID{}})); n != 2 {
		t.Errorf("%d options with an empty list, which admits nobody", n)
	}
}

// AutoRelay is given the bootstrap peers and connected peers that are relays,
// at most as many as it asks for.
func TestRelayCandidates(t *testing.T) {
	t.Parallel()
	serving := start(t, Config{Server: true, Reachability: ReachabilityPublic, Relay: &Relay{}})
	plain := start(t, Config{Server: true})
	given := peer.AddrInfo{ID: somebody(t), Addrs: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/1")}}
	h := start(t, Config{Server: true, Bootstrap: []peer.AddrInfo{given}})
	for _, other := range []*Host{serving, plain} {
		if err := h.Connect(patiently(t), at(other)[0]); err != nil {
			t.Fatal(err)
		}
	}
	for most, want := range map[int][]peer.ID{5: {given.ID, serving.ID()}, 1: {given.ID}} {
		var got []peer.ID
		for info := range h.relayCandidates(t.Context(), most) {
			got = append(got, info.ID)
		}
		if len(got) != len(want) || got[0] != want[0] || got[len(got)-1] != want[len(want)-1] {
			t.Errorf("asked for %d: %v, want %v", most, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Config{Relay: &Relay{}, Reachability: ReachabilityAuto})
	if code, message, _ := told(t, err); code != job.CodeUsage ||
		message != "a relay must be reachable, and reachability is auto" {
		t.Errorf("%s %s", code, message)
	}
	for _, r := range []Reachability{ReachabilityAuto, ReachabilityPublic, ReachabilityPrivate} {
		if got, ok := ParseReachability(r.String()); !ok || got != r {
			t.Errorf("%v is read as %v, %v", r, got, ok)
		}
	}
	if _, ok := ParseReachability("Public"); ok {
		t.Error("Public is read")
	}
}
