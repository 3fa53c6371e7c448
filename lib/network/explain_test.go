package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	id, other := somebody(t), somebody(t)
	v4 := ma.StringCast("/ip4/192.0.2.1/tcp/7527")
	v6 := ma.StringCast("/ip6/2001:db8::1/udp/7527/quic-v1")
	dial := func(err4, err6 error) error {
		return &swarm.DialError{Peer: id, Cause: swarm.ErrAllDialsFailed, DialErrors: []swarm.TransportError{
			{Address: v6, Cause: err6}, {Address: v4, Cause: err4},
		}}
	}
	unreachable := os.NewSyscallError("connect", syscall.ENETUNREACH)
	for name, c := range map[string]struct {
		err           error
		private       bool
		message, hint string
	}{
		"no network": {
			dial(unreachable, unreachable), false,
			"no route to it from this machine: " + v6.String(), "has it IPv6?",
		},
		"no network, over QUIC": {
			errors.New("INTERNAL_ERROR (local): write udp4 0.0.0.0:1->192.0.2.1:1: sendmsg: network is unreachable"),
			false,
			"no route to it from this machine: " + v4.String(), "has it IPv4?",
		},
		"IPv6 only, IPv4 peer": {
			&swarm.DialError{Peer: id, DialErrors: []swarm.TransportError{{Address: v4, Cause: unreachable}}}, false,
			"no route to it from this machine: " + v4.String(), "has it IPv4?",
		},
		"one family missing, the other refused": {
			dial(os.NewSyscallError("connect", syscall.ECONNREFUSED), unreachable), false,
			"connection refused: " + v4.String(), "is the node running",
		},
		"somebody else says more than silence": {
			dial(sec.ErrPeerIDMismatch{Expected: id, Actual: other}, context.DeadlineExceeded), false,
			"the node there is " + other.String() + ": " + v4.String(), "write /p2p/" + other.String(),
		},
		"silence": {
			context.DeadlineExceeded, false,
			"no answer from TCP port 7527 of 192.0.2.1, UDP port 7527 of 2001:db8::1: " + v4.String(), "firewall",
		},
		"silence at one of two": {
			dial(context.DeadlineExceeded, unreachable), false,
			"no answer from TCP port 7527 of 192.0.2.1: " + v4.String(), "firewall",
		},
		"tried just now": {
			dial(swarm.ErrDialBackoff, swarm.ErrDialBackoff), false, "it did not answer a moment ago: ",
			"after a pause",
		},
		"a relay without a place": {
			dial(errors.New("error opening relay circuit: NO_RESERVATION (204)"), unreachable), false,
			"the relay holds no place for it: ", "connected to that relay",
		},
		"a relay that is full": {
			dial(errors.New("error opening relay circuit: RESOURCE_LIMIT_EXCEEDED (201)"), swarm.ErrDialBackoff), false,
			"the relay has no room for another connection: ", "try again later",
		},
		"a relay that is gone": {
			dial(errors.New("error opening hop stream to relay: x"), swarm.ErrDialBackoff), false,
			"its relay does not answer: ", "is the relay running",
		},
		"silence in a private network": {
			context.DeadlineExceeded, true, "no answer from TCP port 7527 of 192.0.2.1, ", "same --network-key",
		},
		"reset by one with a key": {
			errors.New("failed to negotiate security protocol: incoming message was too large"), false,
			"incoming message was too large: " + v4.String(), "give its key with --network-key",
		},
		"reset by one with another key": {
			dial(os.NewSyscallError("read", syscall.ECONNRESET), unreachable), true,
			"connection reset by peer: " + v4.String(), "same --network-key",
		},
		"QUIC address in a private network": {
			fmt.Errorf("x: %w", swarm.ErrNoGoodAddresses), true,
			"no address that can be dialled from here: " + v4.String(), "TCP only",
		},
		"a stranger's words": {
			errors.New("a\x1b[31m\r\nb\u2028c" + strings.Repeat("x", 2000)), false, "a[31m bcx", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := explain(peer.AddrInfo{ID: id, Addrs: []ma.Multiaddr{v4, v6}}, "bootstrap", c.err, c.private)
			_, message, hint := told(t, err)
			if !strings.Contains(message, c.message) || !strings.Contains(hint, c.hint) || c.hint == "" && hint != "" {
				t.Errorf("got  %s\n     %s\nwant %s\n     %s", message, hint, c.message, c.hint)
			}
			if len(message) > 1024 {
				t.Errorf("%d bytes", len(message))
			}
			if !errors.Is(err, c.err) {
				t.Error("the error does not wrap its cause")
			}
		})
	}
}

func TestPorts(t *testing.T) {
	t.Parallel()
	var addrs []ma.Multiaddr
	for _, text := range []string{
		"/ip4/192.0.2.1/tcp/7527", "/ip4/192.0.2.1/udp/7527/quic-v1", "/ip4/192.0.2.1/tcp/7527",
		"/ip4/192.0.2.9/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp/p2p-circuit",
		"/dns4/node.example/tcp/9000", "/ip6/::1/tcp/1", "/ip6/::2/tcp/1",
	} {
		addrs = append(addrs, ma.StringCast(text))
	}
	const want = "TCP port 7527 and UDP port 7527 of 192.0.2.1, TCP port 9000 of node.example, TCP port 1 of ::1"
	if got := Ports(addrs); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := Ports(nil); got != "" {
		t.Errorf("of none: %s", got)
	}
}
