package netlab_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"plasm/test/bin"
	"plasm/test/netlab"
)

// TestPrivateNetwork: with the key a machine finds the nodes and runs a job on one;
// without it, or with another, it connects to none, by any command.
func TestPrivateNetwork(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("node", "member", "stranger")
	dir := t.TempDir()
	key := func(name, digits string) string {
		path := filepath.Join(dir, name)
		text := "/key/swarm/psk/1.0.0/\n/base16/\n" + strings.Repeat(digits, 32) + "\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ours, other := key("ours.key", "a1"), key("other.key", "b2")
	n := serve(t, machines[0], "--network-key", ours, "--allow", "any")
	addr := n.at(t, "/ip4/"+machines[0].Addr+"/tcp")
	member := serve(t, machines[1], "--network-key", ours, "--bootstrap", addr, "--mdns=false")
	member.Event(patience, "peer.connected", func(e map[string]any) bool { return e["peer"] == n.id })
	strange := serve(t, machines[2], "--network-key", other, "--bootstrap", addr, "--mdns=false")

	found, _ := discover(t, machines[1], "--network-key", ours, "--bootstrap", addr, "--mdns=false")
	if found[n.id] == nil || found[strange.id] != nil {
		t.Errorf("a member found %v, want %s", found, n.id)
	}
	submit := func(m *netlab.Machine, flags ...string) (string, error) {
		args := slices.Concat(flags, []string{
			"--mdns=false", "--deadline", "15s", "--no-stdin", "--memory", "64", "--peer", addr,
			"../../examples/wordcount/wordcount.wasm",
		})
		p := m.Start(append(bin.Env(), "HOME="+t.TempDir()), programs+"/plasm-submit", args...)
		err := p.End(30 * time.Second)
		return string(p.Stdout()), err
	}
	if out, err := submit(machines[1], "--network-key", ours); err != nil || out != "0 0 0\n" {
		t.Errorf("a member's job: %q, %v", out, err)
	}

	for _, flags := range [][]string{nil, {"--network-key", other}} {
		if found, _ := discover(t, machines[2], append(flags, "--bootstrap", addr, "--mdns=false", "--timeout",
			"3s")...); found[n.id] != nil {
			t.Errorf("a stranger with %q found %v", flags, found)
		}
		if out, err := submit(machines[2], flags...); err == nil || out != "" {
			t.Errorf("a stranger's job with %q: %q, %v", flags, out, err)
		}
	}
	if strings.Contains(string(n.Stderr()), strange.id) ||
		strings.Contains(string(strange.Stderr()), `"msg":"peer.connected"`) {
		t.Error("a stranger's node has connected")
	}
}
