package network

import (
	"errors"
	"reflect"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/quic-go/quic-go"
)

// QUIC's flow control lets the other end send so many bytes ahead of what is read,
// over all streams of a connection, and counts what a stream held when it was reset
// until the other end has given that stream up. libp2p begins with 768 KiB, and asks
// the connection's scope for the memory of what is more. What a node accepts begins
// with narrowWindow. It may have more when a listed requester has submitted over it
// (Host.Trust); before that out of strangersWindows, which all share, so that an
// unlisted requester waits for no round trips while nobody else wants the node.
//
// Not so at a relay: there a stream is read no faster than the one at whose other end
// it is written, and one that is slow would hold up all others of the connection.
const (
	narrowWindow     = 32 << 10 // bytes; in memory a packet takes 1452, however little is in it
	strangersWindows = 2 << 20
	strangerWindow   = 512 << 10 // of one connection, at most
)

// errWindow says that a connection has to wait until its streams are read.
var errWindow = errors.New("no more is taken ahead of a connection that has proved nothing")

// narrow has what QUIC accepts begin with small windows. libp2p has no option for it:
// what it listens with is set right in place.
func narrow(sockets *quicreuse.ConnManager) error {
	field := reflect.ValueOf(sockets).Elem().FieldByName("serverConfig")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*quic.Config]() || field.IsNil() {
		return errors.New("quicreuse.ConnManager is not that of go-libp2p 0.52.0: it has no serverConfig")
	}
	config := (*quic.Config)(field.UnsafePointer())
	config.InitialStreamReceiveWindow, config.InitialConnectionReceiveWindow = narrowWindow, narrowWindow
	return nil
}

// ReserveMemory is asked before QUIC lets the other end send further ahead.
func (c *fairConn) ReserveMemory(size int, priority uint8) error {
	if !c.widen(size) {
		return errWindow
	}
	return c.ConnManagementScope.ReserveMemory(size, priority)
}

// widen reports whether a connection may hold so much more, and counts it if others
// opened it and nothing has been proved over it.
func (c *fairConn) widen(size int) bool {
	f := c.fair
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.peers[c.peer]
	if !f.narrow || c.dir != network.DirInbound || at != nil && at.proved {
		return true
	}
	if c.window+size > strangerWindow || f.windows+size > strangersWindows {
		return false
	}
	c.window += size
	f.windows += size
	return true
}
