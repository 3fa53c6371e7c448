package submit

import (
	"context"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/exchange/wire"
)

// silence is how long a node that has accepted may send nothing, not even a ping, until
// it is looked for at other addresses: half of what makes a connection lost.
func silence(cfg wire.Config) time.Duration {
	const lost = 8 * time.Second // the protocol's
	if cfg.Lost == 0 {
		return lost / 2
	}
	return cfg.Lost / 2
}

// heard is a stream that tells of silence. It is read by one goroutine, the attempt's.
type heard struct {
	p2p.Stream

	a      *attempt
	silent chan<- context.Context // gets a context that ends when something comes, or nothing will
}

// Read reads, and tells when it has waited for long.
func (h *heard) Read(p []byte) (int, error) {
	if !h.a.accepted {
		return h.Stream.Read(p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	timer := time.AfterFunc(silence(h.a.cfg.Wire), func() {
		select {
		case h.silent <- ctx:
		default: // the last silence is not over yet
		}
	})
	defer timer.Stop()
	return h.Stream.Read(p)
}

// seek looks for a node that is silent at other addresses, or on another connection, until
// the exchange is over. Where the node answers, the connection ends, and is made again
// at once: who has moved, or whose router has forgotten the connection, is not waited for.
func (x *exchange) seek(silent <-chan context.Context, conn p2p.Conn, info peer.AddrInfo) {
	for {
		select {
		case <-x.over:
			return
		case ctx := <-silent:
			x.a.cfg.Host.CloseSilent(ctx, conn, info.Addrs)
		}
	}
}
