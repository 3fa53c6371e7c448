package netlab_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
	"plasm/test/bin"
	"plasm/test/netlab"
)

// patience bounds what would hang: nothing here is to be fast.
const patience = 2 * time.Minute

// programs is the folder with the commands under test.
var programs = filepath.Join(os.TempDir(), fmt.Sprintf("plasm-netlab-%d", os.Getpid()))

func TestMain(m *testing.M) {
	os.Exit(func() int {
		defer func() { _ = os.RemoveAll(programs) }()
		if err := build(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

func build(ctx context.Context) error {
	if err := os.Mkdir(programs, 0o755); err != nil {
		return err
	}
	if err := bin.Build(ctx, programs, "plasm-run", "plasm-discover", "plasm-submit", "plasmd"); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", programs+"/", "./neighbour", "./reach")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// node is a plasmd on a machine of a lab.
type node struct {
	*netlab.Process
	id    string
	addrs []string
}

// serve starts a node and waits until it is ready.
func serve(t *testing.T, m *netlab.Machine, args ...string) *node {
	t.Helper()
	n := start(t, m, args...)
	first := string(n.Line(patience, func(line []byte) bool { return len(line) > 0 && line[0] == '/' }))
	_, n.id, _ = strings.Cut(first, "/p2p/")
	n.Event(patience, "node.ready", nil)
	n.addrs = strings.Fields(string(n.Stdout()))
	return n
}

// start starts a node.
func start(t *testing.T, m *netlab.Machine, args ...string) *node {
	t.Helper()
	dir := t.TempDir()
	env := append(bin.Env(), "HOME="+dir)
	args = append([]string{
		"serve", "--data-dir", dir + "/data", "--runtime-dir", dir + "/run", "--log-format", "json",
		"--memory", "256",
	}, args...)
	return &node{Process: m.Start(env, programs+"/plasmd", args...)}
}

// at returns the address of a node that contains part.
func (n *node) at(t *testing.T, part string) string {
	t.Helper()
	for _, addr := range n.addrs {
		if strings.Contains(addr, part) {
			return addr
		}
	}
	t.Fatalf("no address with %s: %v", part, n.addrs)
	return ""
}

// discover runs plasm-discover on a machine, and returns the nodes that it found
// and how long that took.
func discover(t *testing.T, m *netlab.Machine, args ...string) (found map[string]*job.Node, took time.Duration) {
	t.Helper()
	args = append([]string{"--timeout", patience.String()}, args...)
	began := time.Now()
	p := m.Start(append(bin.Env(), "HOME="+t.TempDir()), programs+"/plasm-discover", args...)
	err := p.End(2 * patience)
	took = time.Since(began)
	found = map[string]*job.Node{}
	for line := range strings.Lines(string(p.Stdout())) {
		n, decodeErr := job.DecodeNode([]byte(strings.TrimSpace(line)))
		if decodeErr != nil {
			t.Fatalf("%v: %s", decodeErr, line)
		}
		found[n.PeerID] = n
	}
	if (err == nil) != (len(found) > 0) {
		t.Fatalf("plasm-discover: %v with %d nodes\n%s", err, len(found), p.Stderr())
	}
	return found, took
}

// TestBehindNAT: a node behind a router is found from behind another, is reached
// over the relay, and then directly where the routers allow it.
func TestBehindNAT(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		nat    netlab.NAT
		direct bool
	}{{netlab.Cone, true}, {netlab.Symmetric, false}} {
		t.Run(string(test.nat), func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			internet := l.Internet()
			relay := serve(t, internet.Host("relay"), "--relay", "--mdns=false")
			known := relay.at(t, "/ip4/192.0.0.65/udp/")
			inside := internet.Site(test.nat, "inside")[0]
			outside := internet.Site(test.nat, "outside")[0]

			began := time.Now()
			n := serve(t, inside, "--reachability", "private", "--bootstrap", known, "--mdns=false")
			n.Event(patience, "nat.status", func(e map[string]any) bool {
				relays, _ := e["relays"].([]any)
				return len(relays) == 1 && relays[0] == relay.id
			})
			t.Logf("a place at the relay after %v", time.Since(began))
			n.Event(patience, "capability.advertised", nil)

			found, took := discover(t, outside, "--bootstrap", known, "--mdns=false")
			if found[n.id] == nil || found[relay.id] == nil || len(found) != 2 {
				t.Fatalf("found %v, want %s and %s", found, n.id, relay.id)
			}
			if took >= patience { // its own end is before
				t.Errorf("found after %v", took)
			}
			if addrs := strings.Join(found[n.id].Addrs, " "); !strings.Contains(addrs, "/p2p-circuit") {
				t.Errorf("no address over the relay: %s", addrs)
			}

			p := outside.Start(nil, programs+"/reach", known, n.id, "20s")
			if err := p.End(patience); err != nil {
				t.Fatalf("reach: %v\n%s", err, p.Stderr())
			}
			var got []map[string]bool
			for line := range strings.Lines(string(p.Stdout())) {
				var v map[string]bool
				if err := json.Unmarshal([]byte(line), &v); err != nil {
					t.Fatal(err)
				}
				got = append(got, v)
			}
			want := []map[string]bool{
				{"asked": true, "relayed": true},
				{"direct": test.direct},
				{"again": true, "relayed": !test.direct},
			}
			if len(got) == len(want) && test.direct {
				got[0]["relayed"] = true // the punch may be through before the answer
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("reach (-want +got):\n%s", diff)
			}
			n.Event(patience, "nat.status", func(e map[string]any) bool { return e["direct"] == test.direct })
			if err := n.Stop(syscall.SIGTERM, patience); err != nil {
				t.Errorf("plasmd ends with %v", err)
			}
		})
	}
}

// TestRelayAllow: of two nodes behind a router only the one that the relay lists
// gets a place there.
func TestRelayAllow(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	internet := l.Internet()
	data := t.TempDir()
	inside := internet.Site(netlab.Cone, "listed", "other")
	before := serve(t, inside[0], "--data-dir", data, "--mdns=false")
	if err := before.Stop(syscall.SIGTERM, patience); err != nil {
		t.Fatal(err)
	}
	relay := serve(t, internet.Host("relay"), "--relay", "--relay-allow", before.id, "--mdns=false")
	known := relay.at(t, "/ip4/192.0.0.66/tcp/")
	hasPlace := func(e map[string]any) bool {
		relays, _ := e["relays"].([]any)
		return len(relays) > 0
	}
	other := serve(t, inside[1], "--reachability", "private", "--bootstrap", known, "--mdns=false")
	other.Event(patience, "capability.advertised", nil)
	listed := serve(t, inside[0], "--data-dir", data, "--reachability", "private", "--bootstrap", known, "--mdns=false")
	listed.Event(patience, "nat.status", hasPlace)
	for line := range strings.Lines(string(other.Stderr())) {
		var e map[string]any
		if json.Unmarshal([]byte(line), &e) == nil && e["msg"] == "nat.status" && hasPlace(e) {
			t.Errorf("a node that is not listed has a place: %s", line)
		}
	}
}
