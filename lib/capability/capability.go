// Package capability is what a node can do: measured (Measure), announced
// (Announce), told to whoever asks (Serve), and found by those who need it (Find).
//
// # In the DHT
//
// A node announces itself as a provider of these keys; lib/network says how a
// key becomes a name in the DHT.
//
//	arch=GOARCH        its own
//	engine=NAME        one for each engine
//	memory>=N          for N = 1 and each N = 2^k from 256 to limits.memory_mb
//	cores>=N           for each N = 2^k from 2 to cpu_cores
//
// N is decimal. Every node has memory>=1. Who needs a node looks up one key, the one that it guesses to be
// the rarest among those that every fitting node has, and asks each provider.
// What the DHT says is only who to ask: it may be a day old, and anybody can
// write it.
//
// # /plasm/node/1.0.0
//
// Who asks opens a stream, sends nothing, and closes its side. The node writes
// one node document (job.Node, at most 65536 bytes, without rtt_us) and closes.
// There are no frames: the document ends where the stream does. The asking side
// ignores members that it doesn't know, and refuses a document whose peer_id is
// not the peer that the connection belongs to. A node that is asked too often at
// a time, or can't answer, resets the stream.
package capability

import (
	"time"

	"github.com/libp2p/go-libp2p/core/protocol"
)

// Protocol is what a node is asked for its document by.
const Protocol protocol.ID = "/plasm/node/1.0.0"

// What strangers can make either side hold, and for how long.
const (
	askTime       = 2 * time.Second // of silence, after which an answer is not waited for
	askAtOnce     = 128             // peers asked at a time by one search
	maxCandidates = 4096            // peers that one search asks at all
	maxDialAddrs  = 32              // addresses tried for one candidate

	serveTime    = 5 * time.Second // for writing an answer
	servePerPeer = 8               // answers at a time to one peer
	serveAtOnce  = 256             // answers at a time to all
	maxTellAddrs = 32              // addresses in a node's own document
)
