package netlab

import (
	"fmt"
	"strings"
)

// NAT is how a router translates the addresses behind it. In the words of RFC
// 4787: all of them filter by address and port.
type NAT string

// The kinds of router.
const (
	Cone      NAT = "cone"      // endpoint-independent mapping: hole punching works
	Symmetric NAT = "symmetric" // endpoint-dependent mapping: another port for each destination
)

// Internet is a stretch of public network.
type Internet struct {
	lab   *Lab
	core  *Machine
	block string // the first three numbers of its addresses
	next  int    // the last number of the next machine's
}

// Internet makes a public network. Its addresses, 192.0.0.64/26, are never
// routed in the real one, and yet libp2p takes them for public ones.
func (l *Lab) Internet() *Internet {
	l.t.Helper()
	return l.InternetIn("192.0.0")
}

// InternetIn makes a public network with addresses from block.64/26, of which
// block is three numbers. What is in a lab reaches nobody outside.
func (l *Lab) InternetIn(block string) *Internet {
	l.t.Helper()
	n := &Internet{lab: l, core: l.machine("core"), block: block, next: 65}
	n.core.bridge()
	return n
}

// Host adds a machine with a public address.
func (n *Internet) Host(name string) *Machine {
	n.lab.t.Helper()
	m := n.lab.machine(name)
	n.join(m)
	return m
}

// join gives a machine its next public address, on the interface wan.
func (n *Internet) join(m *Machine) {
	m.plug(n.core, "wan", fmt.Sprintf("%s.%d/26", n.block, n.next))
	n.next++
}

// Site adds a LAN behind a router of the given kind, with as many machines as
// there are names.
func (n *Internet) Site(nat NAT, names ...string) []*Machine {
	n.lab.t.Helper()
	l := n.lab
	l.sites++
	router := l.machine(fmt.Sprintf("router%d", l.sites))
	n.join(router)
	router.bridge()
	router.Set("addr add 10.%d.0.1/24 dev br0", l.sites)
	router.translate(nat)
	machines := make([]*Machine, 0, len(names))
	for i, name := range names {
		m := l.machine(name)
		m.plug(router, "eth0", fmt.Sprintf("10.%d.0.%d/24", l.sites, i+2))
		m.Set("route add default via 10.%d.0.1", l.sites)
		m.Router = router
		machines = append(machines, m)
	}
	return machines
}

// LAN adds machines that share a wire and know of nothing else.
func (l *Lab) LAN(names ...string) []*Machine {
	l.t.Helper()
	l.sites++
	hub := l.machine(fmt.Sprintf("switch%d", l.sites))
	hub.bridge()
	machines := make([]*Machine, 0, len(names))
	for i, name := range names {
		m := l.machine(name)
		m.plug(hub, "eth0", fmt.Sprintf("10.%d.0.%d/24", l.sites, i+2))
		machines = append(machines, m)
	}
	return machines
}

// Alone adds a machine without any network but lo.
func (l *Lab) Alone(name string) *Machine {
	l.t.Helper()
	return l.machine(name)
}

// bridge makes the machine a switch: br0 joins all that are plugged into it.
func (m *Machine) bridge() {
	m.lab.t.Helper()
	m.Set("link add br0 type bridge")
	m.Set("link set br0 up")
}

// plug lays a wire from the machine to a bridge and gives it an address.
func (m *Machine) plug(hub *Machine, name, prefix string) {
	m.lab.t.Helper()
	m.lab.wires++
	far := fmt.Sprintf("port%d", m.lab.wires)
	m.Set("link add %s type veth peer name %s netns %s", name, far, hub.space)
	hub.Set("link set %s master br0 up", far)
	m.Set("addr add %s dev %s", prefix, name)
	m.Set("link set %s up", name)
	m.Addr, _, _ = strings.Cut(prefix, "/")
}

// translate makes the machine a router that hides br0 behind wan. It drops what
// comes uninvited to itself too: else it would answer a punch with a reset. What
// stays on br0 may pass these rules as well.
func (m *Machine) translate(nat NAT) {
	m.lab.t.Helper()
	masquerade := "masquerade"
	if nat == Symmetric {
		masquerade = "masquerade fully-random"
	}
	cmd := m.Command(m.lab.t.Context(), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
	if out, err := cmd.CombinedOutput(); err != nil {
		m.lab.t.Fatalf("ip_forward: %v: %s", err, out)
	}
	m.Rules(fmt.Sprintf(`
table ip plasm {
	chain postrouting {
		type nat hook postrouting priority srcnat;
		oifname "wan" %s
	}
	chain input {
		type filter hook input priority filter;
		iifname "wan" ct state established,related accept
		iifname "wan" drop
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ct status dnat accept
		iifname "br0" accept
	}
}
`, masquerade))
}
