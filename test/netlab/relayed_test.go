package netlab_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"plasm/lib/job"
	"plasm/test/bin"
	"plasm/test/netlab"
)

// TestJobOverRelay: between two machines behind routers that no hole can be punched
// through, a job that fits into the relay's limit runs, and one that does not is
// refused with its reason.
func TestJobOverRelay(t *testing.T) {
	t.Parallel()
	const data = 400_000
	l := netlab.New(t)
	internet := l.Internet()
	relay := serve(t, internet.Host("relay"), "--relay", "--relay-data", strconv.Itoa(data), "--mdns=false")
	inside := internet.Site(netlab.Symmetric, "inside")[0]
	outside := internet.Site(netlab.Symmetric, "outside")[0]
	known := relay.at(t, "/ip4/192.0.0.65/tcp/")
	n := serve(t, inside, "--reachability", "private", "--bootstrap", known, "--mdns=false", "--allow", "any")
	n.Event(patience, "nat.status", func(e map[string]any) bool {
		relays, _ := e["relays"].([]any)
		return len(relays) == 1 && relays[0] == relay.id
	})

	input := filepath.Join(t.TempDir(), "input")
	submit := func(size int) (stdout []byte, err error) {
		if err := os.WriteFile(input, bytes.Repeat([]byte{'x'}, size), 0o600); err != nil {
			t.Fatal(err)
		}
		p := outside.Start(append(bin.Env(), "HOME="+t.TempDir()), programs+"/plasm-submit",
			"--mdns=false", "--deadline", "60s", "--memory", "64", "--json", "--stdin", input,
			"--peer", known+"/p2p-circuit/p2p/"+n.id, "../../examples/cat/cat.wasm")
		err = p.End(90 * time.Second)
		return p.Stdout(), err
	}
	out, err := submit(100_000)
	var result struct{ Stdout []byte }
	if err != nil || json.Unmarshal(out, &result) != nil || len(result.Stdout) != 100_000 {
		t.Errorf("a small job: %v, %.300s", err, out)
	}
	n.Event(patience, "job.offered", func(e map[string]any) bool { return e["source"] == "192.0.0.65/32" })

	out, err = submit(2 * data)
	refused, decodeErr := job.DecodeError(out)
	if err == nil || decodeErr != nil || refused.Code != job.CodeRefused ||
		!slices.ContainsFunc(refused.Nodes, func(r job.NodeRejection) bool {
			return r.PeerID == n.id && r.Rejection.Code == job.RejectRelayLimited
		}) {
		t.Errorf("a large job: %v, %.1000s", err, out)
	}
}
