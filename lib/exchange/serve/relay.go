package serve

import (
	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

const (
	noLimit = -1 // of a connection
	// What a relayed connection carries besides: handshakes, pings, headers, the
	// offer, other protocols.
	relayShare    = 16       // one part of so many, and
	relayOverhead = 48 << 10 // bytes
	// What a piece of output, however small, takes besides: the headers of the frame, of
	// the stream and of the encrypted record.
	relayFrame = 64 // bytes
)

// relayBudget returns how many bytes of a job a connection can carry in each
// direction, by what its relay announced. An announced limit of 0 is none.
func relayBudget(stat p2p.ConnStats) int64 {
	if !stat.Limited {
		return noLimit
	}
	limit, ok := stat.Extra[client.StatLimitData].(uint64)
	if !ok || limit == 0 || limit > job.MaxSafeInt {
		return noLimit
	}
	return max(int64(limit)-int64(limit)/relayShare-relayOverhead, 0)
}

// overRelay says whether what a job still needs is too much for the connection.
// What it will write is not known; sendOutput looks to that. It is called once.
func (x *session) overRelay(a *wire.Accept) *job.Rejection {
	if x.budget != noLimit { // the offer had the manifest, and so will the receipt
		x.budget = max(x.budget-2*int64(len(x.offer.Manifest)), 0)
	}
	var need int64
	if a.Module {
		need += x.offer.ModuleBytes
	}
	if a.Stdin {
		need += max(x.offer.StdinBytes-a.StdinFrom, 0)
	}
	if x.budget == noLimit || need <= x.budget {
		return nil
	}
	return relayLimited(need, x.budget)
}

func relayLimited(need, have int64) *job.Rejection {
	return amount(job.RejectRelayLimited, need, have,
		"the job needs %d bytes in one direction, and the relay between us takes %d of a job", need, have)
}
