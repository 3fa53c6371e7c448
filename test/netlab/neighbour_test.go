package netlab_test

import (
	"strings"
	"syscall"
	"testing"

	"plasm/test/netlab"
)

// TestAnotherMDNS: libp2p's own mDNS service and ours hear each other, whoever
// comes first, and a node hears it take leave without harm.
func TestAnotherMDNS(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"node", "neighbour"} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			machines := l.LAN("node", "neighbour")
			machines[1].Set("route add default dev eth0") // it joins no group without
			var n *node
			if first == "node" {
				n = serve(t, machines[0])
			}
			other := machines[1].Start(nil, programs+"/neighbour")
			id := string(other.Line(patience, func(line []byte) bool { return len(line) > 0 }))
			if first == "neighbour" {
				n = serve(t, machines[0])
			}
			other.Line(patience, func(line []byte) bool { return strings.HasSuffix(string(line), "/p2p/"+n.id) })
			n.Event(patience, "peer.discovered",
				func(e map[string]any) bool { return e["peer"] == id && e["source"] == "mdns" })
			n.Event(patience, "peer.connected", func(e map[string]any) bool { return e["peer"] == id })
			if err := other.Stop(syscall.SIGTERM, patience); err != nil {
				t.Errorf("the neighbour ends with %v", err)
			}
			if err := n.Stop(syscall.SIGTERM, patience); err != nil {
				t.Errorf("plasmd ends with %v", err)
			}
		})
	}
}
