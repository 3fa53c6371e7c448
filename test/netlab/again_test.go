package netlab_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"plasm/test/bin"
	"plasm/test/netlab"
)

// TestRelayRestarts: a node behind a router is found again soon after its relay, which
// is the directory too, has ended and started again.
func TestRelayRestarts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		signal syscall.Signal
	}{{"stopped", syscall.SIGTERM}, {"killed", syscall.SIGKILL}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			internet := l.Internet()
			public, data := internet.Host("relay"), t.TempDir()
			relay := serve(t, public, "--relay", "--mdns=false", "--data-dir", data)
			known := relay.at(t, "/ip4/192.0.0.65/udp/")
			n := serve(t, internet.Site(netlab.Cone, "inside")[0], "--reachability", "private", "--bootstrap", known,
				"--mdns=false")
			n.placed(relay)
			n.Event(patience, "capability.advertised", nil)
			_ = relay.Stop(test.signal, patience)
			serve(t, public, "--relay", "--mdns=false", "--data-dir", data)
			began := time.Now()
			user := internet.Site(netlab.Cone, "outside")[0]
			for late := time.After(patience); ; {
				if found, _ := discover(t, user, "--bootstrap", known, "--mdns=false", "--limit",
					"2"); found[n.id] != nil {
					break
				}
				select {
				case <-late:
					t.Fatal("not found again")
				default:
				}
			}
			t.Logf("found again after %v", time.Since(began))
		})
	}
}

// TestAddressChangesDuringJob: a job goes on when its node, or its requester, has
// another address.
func TestAddressChangesDuringJob(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"node", "requester"} {
		for _, transport := range []string{"tcp", "udp"} {
			t.Run(who+", "+transport, func(t *testing.T) {
				t.Parallel()
				l := netlab.New(t)
				machines := l.LAN("node", "requester")
				n := serve(t, machines[0], "--allow", "any")
				// input that lasts
				machines[1].Start(append(bin.Env(), "HOME="+t.TempDir()), "sh", "-c", `tail -f /dev/null | "$@"`, "sh",
					programs+"/plasm-submit", "--stream", "--memory", "64",
					"--peer", n.at(t, "/ip4/"+machines[0].Addr+"/"+transport+"/"), "../../examples/cat/cat.wasm")
				n.Event(patience, "job.started", nil)
				changed := machines[0]
				if who == "requester" {
					changed = machines[1]
				}
				changed.Set("addr del %s/24 dev eth0", changed.Addr)
				changed.Set("addr add %s/24 dev eth0", changed.Addr[:strings.LastIndex(changed.Addr, ".")]+".77")
				began := time.Now()
				n.Event(patience, "job.accepted", func(e map[string]any) bool { return e["attached"] == true })
				t.Logf("%s, %s: again after %v", who, transport, time.Since(began))
			})
		}
	}
}
