package network

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"

	manet "github.com/multiformats/go-multiaddr/net"

	"plasm/lib/job"
)

func TestPortTaken(t *testing.T) {
	t.Parallel()
	node := start(t, Config{Server: true})
	for _, addr := range node.LocalAddrs() {
		_, err := Start(t.Context(), Config{Listen: []string{"/ip4/127.0.0.1/tcp/0", addr.String()}})
		if err == nil {
			t.Fatalf("two hosts listen at %v", addr)
		}
		if code, message, hint := told(t, err); code != job.CodeIO || message != "port taken: "+addr.String() ||
			hint == "" {
			t.Errorf("%s %s, %s", code, message, hint)
		}
	}
}

// TestProbeLetsGo: a port that was tried is free at once, also while processes are
// started, as a node's workers are. Ports are tried for a while in which many are.
func TestProbeLetsGo(t *testing.T) {
	t.Parallel()
	// Before any is: a child holds the port until its exec.
	var free net.Listener
	var err error
	for range 100 { // a port that no system hands out: it would, to another test
		at := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000))
		if free, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp4", at); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	addr, err := manet.FromNetAddr(address)
	if err != nil {
		t.Fatal(err)
	}
	// Go tries once what the kernel can do, by a child that it makes without the lock.
	_ = exec.CommandContext(t.Context(), "true").Run()
	done := make(chan struct{})
	var starters sync.WaitGroup
	for range 4 {
		starters.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					_ = exec.CommandContext(t.Context(), "true").Run()
				}
			}
		})
	}
	defer starters.Wait()
	defer close(done)
	for i := range 3000 {
		if err := probe(t.Context(), addr); err != nil {
			t.Fatalf("trial %d: %v", i, err)
		}
	}
}

func TestListenRefuses(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"":                                       `not an address to listen at: ""`,
		"0.0.0.0:7527":                           `not an address to listen at: "0.0.0.0:7527"`,
		"/ip4/0.0.0.0/udp/7527":                  `not an address to listen at: "/ip4/0.0.0.0/udp/7527"`,
		"/ip4/0.0.0.0/tcp/7527/ws":               `not an address to listen at: "/ip4/0.0.0.0/tcp/7527/ws"`,
		"/dns4/example.org/tcp/7527":             `not an address to listen at: "/dns4/example.org/tcp/7527"`,
		"/ip4/0.0.0.0/tcp/7527\x1b":              `not an address to listen at: "/ip4/0.0.0.0/tcp/7527\x1b"`,
		"/ip4/192.0.2.77/tcp/0":                  "not an address of this machine: /ip4/192.0.2.77/tcp/0",
		"/ip4/192.0.2.77/udp/0/quic-v1":          "not an address of this machine: /ip4/192.0.2.77/udp/0/quic-v1",
		"/ip4/127.0.0.1/tcp/70000":               `not an address to listen at: "/ip4/127.0.0.1/tcp/70000"`,
		"/ip4/127.0.0.1/tcp/1/p2p/" + "12D3KooW": `not an address to listen at: "/ip4/127.0.0.1/tcp/1/p2p/12D3KooW"`,
	} {
		_, err := Start(t.Context(), Config{Listen: []string{value}})
		if err == nil {
			t.Errorf("%q: listens", value)
			continue
		}
		if _, message, hint := told(t, err); message != want || hint == "" {
			t.Errorf("%q: %s (%s), want %s", value, message, hint, want)
		}
	}
}

// What cannot be is left out where it was a default, and refused when nothing is
// left.
func TestListenLeavesOut(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	addrs, err := listenAddrs(t.Context(), loopback(), true, log)
	if err != nil || len(addrs) != 1 || isQUIC(addrs[0]) {
		t.Errorf("a private network listens at %v, %v", addrs, err)
	}
	_, err = listenAddrs(t.Context(), loopback()[1:], true, log)
	if _, message, _ := told(t, err); !strings.HasPrefix(message,
		"nothing to listen at: /ip4/127.0.0.1/udp/0/quic-v1 (a private network is TCP only)") {
		t.Error(message)
	}
	probeErr := &net.OpError{Op: "listen", Err: net.UnknownNetworkError("tcp6")}
	if noFamily(probeErr) {
		t.Error("any error counts as a missing family")
	}
}

func TestCheckListening(t *testing.T) {
	t.Parallel()
	node := start(t, Config{})
	have := node.Network().ListenAddresses()
	for _, value := range append(loopback(), node.LocalAddrs()[0].String()) {
		want, err := parseListen(value)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkListening(append(have[:0:0], want), have); err != nil {
			t.Errorf("%s: %v", value, err)
		}
	}
	other, err := parseListen("/ip4/127.0.0.1/tcp/1")
	if err != nil {
		t.Fatal(err)
	}
	if checkListening(append(have[:0:0], other), have) == nil {
		t.Error("an address that nobody listens at is not missed")
	}
}
