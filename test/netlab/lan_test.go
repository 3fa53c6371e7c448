package netlab_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"plasm/test/bin"
	"plasm/test/netlab"
)

// TestLAN: two machines on one wire, and no configuration at all.
func TestLAN(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("node", "user", "late")
	n := serve(t, machines[0])
	found, took := discover(t, machines[1])
	if len(found) != 1 || found[n.id] == nil {
		t.Fatalf("found %v, want %s", found, n.id)
	}
	if took >= patience { // its own end is before
		t.Errorf("found after %v", took)
	}
	if addrs := strings.Join(found[n.id].Addrs, " "); !strings.Contains(addrs, "/ip4/"+machines[0].Addr+"/") {
		t.Errorf("not its address on the wire: %s", addrs)
	}

	// Nodes hear each other, too, and then who asks one finds both. The one that is heard
	// first is called by the other, for which it comes from the DHT then.
	other := serve(t, machines[2])
	other.Event(patience, "peer.discovered", func(e map[string]any) bool { return e["peer"] == n.id })
	other.Event(patience, "capability.advertised", nil)
	n.Event(patience, "capability.advertised", nil)
	found, _ = discover(t, machines[1], "--mdns=false", "--bootstrap", n.at(t, "/ip4/"+machines[0].Addr+"/udp"))
	if found[n.id] == nil || found[other.id] == nil {
		t.Errorf("found %v, want %s and %s", found, n.id, other.id)
	}

	// --mdns=false asks nobody.
	if found, _ := discover(t, machines[1], "--mdns=false"); len(found) > 2 {
		t.Errorf("found %v", found)
	}
	for _, p := range []*node{n, other} {
		if err := p.Stop(syscall.SIGTERM, patience); err != nil {
			t.Errorf("plasmd ends with %v", err)
		}
	}
}

// TestCableComesLater: a node that starts before its network is found once the
// network is there.
func TestCableComesLater(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("node", "user")
	machines[0].Set("link set eth0 down")
	n := serve(t, machines[0])
	machines[0].Set("link set eth0 up")
	deadline := time.Now().Add(30 * time.Second)
	for {
		if found, _ := discover(t, machines[1]); found[n.id] != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("not found")
		}
	}
}

// TestOnlyIPv6: machines that have no IPv4 address.
func TestOnlyIPv6(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("node", "user")
	for i, m := range machines {
		m.Set("-4 addr flush dev eth0")
		m.Set("-6 addr add fd00:70::%d/64 dev eth0 nodad", i+1)
	}
	n := serve(t, machines[0])
	found, _ := discover(t, machines[1], "--mdns=false", "--bootstrap", n.at(t, "/ip6/fd00:70::1/udp"))
	if len(found) != 1 || found[n.id] == nil {
		t.Errorf("found %v, want %s", found, n.id)
	}
	if found, _ := discover(t, machines[1]); found[n.id] == nil {
		t.Errorf("not found as a neighbour")
	}
}

// TestNoNetwork: a machine with nothing but lo, and one whose address leads
// nowhere, are told so.
func TestNoNetwork(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	alone := l.Alone("alone")
	const somebody = "/ip4/192.0.0.65/udp/7527/quic-v1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
	p := alone.Start(append(bin.Env(), "HOME="+t.TempDir()), programs+"/plasm-discover", "--bootstrap", somebody)
	if err := p.End(10 * time.Second); err == nil || err.Error() != "exit status 127" {
		t.Errorf("plasm-discover ends with %v", err)
	}
	for _, want := range []string{
		"plasm-discover: bootstrap peer did not answer: no route to it from this machine: " + somebody,
		"plasm-discover: no node was found that fits\n",
	} {
		if !strings.Contains(string(p.Stderr()), want) {
			t.Errorf("stderr lacks %q:\n%s", want, p.Stderr())
		}
	}

	// A node there serves its own machine.
	n := serve(t, alone, "--bootstrap", somebody)
	if found, _ := discover(t, alone, "--mdns=false", "--bootstrap",
		n.at(t, "/ip4/127.0.0.1/udp")); found[n.id] == nil {
		t.Error("not found on its own machine")
	}
}

// TestPortTaken: who comes second is told which port it is.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	m := l.LAN("node")[0]
	serve(t, m)
	second := start(t, m)
	if err := second.End(patience); err == nil || err.Error() != "exit status 125" {
		t.Errorf("plasmd ends with %v", err)
	}
	if stderr := string(second.Stderr()); !strings.Contains(stderr, `"msg":"port taken: /ip4/0.0.0.0/tcp/7527"`) {
		t.Errorf("stderr:\n%s", stderr)
	}
}

// TestUnknownReachability: without being told, a node learns that nobody can dial
// it, and takes a place at a relay.
func TestUnknownReachability(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	internet := l.Internet()
	relay := serve(t, internet.Host("relay"), "--relay", "--mdns=false")
	known := relay.at(t, "/ip4/192.0.0.65/tcp/")
	for _, name := range []string{"second", "third", "fourth"} { // it takes several to say what they see
		serve(t, internet.Host(name), "--reachability", "public", "--mdns=false", "--bootstrap", known)
	}
	began := time.Now()
	n := serve(t, internet.Site(netlab.Cone, "inside")[0], "--mdns=false", "--bootstrap", known)
	n.Event(patience, "nat.status", func(e map[string]any) bool {
		relays, _ := e["relays"].([]any)
		return len(relays) > 0 && e["reachability"] == "private"
	})
	t.Logf("a place at the relay after %v", time.Since(began))
}
