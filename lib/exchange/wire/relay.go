package wire

import (
	"fmt"

	"plasm/lib/job"
)

// NoLimit is the budget of a connection that carries any number of bytes.
const NoLimit = -1

// What a relayed connection carries besides a job's bytes: handshakes, pings,
// headers, the offer, other protocols.
const (
	relayShare    = 16       // one part of so many, and
	relayOverhead = 48 << 10 // bytes
)

// RelayBudget returns how many bytes of jobs fit in one direction through a relayed
// connection that carries limit bytes; a limit of 0 is none. Both ends reckon so.
func RelayBudget(limit int64) int64 {
	if limit == 0 {
		return NoLimit
	}
	return max(limit-limit/relayShare-relayOverhead, 0)
}

// OverRelay returns what a budget leaves for a job's bytes, module, input or output,
// beside its manifest, which offer and receipt repeat; and a RejectRelayLimited when
// that is not enough for what the node still asks for. What the job will write, and
// input that ends when it ends, isn't known.
func (o *Offer) OverRelay(budget int64, a *Accept) (int64, *job.Rejection) {
	if budget == NoLimit {
		return NoLimit, nil
	}
	budget = max(budget-2*int64(len(o.Manifest)), 0)
	var need int64
	if a.Module {
		need += o.ModuleBytes
	}
	if a.Stdin {
		need += max(o.StdinBytes-a.StdinFrom, 0)
	}
	if need <= budget {
		return budget, nil
	}
	return budget, RelayLimited(need, budget)
}

// RelayLimited says that a job's bytes don't fit through a relay.
func RelayLimited(need, have int64) *job.Rejection {
	return &job.Rejection{
		Code: job.RejectRelayLimited, Need: need, Have: have,
		Message: fmt.Sprintf("the job needs %d bytes in one direction, and the relay between us takes %d of a job", need, have),
	}
}
