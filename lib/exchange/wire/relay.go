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
// that is not enough for what the node still asks for. What the job will write,
// input that ends when it ends, and what a want will ask for, isn't known.
func (o *Offer) OverRelay(budget int64, a *Accept) (int64, *job.Rejection) {
	if budget == NoLimit {
		return NoLimit, nil
	}
	budget = max(budget-2*int64(len(o.Manifest)), 0)
	need := o.Lacking(a)
	if need <= budget {
		return budget, nil
	}
	return budget, RelayLimited(need, budget)
}

// Lacking returns how many bytes an accept asks for, as far as that is known.
func (o *Offer) Lacking(a *Accept) int64 {
	var need int64
	if len(a.Trees) > 0 {
		need += o.Folders().DocumentBytes // or less
	}
	if a.Module {
		need += o.ModuleBytes
	}
	if a.Stdin {
		need += max(o.StdinBytes-a.StdinFrom, 0)
	}
	return need
}

// RelayLimited says that a job's bytes don't fit through a relay.
func RelayLimited(need, have int64) *job.Rejection {
	needs, takes := job.Amounts(need, have)
	return &job.Rejection{
		Code: job.RejectRelayLimited, Need: need, Have: have,
		Message: fmt.Sprintf("the job needs %s in one direction, and the relay between us takes %s of a job", needs,
			takes),
	}
}
