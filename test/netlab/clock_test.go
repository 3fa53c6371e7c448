package netlab_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plasm/test/bin"
	"plasm/test/netlab"
	"plasm/test/variant"
)

// TestClock: a node whose clock is wrong is found all the same: by its neighbours,
// over TCP, over QUIC, and behind a router. Of all that a connection rests on,
// only certificates say from when on they hold; and relays, until when a place is
// kept.
func TestClock(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{
		"hour ahead": time.Hour, "hour behind": -time.Hour,
		"year ahead": 365 * 24 * time.Hour, "year behind": -365 * 24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			folder := wrongClock(t, ahead)

			machines := l.LAN("node", "user")
			n := serveFrom(t, folder, machines[0])
			isOff(t, n, ahead)
			if found, _ := discover(t, machines[1]); found[n.id] == nil {
				t.Errorf("neighbours found %v, want %s", found, n.id)
			}
			for _, transport := range []string{"/tcp/", "/udp/"} {
				known := n.at(t, "/ip4/"+machines[0].Addr+transport)
				if found, _ := discover(t, machines[1], "--mdns=false", "--bootstrap", known); found[n.id] == nil {
					t.Errorf("found %v at %s, want %s", found, known, n.id)
				}
			}

			internet := l.Internet()
			relay := serve(t, internet.Host("relay"), "--relay", "--mdns=false")
			known := relay.at(t, "/ip4/192.0.0.65/udp/")
			hidden := serveFrom(t, folder, internet.Site(netlab.Symmetric, "inside")[0],
				"--reachability", "private", "--bootstrap", known, "--mdns=false")
			hidden.Event(patience, "nat.status", func(e map[string]any) bool {
				relays, _ := e["relays"].([]any)
				return len(relays) == 1 && relays[0] == relay.id
			})
			hidden.Event(patience, "capability.advertised", nil)
			found, _ := discover(t, internet.Host("outside"), "--bootstrap", known, "--mdns=false")
			if found[hidden.id] == nil {
				t.Errorf("found %v behind a router, want %s", found, hidden.id)
			}
		})
	}
}

// wrongClock returns a folder with a plasmd whose clock is off, and a plasm-run
// beside it.
func wrongClock(t *testing.T, ahead time.Duration) string {
	t.Helper()
	folder := t.TempDir()
	if err := variant.BuildOff(t.Context(), t.TempDir(), "plasm/cmd/plasmd", filepath.Join(folder, "plasmd"),
		ahead); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(programs+"/plasm-run", filepath.Join(folder, "plasm-run")); err != nil {
		t.Fatal(err)
	}
	return folder
}

// serveFrom is serve with the programs of a folder.
func serveFrom(t *testing.T, folder string, m *netlab.Machine, args ...string) *node {
	t.Helper()
	dir := t.TempDir()
	args = append([]string{
		"serve", "--data-dir", dir + "/data", "--runtime-dir", dir + "/run", "--log-format", "json",
		"--memory", "256",
	}, args...)
	n := &node{Process: m.Start(append(bin.Env(), "HOME="+dir), folder+"/plasmd", args...)}
	first := string(n.Line(patience, func(line []byte) bool { return len(line) > 0 && line[0] == '/' }))
	_, n.id, _ = strings.Cut(first, "/p2p/")
	n.Event(patience, "node.ready", nil)
	n.addrs = strings.Fields(string(n.Stdout()))
	return n
}

// isOff checks that the node's clock is as wrong as it is meant to be.
func isOff(t *testing.T, n *node, ahead time.Duration) {
	t.Helper()
	told, _ := n.Event(patience, "node.ready", nil)["time"].(string)
	at, err := time.Parse(time.RFC3339Nano, told)
	if err != nil {
		t.Fatal(err)
	}
	if off := time.Until(at) - ahead; off.Abs() > time.Minute {
		t.Fatalf("the node's clock says %v", at)
	}
}
