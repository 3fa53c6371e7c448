package network

import (
	"math"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/config"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
)

// What each role switches on.
func TestReachabilityOptions(t *testing.T) {
	t.Parallel()
	type chosen struct {
		natService, autoNATv2, autoRelay, relayService, portMapping bool
		forced                                                      network.Reachability
	}
	outside := []ma.Multiaddr{ma.StringCast("/ip4/0.0.0.0/tcp/7527")}
	inside := []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/7527")}
	for name, c := range map[string]struct {
		cfg   Config
		addrs []ma.Multiaddr
		want  chosen
	}{
		"client":           {Config{}, outside, chosen{}},
		"server":           {Config{Server: true}, outside, chosen{natService: true, autoNATv2: true, autoRelay: true, portMapping: true}},
		"server, loopback": {Config{Server: true}, inside, chosen{natService: true, autoNATv2: true, autoRelay: true}},
		"private server": {
			Config{Server: true, Reachability: ReachabilityPrivate},
			outside,
			chosen{autoRelay: true, forced: network.ReachabilityPrivate},
		},
		"public server": {
			Config{Server: true, Reachability: ReachabilityPublic},
			outside,
			chosen{natService: true, autoNATv2: true, forced: network.ReachabilityPublic},
		},
		"relay": {
			Config{Server: true, Reachability: ReachabilityPublic, Relay: &Relay{}},
			outside,
			chosen{natService: true, autoNATv2: true, relayService: true, forced: network.ReachabilityPublic},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(&c.cfg)
			var made config.Config
			if err := made.Apply(h.reachabilityOptions(&c.cfg, c.addrs)...); err != nil {
				t.Fatal(err)
			}
			got := chosen{
				natService: made.EnableService, autoNATv2: made.EnableAutoNATv2, autoRelay: made.EnableAutoRelay,
				relayService: made.EnableRelayService, portMapping: made.NATManager != nil,
			}
			if forced := made.ForceReachability; forced != nil {
				got.forced = *forced
			}
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			h.stop()
		})
	}
}

func TestRelayLimit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		relay Relay
		want  *relay.RelayLimit
	}{
		"default":       {Relay{}, &relay.RelayLimit{Data: DefaultRelayData, Duration: DefaultRelayDuration}},
		"chosen":        {Relay{Data: 1000, Duration: time.Second}, &relay.RelayLimit{Data: 1000, Duration: time.Second}},
		"no limit":      {Relay{Data: -1, Duration: -1}, nil},
		"only data":     {Relay{Data: 1000, Duration: -1}, &relay.RelayLimit{Data: 1000, Duration: relayForever}},
		"only duration": {Relay{Data: -1, Duration: time.Second}, &relay.RelayLimit{Data: math.MaxInt64, Duration: time.Second}},
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
	if code, message, _ := told(t, err); code != job.CodeUsage || message != "a relay must be reachable, and reachability is auto" {
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

// A test's options come last, so that they win.
func TestOptionsComeLast(t *testing.T) {
	t.Parallel()
	h := start(t, Config{Server: true, UserAgent: "mine", Options: []libp2p.Option{libp2p.UserAgent("theirs")}})
	client := start(t, Config{Bootstrap: at(h)})
	wait(t, "the table", client.Ready()) // so it is identified
	agent, err := client.Peerstore().Get(h.ID(), "AgentVersion")
	if err != nil || agent != "theirs" {
		t.Errorf("%v, %v", agent, err)
	}
}
