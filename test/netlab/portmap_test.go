package netlab_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"plasm/test/need"
	"plasm/test/netlab"
)

// mappable is a block that is public to libp2p and to miniupnpd, which maps no
// port of an address that it knows to be reserved, 192.0.0.0/24 among them.
const mappable = "223.255.255"

// chains are where miniupnpd puts its rules.
const chains = `
table inet miniupnpd {
	chain forward { type filter hook forward priority 0; policy accept; jump miniupnpd; }
	chain prerouting { type nat hook prerouting priority dstnat; jump prerouting_miniupnpd; }
	chain postrouting { type nat hook postrouting priority srcnat; jump postrouting_miniupnpd; }
	chain miniupnpd { }
	chain prerouting_miniupnpd { }
	chain postrouting_miniupnpd { }
}
`

// mapsPorts makes a router one that opens ports to those behind it.
func mapsPorts(t *testing.T, router *netlab.Machine, upnp, pmp string) {
	t.Helper()
	router.Rules(chains)
	dir := t.TempDir()
	config := filepath.Join(dir, "miniupnpd.conf")
	text := fmt.Sprintf(`
ext_ifname=wan
listening_ip=br0
port=0
enable_upnp=%s
enable_natpmp=%s
secure_mode=yes
lease_file=%s
uuid=6f1b1f3e-6d0a-4b55-9f3c-7d5d1c0a7527
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
allow 1024-65535 10.0.0.0/8 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`, upnp, pmp, filepath.Join(dir, "leases"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	need.Found(t, "miniupnpd")
	router.Start(nil, "miniupnpd", "-4", "-d", "-f", config, "-P", filepath.Join(dir, "pid"))
}

// TestMappedPort: a node behind a router that opens ports when asked has it do
// so, says the address, and is dialled there from outside.
func TestMappedPort(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, upnp, pmp string }{
		{"UPnP", "yes", "no"},
		{"NAT-PMP", "no", "yes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			internet := l.InternetIn(mappable)
			bootstrap := serve(t, internet.Host("bootstrap"), "--reachability", "public", "--mdns=false")
			outside := internet.Host("outside")
			inside := internet.Site(netlab.Cone, "inside")[0]
			mapsPorts(t, inside.Router, test.upnp, test.pmp)

			began := time.Now()
			n := serve(t, inside, "--mdns=false", "--bootstrap", bootstrap.at(t, "/ip4/"+mappable+".65/tcp"))
			var mapped []any
			n.Event(patience, "nat.status", func(e map[string]any) bool {
				mapped, _ = e["public_addrs"].([]any)
				return len(mapped) == 2 // TCP and QUIC
			})
			t.Logf("mapped after %v: %v", time.Since(began), mapped)
			for _, one := range mapped {
				addr := fmt.Sprint(one)
				if !strings.HasPrefix(addr, "/ip4/"+inside.Router.Addr+"/") {
					t.Errorf("%s is not at the router, %s", addr, inside.Router.Addr)
				}
				found, _ := discover(t, outside, "--mdns=false", "--bootstrap", addr+"/p2p/"+n.id)
				if found[n.id] == nil || !strings.Contains(strings.Join(found[n.id].Addrs, " "), addr) {
					t.Errorf("at %s is %v, want %s", addr, found, n.id)
				}
			}
			if err := n.Stop(syscall.SIGTERM, patience); err != nil {
				t.Errorf("plasmd ends with %v", err)
			}
			if test.pmp == "no" {
				return // libp2p's UPnP leaves one of two mappings to end by itself, within a minute
			}
			rules, err := inside.Router.Command(t.Context(), "nft", "list", "table", "inet", "miniupnpd").Output()
			if err != nil || strings.Contains(string(rules), "dnat") {
				t.Errorf("the router still has (%v):\n%s", err, rules)
			}
		})
	}
}
