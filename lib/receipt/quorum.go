package receipt

import (
	"fmt"
	"strings"

	"plasm/lib/job"
)

// MaxQuorum is of how many nodes agreement can be asked for at most.
const MaxQuorum = 16

// Vote returns what nodes that run the same job must agree on: how it ended, what it has
// written and left, and the fuel where that was counted. It is false for an end that another
// run need not have: one by a limit of time or memory, by a machine, or by an engine's own stack.
func (s *Statement) Vote() (string, bool) {
	o := s.Outcome
	switch o.Status {
	case job.Exit, job.OutOfFuel, job.OutputLimit:
	case job.Trap:
		if o.Trap == job.TrapStackOverflow && s.Manifest.Fuel == 0 {
			return "", false
		}
	default:
		return "", false
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s; stdout %s; stderr %s", Ending(o), s.Stdout, s.Stderr)
	if o.FuelUsed != nil {
		fmt.Fprintf(&b, "; fuel %d", *o.FuelUsed)
	}
	for _, d := range o.Dirs {
		fmt.Fprintf(&b, "; %q %s", d.Guest, d.Tree)
	}
	return b.String(), true
}

// CheckQuorum reports whether n nodes with different keys have signed one vote over one
// manifest: v and others. An error is a *RefusalError with WrongQuorum.
func (v *Verified) CheckQuorum(n int, others []*Verified) error {
	vote, ok := v.Vote()
	if !ok {
		return refuse(WrongQuorum, "%s is not an end that another run must have", Ending(v.Outcome))
	}
	signers := map[string]bool{}
	for _, one := range append([]*Verified{v}, others...) {
		theirs, _ := one.Vote()
		switch {
		case !one.Manifest.Equal(v.Manifest):
			return refuse(WrongQuorum, "the receipt of %s is about another manifest: %s differs", one.Node.PeerID,
				one.Manifest.Difference(v.Manifest))
		case theirs != vote:
			return refuse(WrongQuorum, "%s has signed another outcome than %s", one.Node.PeerID, v.Node.PeerID)
		}
		signers[one.Node.PeerID] = true
	}
	if len(signers) < n {
		return refuse(WrongQuorum, "%d of %d signers", len(signers), n)
	}
	return nil
}
