package network

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	manet "github.com/multiformats/go-multiaddr/net"

	"plasm/lib/job"
)

// childVariable makes this test binary the child of TestNothingIsWritten.
const childVariable = "PLASM_NETWORK_TEST_CHILD"

// Neither libp2p nor what it stands on writes to the process's streams, with a
// log or without, whatever happens on the network.
func TestNothingIsWritten(t *testing.T) {
	t.Parallel()
	for _, with := range []string{"log", "nothing"} {
		t.Run(with, func(t *testing.T) {
			t.Parallel()
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$", "-test.count=1")
			child.Env = append(os.Environ(), childVariable+"="+with)
			var stdout, stderr bytes.Buffer
			child.Stdout, child.Stderr = &stdout, &stderr
			if err := child.Run(); err != nil {
				t.Errorf("%v", err)
			}
			verdict, rest, _ := strings.Cut(strings.TrimSpace(stdout.String()), "\n")
			if verdict != "PASS" || (rest != "" && !strings.HasPrefix(rest, "coverage: ")) {
				t.Errorf("stdout: %s", stdout.String())
			}
			if stderr.Len() > 0 {
				t.Errorf("stderr: %s", stderr.String())
			}
		})
	}
}

// TestChild is what the child does: everything that makes libraries complain.
//
//nolint:paralleltest // alone in its process, or nothing at all
func TestChild(t *testing.T) {
	with := os.Getenv(childVariable)
	if with == "" {
		return
	}
	cfg := Config{Server: true, MDNS: true, Listen: []string{"/ip4/0.0.0.0/tcp/0", "/ip4/0.0.0.0/udp/0/quic-v1"}}
	log := newJournal()
	if with == "log" {
		cfg.Log = log.logger()
	}
	node := start(t, cfg)
	var tcp string
	for _, addr := range node.LocalAddrs() {
		if !isQUIC(addr) {
			tcp = addr.String()
			break
		}
	}
	garbage(t, tcp)
	infos, err := ParseAddrs([]string{tcp + "/p2p/" + somebody(t).String()})
	if err != nil {
		t.Fatal(err)
	}
	client := start(t, Config{Bootstrap: append(infos, at(node)...), Log: cfg.Log})
	wait(t, "the table", client.Ready())
	if c := settled(t, client); c.State != ContactFailed {
		t.Errorf("%+v", c)
	}
	_ = providers(t, client, "k")
	if with == "log" { // so libraries did have something to say
		log.await(t, "peer.connected", "peer", client.ID().String(), "direction", "in", "relayed", "false", "level",
			"INFO")
		log.await(t, "peer.discovered", "peer", node.ID().String(), "source", "bootstrap")
		log.awaitLibrary(t)
	}
}

// garbage sends what is no protocol of ours and waits to be thrown out.
func garbage(t *testing.T, addr string) {
	t.Helper()
	infos, err := ParseAddrs([]string{addr + "/p2p/" + somebody(t).String()})
	if err != nil {
		t.Fatal(err)
	}
	_, address, err := manet.DialArgs(infos[0].Addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(patiently(t), func() { _ = conn.Close() })
	defer stop()
	_, _ = conn.Write(bytes.Repeat([]byte("GET / HTTP/1.1\r\nHost: \x1b[31m\r\n\r\n"), 50))
	_, _ = io.Copy(io.Discard, conn)
}

// awaitLibrary waits for a line of a library, which must be at job.LevelTrace.
func (j *journal) awaitLibrary(t *testing.T) {
	t.Helper()
	for ctx := patiently(t); ; {
		j.mu.Lock()
		for _, record := range j.records {
			if record["library_level"] != "" {
				if record["level"] != job.LevelTrace.String() || record["logger"] == "" {
					t.Errorf("a library's line: %v", record)
				}
				j.mu.Unlock()
				return
			}
		}
		wrote := j.wrote
		j.mu.Unlock()
		select {
		case <-wrote:
		case <-ctx.Done():
			t.Fatal("no library said anything")
		}
	}
}
