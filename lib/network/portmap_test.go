package network

import (
	"encoding/binary"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	ma "github.com/multiformats/go-multiaddr"
)

// pmpRouter is a router that speaks NAT-PMP (RFC 6886), as little of it as is
// asked for, and maps each port to the one a thousand above.
type pmpRouter struct {
	at       net.IP
	outside  [4]byte
	failCode uint16 // of answers to requests for a mapping

	mu     sync.Mutex
	mapped map[port]bool
	asked  chan struct{} // cap 100: a mapping was asked for
}

func newPMPRouter(t *testing.T, at string, outside [4]byte, failCode uint16) *pmpRouter {
	t.Helper()
	r := &pmpRouter{
		at: net.ParseIP(at).To4(), outside: outside, failCode: failCode,
		mapped: make(map[port]bool), asked: make(chan struct{}, 100),
	}
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: r.at, Port: 5351})
	if err != nil && runtime.GOOS != "linux" {
		t.Skipf("no address for a router: %v", err) // only Linux has all of 127.0.0.0/8
	}
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		buffer := make([]byte, 64)
		for {
			n, from, err := socket.ReadFromUDP(buffer)
			if err != nil {
				return
			}
			_, _ = socket.WriteToUDP(r.answer(buffer[:n]), from)
		}
	})
	t.Cleanup(func() {
		_ = socket.Close()
		serving.Wait()
	})
	return r
}

func (r *pmpRouter) answer(request []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	head := []byte{0, request[1] | 0x80, 0, 0, 0, 0, 0, 1}
	if request[1] == 0 {
		return append(head, r.outside[:]...)
	}
	binary.BigEndian.PutUint16(head[2:], r.failCode)
	inside, lifetime := binary.BigEndian.Uint16(request[4:]), binary.BigEndian.Uint32(request[8:])
	protocol := map[byte]string{1: "udp", 2: "tcp"}[request[1]]
	r.mapped[port{protocol, int(inside)}] = lifetime > 0 && r.failCode == 0
	r.asked <- struct{}{}
	head = binary.BigEndian.AppendUint16(head, inside)
	head = binary.BigEndian.AppendUint16(head, inside+1000)
	return binary.BigEndian.AppendUint32(head, lifetime)
}

// has returns the ports that the router maps.
func (r *pmpRouter) has() map[port]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	has := make(map[port]bool)
	for one, is := range r.mapped {
		if is {
			has[one] = true
		}
	}
	return has
}

// Ports are mapped as the host begins to listen at them, and no longer when it
// ends.
func TestPortsAreMapped(t *testing.T) {
	t.Parallel()
	router := newPMPRouter(t, "127.7.5.27", [4]byte{8, 8, 4, 4}, 0)
	h := start(t, Config{Listen: []string{"/ip4/0.0.0.0/tcp/0", "/ip4/127.0.0.1/tcp/0"}})
	p := newPortMaps(h.Network(), newJournal().logger(), func() (net.IP, error) { return router.at, nil })
	wait(t, "a request", router.asked)
	if err := h.Network().Listen(ma.StringCast("/ip4/0.0.0.0/udp/0/quic-v1")); err != nil {
		t.Fatal(err)
	}
	late := time.After(patience)
	for len(router.has()) < 2 {
		select {
		case <-router.asked:
		case <-late:
			t.Fatalf("mapped are %v", router.has())
		}
	}
	mapped := 0
	for ctx := patiently(t); mapped < 2 && ctx.Err() == nil; { // the last answer may be on its way
		mapped = 0
		for _, addr := range h.parts.transports.ListenAddresses() {
			if outside := p.GetMapping(addr); outside != nil {
				mapped++
				one, _ := portOf(addr)
				want := ma.StringCast(strings.Replace(addr.String(), "/0.0.0.0/", "/8.8.4.4/", 1))
				if outside[0].String() != want[0].String() || len(outside) != len(want) || !router.has()[one] {
					t.Errorf("%v is mapped to %v", addr, outside)
				}
			}
		}
	}
	if mapped != 2 || !p.HasDiscoveredNAT() {
		t.Errorf("%d addresses are mapped", mapped)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if left := router.has(); len(left) > 0 {
		t.Errorf("still mapped: %v", left)
	}
}

// A router that cannot help is not believed to.
func TestRouterThatMapsNothing(t *testing.T) {
	t.Parallel()
	ports := []port{{"tcp", 7527}}
	hidden := newPMPRouter(t, "127.7.5.28", [4]byte{10, 0, 0, 1}, 0)
	if got, err := askRouter(hidden.at, ports); err == nil || len(hidden.has()) > 0 {
		t.Errorf("behind another router: %v, %v", got, err)
	}
	const notAuthorized = 2
	unwilling := newPMPRouter(t, "127.7.5.29", [4]byte{8, 8, 4, 4}, notAuthorized)
	if got, err := askRouter(unwilling.at, ports); err == nil {
		t.Errorf("unwilling: %v", got)
	}
	began := time.Now()
	if got, err := askRouter(net.IPv4(127, 7, 5, 30), ports); err == nil {
		t.Errorf("nobody there: %v", got)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("nobody there, known after %v", took)
	}
}
