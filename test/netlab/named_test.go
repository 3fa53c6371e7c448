package netlab_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plasm/test/bin"
	"plasm/test/netlab"
)

// TestNamed: however a node behind a router is named to plasm-submit, from behind
// another router, the job reaches it over a direct connection, and as fast.
func TestNamed(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	internet := l.Internet()
	relay := serve(t, internet.Host("relay"), "--relay", "--mdns=false")
	known := relay.at(t, "/ip4/192.0.0.65/udp/")
	inside := internet.Site(netlab.Cone, "inside")[0]
	outside := internet.Site(netlab.Cone, "outside")[0]
	n := serve(t, inside, "--reachability", "private", "--bootstrap", known, "--mdns=false", "--allow", "any")
	n.placed(relay)
	n.Event(patience, "capability.advertised", nil)
	trust := filepath.Join(t.TempDir(), "trust")
	if err := os.WriteFile(trust, []byte(n.id+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		args []string
	}{
		{"peer ID", []string{"--bootstrap", known, "--peer", n.id}},
		{"peer ID, with what it must have", []string{"--bootstrap", known, "--peer", n.id, "--min-memory", "65"}},
		{"relayed address", []string{"--peer", known + "/p2p-circuit/p2p/" + n.id}},
		{
			"relayed address, and a first contact",
			[]string{"--bootstrap", known, "--peer", known + "/p2p-circuit/p2p/" + n.id},
		},
		{"trusted", []string{"--bootstrap", known, "--trust", trust}},
	} {
		began := time.Now()
		args := append([]string{"--mdns=false", "--no-stdin", "--memory", "64"}, test.args...)
		p := outside.Start(append(bin.Env(), "HOME="+t.TempDir()), programs+"/plasm-submit",
			append(args, "../../examples/wordcount/wordcount.wasm")...)
		if err := p.End(patience); err != nil || string(p.Stdout()) != "0 0 0\n" {
			t.Errorf("%s: %v, %q", test.name, err, p.Stdout())
		}
		t.Logf("%s took %v", test.name, time.Since(began))
	}
	for line := range strings.Lines(string(n.Stderr())) {
		var e map[string]any
		if json.Unmarshal([]byte(line), &e) == nil && e["msg"] == "job.offered" &&
			e["source"] != outside.Router.Addr+"/32" {
			t.Errorf("not a direct connection: %s", line)
		}
	}
}

// placed waits until a relay holds a place for the node.
func (n *node) placed(relay *node) {
	n.Event(patience, "nat.status", func(e map[string]any) bool {
		relays, _ := e["relays"].([]any)
		return len(relays) == 1 && relays[0] == relay.id
	})
}
