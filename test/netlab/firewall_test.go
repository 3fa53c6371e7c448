package netlab_test

import (
	"strings"
	"testing"
	"time"

	"plasm/test/bin"
	"plasm/test/netlab"
)

// TestFirewall: where the node's machine drops what comes to its ports, submit, discover
// and doctor name the port and the protocol.
func TestFirewall(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("node", "user")
	run, data := t.TempDir(), t.TempDir()
	n := serve(t, machines[0], "--runtime-dir", run, "--data-dir", data, "--mdns=false", "--allow", "any")
	machines[0].Rules(`
table inet firewall {
	chain input {
		type filter hook input priority filter;
		meta l4proto { tcp, udp } th dport 7527 drop
	}
}
`)
	for _, test := range []struct{ proto, port string }{{"tcp", "TCP port 7527"}, {"udp", "UDP port 7527"}} {
		addr := n.at(t, "/ip4/"+machines[0].Addr+"/"+test.proto+"/")
		want := "no answer from " + test.port + " of " + machines[0].Addr
		for name, args := range map[string][]string{
			"plasm-submit": {
				"--deadline", "60s", "--peer", addr, "--no-stdin",
				"../../examples/wordcount/wordcount.wasm",
			},
			"plasm-discover": {"--timeout", "60s", "--bootstrap", addr},
		} {
			p := machines[1].Start(append(bin.Env(), "HOME="+t.TempDir()), programs+"/"+name,
				append([]string{"--mdns=false"}, args...)...)
			if err := p.End(patience); err == nil || err.Error() != "exit status 127" {
				t.Errorf("%s ends with %v", name, err)
			}
			if stderr := string(p.Stderr()); !strings.Contains(stderr, want) || name == "plasm-submit" &&
				!strings.Contains(stderr, "firewall") {
				t.Errorf("%s lacks %q:\n%s", name, want, stderr)
			}
		}
	}

	p := machines[0].Start(append(bin.Env(), "HOME="+data), programs+"/plasmd", "doctor", "--runtime-dir", run,
		"--data-dir", data)
	if err := p.End(time.Minute + patience); err == nil || err.Error() != "exit status 1" {
		t.Errorf("plasmd doctor ends with %v", err)
	}
	for _, want := range []string{
		"/tcp/7527 (", "/udp/7527/quic-v1 (no answer", "a firewall on this machine drops what it should let in: ",
		"TCP port 7527 and UDP port 7527 of " + machines[0].Addr,
	} {
		if !strings.Contains(string(p.Stdout()), want) {
			t.Errorf("doctor lacks %q:\n%s", want, p.Stdout())
		}
	}
}
