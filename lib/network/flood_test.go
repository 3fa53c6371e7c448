package network

import (
	"context"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// attacker dials below libp2p's swarm, which would use one connection for all.
type attacker struct {
	target *Host
	addr   ma.Multiaddr
	dialer transport.Transport
}

func newAttacker(t *testing.T, target *Host) *attacker {
	t.Helper()
	private, err := transportKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &attacker{target: target, dialer: dialer(t, private)}
	for _, addr := range target.LocalAddrs() {
		if !isQUIC(addr) {
			a.addr = addr
		}
	}
	return a
}

func dialer(t *testing.T, private crypto.PrivKey) transport.Transport {
	t.Helper()
	secure, err := noise.New(noise.ID, private, nil)
	if err != nil {
		t.Fatal(err)
	}
	muxers := []upgrader.StreamMuxer{{ID: yamux.ID, Muxer: yamux.DefaultTransport}}
	up, err := upgrader.New([]sec.SecureTransport{secure}, muxers, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := tcp.NewTCPTransport(up, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// times runs f n times, 64 at once, and waits.
func times(n int, f func()) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for next.Add(1) <= int64(n) {
				f()
			}
		})
	}
	all.Wait()
}

// connections opens n connections of one peer and leaves them.
func (a *attacker) connections(t *testing.T, n int) {
	t.Helper()
	var mu sync.Mutex
	var open []transport.CapableConn
	times(n, func() {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if conn, err := a.dialer.Dial(ctx, a.addr, a.target.ID()); err == nil {
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
		}
	})
	t.Cleanup(func() {
		for _, conn := range open {
			_ = conn.Close()
		}
	})
}

// silence opens n TCP connections and says nothing on them.
func (a *attacker) silence(t *testing.T, n int) {
	t.Helper()
	_, address, err := manet.DialArgs(a.addr)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	times(n, func() {
		if conn, err := net.DialTimeout("tcp", address, patience); err == nil {
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
		}
	})
	t.Cleanup(func() {
		for _, conn := range open {
			_ = conn.Close()
		}
	})
}

// streams opens streams on one connection until no more are taken, and says
// nothing on them.
func (a *attacker) streams(t *testing.T, n int) {
	t.Helper()
	conn, err := a.dialer.Dial(t.Context(), a.addr, a.target.ID())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	for range n {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		s, err := conn.OpenStream(ctx)
		cancel()
		if err != nil {
			return
		}
		_, _ = s.Write([]byte{0}) // what makes it known to the other side
	}
}

// After whatever one stranger does, and while his connections stay, another peer
// is answered at its first try, memory is bounded, and nothing is left of it in
// the end.
//
//nolint:paralleltest // measures memory and goroutines
func TestFloods(t *testing.T) {
	for name, flood := range map[string]func(*testing.T, *attacker){
		"connections": func(t *testing.T, a *attacker) { t.Helper(); a.connections(t, 2000) },
		"silence":     func(t *testing.T, a *attacker) { t.Helper(); a.silence(t, 2000) },
		"streams":     func(t *testing.T, a *attacker) { t.Helper(); a.streams(t, 5000) },
	} {
		t.Run(name, func(t *testing.T) {
			before := memory()
			node := start(t, Config{Server: true})
			_ = node.Provide(t.Context(), "k")
			bystander := start(t, Config{Bootstrap: at(node)})
			wait(t, "the table", bystander.Ready())
			stop := make(chan struct{})
			var worst time.Duration
			var asking sync.WaitGroup
			asking.Go(func() { // one who is there already, all the while
				for {
					select {
					case <-stop:
						return
					default:
						worst = max(worst, ask(t, bystander, node))
					}
				}
			})
			flood(t, newAttacker(t, node))
			close(stop)
			asking.Wait()
			answered(t, node)
			grown := memory() - before
			if grown > 256<<20 {
				t.Errorf("%d MiB more memory", grown>>20)
			}
			if n := len(node.Network().Conns()); n > maxPeerConns+8 {
				t.Errorf("%d connections are held", n)
			}
			t.Logf("worst answer meanwhile %v, %d MiB more memory", worst, grown>>20)
		})
	}
	nothingLeft(t)
}

// answered has three newcomers ask node, one after another. None is turned away or so
// held up that its dialling gives up.
func answered(t *testing.T, node *Host) {
	t.Helper()
	for range 3 {
		newcomer := start(t, Config{})
		began := time.Now()
		newcomer.Contact(at(node)[0], SourceLocal)
		if c := settled(t, newcomer); c.State != ContactConnected {
			t.Errorf("a newcomer was turned away: %v", c.Err)
		}
		wait(t, "a newcomer's table", newcomer.Ready())
		ask(t, newcomer, node)
		t.Logf("a newcomer was answered after %v", time.Since(began))
	}
}

// ask looks up what node announced and returns how long it took.
func ask(t *testing.T, h, node *Host) time.Duration {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	n := 0
	for info := range h.Providers(ctx, "k") {
		if info.ID == node.ID() {
			n++
		}
	}
	if n != 1 {
		t.Errorf("found %d times", n)
	}
	return time.Since(began)
}

func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// nothingLeft waits until no goroutine of ours or libp2p's is left.
func nothingLeft(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ctx := patiently(t); ; {
		left := leftovers()
		if len(left) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
		}
	}
}

// leftovers returns the stacks of goroutines that a host may have started.
func leftovers() []string {
	buffer := make([]byte, 64<<20)
	stacks := strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n")
	var left []string
	for _, stack := range stacks[1:] { // the first is the test's own
		for _, of := range []string{"plasm/lib/network.", "libp2p", "quic-go", "go-multistream", "zeroconf", "ipfs/"} {
			if strings.Contains(stack, of) && !strings.Contains(stack, "testing.tRunner") &&
				!strings.Contains(stack, "testing.(*T).Run") {
				left = append(left, stack)
				break
			}
		}
	}
	return left
}

//nolint:paralleltest // counts goroutines
func TestCloseLeavesNothing(t *testing.T) {
	t.Run("network", func(t *testing.T) {
		first := start(t, Config{Server: true, MDNS: true, PeersFile: t.TempDir() + "/peers"})
		relay := start(t, Config{Server: true, Reachability: ReachabilityPublic, Relay: &Relay{}, Bootstrap: at(first)})
		hidden := start(t, Config{Server: true, Reachability: ReachabilityPrivate, Bootstrap: at(relay)})
		client := start(t, Config{MDNS: true, Bootstrap: at(first)})
		for _, h := range []*Host{relay, hidden, client} {
			wait(t, "the table", h.Ready())
		}
		client.Contact(at(hidden)[0], SourceLocal)
		_ = client.Providers(t.Context(), "abandoned")
	})
	nothingLeft(t)
}

// A host that cannot start leaves nothing behind either.
//
//nolint:paralleltest // counts goroutines
func TestFailedStartLeavesNothing(t *testing.T) {
	for _, cfg := range []Config{
		{Listen: []string{"/ip4/192.0.2.77/tcp/0"}},
		{Relay: &Relay{}},
		{Key: make([]byte, 5)},
	} {
		if h, err := Start(t.Context(), cfg); err == nil {
			t.Errorf("%+v: started", cfg)
			_ = h.Close()
		} else {
			told(t, err)
		}
	}
	nothingLeft(t)
}
