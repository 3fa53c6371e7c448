package network

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// A yamux stream has a window of 256 KiB, which the other end may fill before
// anything here reads of it, and yamux makes room for a message when its length has
// come. So a crowd of connections, each with many streams, takes hundreds of MiB.
// Of a connection that others opened, over which nothing has been proved
// (Host.Trust), only maxUnread bytes are taken ahead of their readers; the others
// wait at the sender. What a stream held when it was reset is not known, and so
// every connection is let off unreadForgotten a second.
const (
	maxUnread       = 64 << 10 // as long as the longest message of yamux's
	unreadForgotten = 16 << 10
)

// muxer bounds what connections over which nothing has been proved hold.
type muxer struct {
	network.Multiplexer // yamux

	fair *fair
}

func (m muxer) NewConn(nc net.Conn, isServer bool, scope network.PeerScope) (network.MuxedConn, error) {
	if !isServer || scope == nil {
		return m.Multiplexer.NewConn(nc, isServer, scope)
	}
	u := newUnread(nc, func() bool { return m.fair.hasProved(scope.Peer()) })
	inner, err := m.Multiplexer.NewConn(u, isServer, scope)
	if err != nil {
		return nil, err
	}
	return &readConn{MuxedConn: inner, unread: u}, nil
}

// unread is what yamux reads from: it holds a message back until there is room for
// it. One goroutine reads.
type unread struct {
	net.Conn

	proved func() bool
	all    bool     // it was proved
	header [12]byte // version, type, flags, stream, length
	have   int      // of header
	body   int      // what is left of the message

	mu   sync.Mutex
	held int       // bytes of messages that no stream has read
	at   time.Time // when held was

	less chan struct{} // cap 1: held is less
	shut sync.Once
	done chan struct{} // closed by Close
}

func newUnread(nc net.Conn, proved func() bool) *unread {
	return &unread{Conn: nc, proved: proved, less: make(chan struct{}, 1), done: make(chan struct{})}
}

// Read reads no more than what is left of a header or of a message.
func (u *unread) Read(p []byte) (int, error) {
	if u.all {
		return u.Conn.Read(p)
	}
	if u.body > 0 {
		n, err := u.Conn.Read(p[:min(len(p), u.body)])
		u.body -= n
		return n, err
	}
	n, err := u.Conn.Read(p[:min(len(p), len(u.header)-u.have)])
	copy(u.header[u.have:], p[:n])
	if u.have += n; u.have < len(u.header) {
		return n, err
	}
	u.have = 0
	if err == nil && u.header[1] == 0 { // data
		err = u.message(binary.BigEndian.Uint32(u.header[8:]))
	}
	return n, err
}

var errLongMessage = errors.New("a message is longer than a connection may send that has proved nothing")

// message waits until there is room for a message.
func (u *unread) message(length uint32) error {
	if u.proved() {
		u.all = true
		return nil
	}
	if length > maxUnread {
		return errLongMessage
	}
	u.body = int(length)
	for {
		wait := u.take(int(length))
		if wait <= 0 {
			return nil
		}
		late := time.NewTimer(wait)
		select {
		case <-u.less:
		case <-late.C:
		case <-u.done:
			late.Stop()
			return net.ErrClosed
		}
		late.Stop()
	}
}

// take counts so many bytes, or returns how long it takes until they have room if
// no stream reads.
func (u *unread) take(n int) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	u.held = max(0, u.held-int(now.Sub(u.at).Seconds()*unreadForgotten))
	u.at = now
	if over := u.held + n - maxUnread; over > 0 {
		return time.Duration(over)*time.Second/unreadForgotten + time.Millisecond
	}
	u.held += n
	return 0
}

// read takes back what a stream has read.
func (u *unread) read(n int) {
	u.mu.Lock()
	u.held = max(0, u.held-n)
	u.mu.Unlock()
	select {
	case u.less <- struct{}{}:
	default:
	}
}

// Close frees a Read that waits for room.
func (u *unread) Close() error {
	u.shut.Do(func() { close(u.done) })
	return u.Conn.Close()
}

// readConn is a connection whose streams say what they have read.
type readConn struct {
	network.MuxedConn

	unread *unread
}

func (c *readConn) OpenStream(ctx context.Context) (network.MuxedStream, error) {
	s, err := c.MuxedConn.OpenStream(ctx)
	if err != nil {
		return nil, err
	}
	return &readStream{MuxedStream: s, unread: c.unread}, nil
}

func (c *readConn) AcceptStream() (network.MuxedStream, error) {
	s, err := c.MuxedConn.AcceptStream()
	if err != nil {
		return nil, err
	}
	return &readStream{MuxedStream: s, unread: c.unread}, nil
}

// readStream says what it has read.
type readStream struct {
	network.MuxedStream

	unread *unread
}

func (s *readStream) Read(p []byte) (int, error) {
	n, err := s.MuxedStream.Read(p)
	if n > 0 {
		s.unread.read(n)
	}
	return n, err
}
