package netlab_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"plasm/test/netlab"
)

// TestAddressComesLater: a machine that gets an address after its node has started, and
// then another one in its place, is found at it within 2 s, by its neighbours and in
// the directory; of the old one nobody hears any more.
func TestAddressComesLater(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]string{"mDNS": "1", "directory": "2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			machines := l.LAN("node", "user", "directory")
			directory := serve(t, machines[2], "--mdns=false")
			args := []string{"--limit", limit}
			if name == "directory" {
				args = append(args, "--mdns=false", "--bootstrap", directory.at(t, "/ip4/10."))
			}
			old := machines[0].Addr
			machines[0].Set("addr del %s/24 dev eth0", old)
			run := t.TempDir()
			n := serve(t, machines[0], "--runtime-dir", run, "--bootstrap", directory.at(t, "/ip4/10."))
			block := old[:strings.LastIndex(old, ".")]
			// tells most beside a heavy load
			fastest := map[string]time.Duration{"first": time.Hour, "other": time.Hour}
			for i := range 4 {
				which := "first"
				addr := fmt.Sprintf("%s.%d", block, 50+i)
				if i > 0 {
					which = "other"
					machines[0].Set("addr del %s/24 dev eth0", old)
				}
				machines[0].Set("addr add %s/24 dev eth0", addr)
				began := time.Now()
				if name == "directory" { // who looks it up before finds the old one, and waits for an answer
					n.Event(patience, "capability.advertised", after(began))
				}
				found := foundAt(t, machines[1], n, addr, old, args...)
				took := found.Sub(began)
				t.Logf("%s: found at %s after %v", name, addr, took)
				waitForAddrs(t, run+"/addrs", addr, old)
				fastest[which], old = min(fastest[which], took), addr
			}
			for which, took := range fastest {
				if took > 2*time.Second {
					t.Errorf("%s address: found after %v at the earliest", which, took)
				}
			}
		})
	}
}

// after returns what fits an event of later than t.
func after(t time.Time) func(map[string]any) bool {
	return func(event map[string]any) bool {
		text, _ := event["time"].(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		return err == nil && at.After(t)
	}
}

// foundAt waits until a node is found at an address, and returns when it was. It may
// not be found at the old one, too, then.
func foundAt(t *testing.T, m *netlab.Machine, n *node, addr, old string, args ...string) time.Time {
	t.Helper()
	for late := time.After(patience); ; {
		found, _ := discover(t, m, args...)
		if node := found[n.id]; node != nil {
			addrs := strings.Join(node.Addrs, " ")
			if strings.Contains(addrs, "/ip4/"+old+"/") {
				t.Errorf("also at %s, which it has no more: %s", old, addrs)
			}
			if strings.Contains(addrs, "/ip4/"+addr+"/") {
				return time.Now()
			}
		}
		select {
		case <-late:
			t.Fatal("not found")
		default:
		}
	}
}

// waitForAddrs waits until a node's file has an address and not the old one any more.
func waitForAddrs(t *testing.T, file, addr, old string) {
	t.Helper()
	for began := time.Now(); ; {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "/"+addr+"/") && !strings.Contains(string(text), "/"+old+"/") {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%s, not at %s any more, says that it is at\n%s", addr, old, text)
		}
	}
}
