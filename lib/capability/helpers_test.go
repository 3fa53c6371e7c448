package capability

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/job"
	"plasm/lib/network"
)

// patience is how long a test waits for what should take a moment, on a machine
// that has other things to do.
const patience = 5 * time.Minute

// document keeps every rule but those about the peer, which Serve fills in.
func document() job.Node {
	return job.Node{
		Version: "0.1.0", OS: "linux", Arch: "amd64", CPUCores: 8, MemoryMB: 8192,
		Engines: []job.NodeEngine{{Name: "wazero", Version: "1.12.0", Features: []string{"simd128"}}},
		Guards:  []string{"rlimits", "seccomp"},
		Slots:   job.Slots{Total: 4, Free: 3},
		Limits: job.NodeLimits{
			MemoryMB: 4096, TimeoutMS: 3_600_000, ModuleBytes: 64 << 20, InputBytes: 1 << 30, OutputBytes: 1 << 30,
		},
	}
}

// start starts a host on loopback that ends with the test. TCP is the cheaper
// transport for a machine that plays all hosts, so it is what they listen at
// unless a test says otherwise.
func start(tb testing.TB, cfg network.Config) *network.Host {
	tb.Helper()
	if cfg.Listen == nil {
		cfg.Listen = []string{tcp}
	}
	h, err := network.Start(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := h.Close(); err != nil {
			tb.Errorf("closing a host: %v", err)
		}
	})
	return h
}

// Where hosts of tests listen.
const (
	tcp  = "/ip4/127.0.0.1/tcp/0"
	quic = "/ip4/127.0.0.1/udp/0/quic-v1"
)

// server starts a host that serves the DHT, client one that doesn't.
func server(tb testing.TB, known ...*network.Host) *network.Host {
	tb.Helper()
	return start(tb, network.Config{Server: true, Bootstrap: at(known...)})
}

func client(t *testing.T, known ...*network.Host) *network.Host {
	t.Helper()
	return start(t, network.Config{Bootstrap: at(known...)})
}

// at is where to find hosts.
func at(hosts ...*network.Host) []peer.AddrInfo {
	var infos []peer.AddrInfo
	for _, h := range hosts {
		infos = append(infos, peer.AddrInfo{ID: h.ID(), Addrs: h.LocalAddrs()})
	}
	return infos
}

// node starts a node with that document and waits until it is announced. It
// leaves with the test, or when leave is called.
func node(t *testing.T, n job.Node, known ...*network.Host) (h *network.Host, leave func()) {
	t.Helper()
	h = server(t, known...)
	s := Serve(h, func() job.Node { return n }, nil)
	a := Announce(h, Announcement{Keys: Keys(&n)})
	eventually(t, "announced", func() bool { return a.State().Pending == 0 })
	leave = func() {
		a.Close()
		s.Close()
		if err := h.Close(); err != nil {
			t.Errorf("closing a node: %v", err)
		}
	}
	t.Cleanup(func() {
		a.Close()
		s.Close()
	})
	return h, leave
}

// announce has h announced to those who need any node; it need not be one.
func announce(t *testing.T, h *network.Host) {
	t.Helper()
	eventually(t, "ready", func() bool { return h.TableSize() > 0 })
	if err := h.Provide(t.Context(), Need{}.Key()); err != nil {
		t.Error(err)
	}
}

// eventually waits for a state that nothing tells of.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %v for: %s", patience, what)
		}
	}
}

// find searches, with much patience unless the search says otherwise, and returns what
// was found by peer ID.
func find(t *testing.T, h *network.Host, s Search) (map[string]job.Node, Report) {
	t.Helper()
	if s.Timeout == 0 {
		s.Timeout = patience
	}
	found := map[string]job.Node{}
	report := Find(t.Context(), h, s, func(n job.Node) {
		if _, twice := found[n.PeerID]; twice {
			t.Errorf("%s was found twice", n.PeerID)
		}
		if err := n.Validate(); err != nil || n.RTTUS == 0 {
			t.Errorf("found %+v: %v", n, err)
		}
		found[n.PeerID] = n
	})
	if report.Found != len(found) {
		t.Errorf("%d found, but the report says %d", len(found), report.Found)
	}
	return found, report
}

// left returns why the report left a peer out, "" when it didn't.
func left(r Report, id peer.ID) string {
	for _, l := range r.LeftOut {
		if l.PeerID == id.String() {
			return strings.TrimPrefix(l.String(), l.PeerID+": ")
		}
	}
	return ""
}

// goroutines returns the stacks that have one of names in them.
func goroutines(names ...string) []string {
	buf := make([]byte, 8<<20)
	var found []string
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		for _, name := range names {
			if strings.Contains(stack, name) {
				found = append(found, stack)
				break
			}
		}
	}
	return found
}
