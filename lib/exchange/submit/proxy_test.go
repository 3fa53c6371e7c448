package submit

import (
	"bytes"
	"net"
	"sync"
	"testing"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// proxy is a link to a node that can be listened to, and turns connections away.
type proxy struct {
	t        *testing.T
	listener net.Listener
	target   string

	mu      sync.Mutex
	conns   []net.Conn
	busy    int          // connections that are turned away before one is taken
	there   bytes.Buffer // all that went to the node
	running sync.WaitGroup
}

// link puts a proxy before a node that listens on TCP.
func linkTo(t *testing.T, n *fakeNode) *proxy {
	t.Helper()
	_, target, err := manet.DialArgs(n.info().Addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, listener: l, target: target}
	p.running.Go(p.serve)
	t.Cleanup(func() {
		_ = l.Close()
		p.hangUp()
		p.running.Wait()
	})
	return p
}

// addr is where the node is reached through the proxy.
func (p *proxy) addr() ma.Multiaddr {
	a, err := manet.FromNetAddr(p.listener.Addr())
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

func (p *proxy) serve() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		turned := p.busy > 0
		if turned {
			p.busy--
		}
		p.mu.Unlock()
		if tcp, ok := near.(*net.TCPConn); ok && turned {
			_ = tcp.SetLinger(0) // as libp2p does, whose limits say no
			_ = near.Close()
			continue
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, near, far)
		p.mu.Unlock()
		p.running.Go(func() { p.pump(far, near, &p.there) })
		p.running.Go(func() { p.pump(near, far, nil) })
	}
}

// pump passes on what comes.
func (p *proxy) pump(to, from net.Conn, record *bytes.Buffer) {
	defer func() { _ = to.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		if record != nil {
			record.Write(buf[:n])
		}
		p.mu.Unlock()
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// turnAway turns away the next connections.
func (p *proxy) turnAway(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = n
}

// hangUp ends the connections that there are.
func (p *proxy) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// sent is what has gone to the node.
func (p *proxy) sent() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.there.Bytes())
}
