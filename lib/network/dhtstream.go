package network

import (
	"errors"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// maxQuestion is the longest question that the DHT takes, in bytes. The longest of
// ours, a record with all addresses of a peer, takes some five thousand.
const maxQuestion = 16 << 10

// questions is a host whose stream handlers get messages of at most maxQuestion
// bytes. The DHT itself makes room for 4 MiB as soon as a length is announced,
// and each peer may open many streams.
type questions struct{ host.Host }

// SetStreamHandler has handle called with streams that are bounded.
func (h questions) SetStreamHandler(p protocol.ID, handle network.StreamHandler) {
	h.Host.SetStreamHandler(p, func(s network.Stream) { handle(&question{Stream: s}) })
}

// question is a stream of messages, each behind its length as an unsigned LEB128.
type question struct {
	network.Stream

	left   int // of the message under way
	length int // as far as it has come
	shift  int
}

// errQuestion says that a message is too long.
var errQuestion = errors.New("the message is longer than any question")

// Read reads no further than to the end of a length, or of a message.
func (q *question) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if q.left > 0 {
		n, err := q.Stream.Read(p[:min(len(p), q.left)])
		q.left -= n
		return n, err
	}
	n, err := q.Stream.Read(p[:1])
	if n == 0 {
		return 0, err
	}
	q.length |= int(p[0]&0x7f) << q.shift
	q.shift += 7
	if q.length > maxQuestion || q.shift > 28 {
		return 0, errQuestion
	}
	if p[0] < 0x80 {
		q.left, q.length, q.shift = q.length, 0, 0
	}
	return n, err
}
