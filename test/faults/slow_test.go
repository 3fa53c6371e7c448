//go:build linux

package faults_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"plasm/lib/job"
	"plasm/test/netlab"
)

// What a slow link does to each packet, in each direction.
const (
	delay = 100 * time.Millisecond // so that 200 ms are the way there and back
	loss  = 0.05
	again = 200 * time.Millisecond // the least after which TCP sends again what was lost
)

// slowLink is a machine between a command and a node, with a slow and lossy line.
// Datagrams that are lost are lost; of a TCP stream, whose ends are the
// machines beside it, everything behind a lost packet is late.
type slowLink struct {
	t       *testing.T
	machine *netlab.Machine
	target  string
	running sync.WaitGroup
}

func newSlowLink(t *testing.T, m *netlab.Machine, n *node) *slowLink {
	t.Helper()
	l := &slowLink{t: t, machine: m, target: n.machine.Addr + ":7527"}
	ctx, cancel := context.WithCancel(context.Background())
	tcp, err := m.Listen(ctx, "tcp4", m.Addr+":7527")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := m.ListenPacket(ctx, "udp4", m.Addr+":7527")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_, _ = tcp.Close(), udp.Close()
		l.running.Wait()
	})
	l.running.Go(func() { l.streams(ctx, tcp) })
	l.running.Go(func() { l.datagrams(ctx, udp) })
	return l
}

// streams passes TCP connections on.
func (l *slowLink) streams(ctx context.Context, listener net.Listener) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		far, err := l.machine.Dial(ctx, "tcp4", l.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		stop := context.AfterFunc(ctx, func() { _, _ = near.Close(), far.Close() })
		l.running.Go(func() { defer stop(); pump(far, near) })
		l.running.Go(func() { pump(near, far) })
	}
}

// packet is something on its way.
type packet struct {
	data []byte
	due  time.Time
}

// pump passes on what comes from one end, in order, each packet when it is due.
func pump(to, from net.Conn) {
	line := make(chan packet, 1024)
	go func() {
		defer close(line)
		for {
			buf := make([]byte, 1400)
			n, err := from.Read(buf)
			late := delay
			if rand.Float64() < loss {
				late += again
			}
			line <- packet{buf[:n], time.Now().Add(late)}
			if err != nil {
				return
			}
		}
	}()
	for p := range line {
		<-time.After(time.Until(p.due))
		_, _ = to.Write(p.data)
	}
	_, _ = to.Close(), from.Close()
}

// datagrams passes datagrams on, unless they are lost.
func (l *slowLink) datagrams(ctx context.Context, near net.PacketConn) {
	far := map[string]net.Conn{}
	buf := make([]byte, 1<<16)
	for {
		n, from, err := near.ReadFrom(buf)
		if err != nil {
			return
		}
		conn := far[from.String()]
		if conn == nil {
			if conn, err = l.machine.Dial(ctx, "udp4", l.target); err != nil {
				l.t.Error(err)
				return
			}
			far[from.String()] = conn
			context.AfterFunc(ctx, func() { _ = conn.Close() })
			l.running.Go(func() { back(near, conn, from) })
		}
		later(buf[:n], func(p []byte) { _, _ = conn.Write(p) })
	}
}

// back passes on what the node answers to one address.
func back(near net.PacketConn, far net.Conn, to net.Addr) {
	buf := make([]byte, 1<<16)
	for {
		n, err := far.Read(buf)
		if err != nil {
			return
		}
		later(buf[:n], func(p []byte) { _, _ = near.WriteTo(p, to) })
	}
}

// later sends a datagram when it is due, unless it is lost.
func later(p []byte, send func([]byte)) {
	if rand.Float64() < loss {
		return
	}
	p = bytes.Clone(p)
	time.AfterFunc(delay, func() { send(p) })
}

// TestSlowLink: 200 ms there and back, and one packet of twenty lost. A job with a
// module and an input of their size is done all the same, once.
func TestSlowLink(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"tcp", "udp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			machines := l.LAN("user", "between", "node")
			u := newUser(t, machines[0])
			n := u.serve(machines[2])
			newSlowLink(t, machines[1], n)
			through := n.peer(strings.Replace(n.addr(transport), machines[2].Addr, machines[1].Addr, 1))
			module, err := os.ReadFile("../../examples/hello/hello.wasm")
			if err != nil {
				t.Fatal(err)
			}
			in := bytes.Repeat([]byte("ab"), 1<<16)
			w := u.workOf(module, in, bytes.Repeat([]byte("ba"), 1<<16), func(m *job.Manifest) { m.Seed = 1 })
			u.dir = newUser(t, machines[0]).dir // which remembers no other way to the node
			got := w.submit(machines[0], through)
			got.answers(n)
			if took := time.Since(got.began); took < 3*2*delay {
				t.Errorf("done within %v, which the link does not allow", took)
			}
			if runs := n.ran(w.manifest.ID); runs != 1 {
				t.Errorf("it ran %d times", runs)
			}
			n.settle()
		})
	}
}
