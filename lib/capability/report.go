package capability

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plasm/lib/job"
	"plasm/lib/network"
)

// End says why a search ended.
type End string

// The ends of a search.
const (
	EndThrough End = "through" // look-ups and answers were through
	EndLimit   End = "limit"   // there were as many nodes as were asked for
	EndTimeout End = "timeout"
	EndStopped End = "stopped" // the caller's context ended
)

// errTimeout is why the context of a search ends by itself.
var errTimeout = errors.New("the search took too long")

// Report is what a search tried, and what came of it.
type Report struct {
	End        End
	Took       time.Duration
	Contacts   []network.Contact // those that the host dialled, and whether they answered
	Peers      int               // the most that the routing table had
	Key        network.Key       // what was looked up
	Lookups    int               // how often; 0 when the routing table never had a peer
	Candidates int               // peers that were asked
	Dropped    int               // further ones that were not, because there were too many
	Found      int               // nodes handed over
	LeftOut    []LeftOut         // candidates that were not, by peer ID
}

// LeftOut is a candidate that was not handed over.
type LeftOut struct {
	PeerID string
	Err    error           // why it gave no answer that counts: one line, safe to print; nil when it did
	Why    []job.Rejection // why it doesn't fit; nil when Err isn't
	Node   *job.Node       // what it answered; nil when Err isn't
}

// String returns the peer ID and why it was left out, on one line.
func (l LeftOut) String() string {
	if l.Err != nil {
		return l.PeerID + ": " + l.Err.Error()
	}
	reasons := make([]string, len(l.Why))
	for i, r := range l.Why {
		reasons[i] = r.Message
	}
	return l.PeerID + ": " + strings.Join(reasons, "; ")
}

// report is called when nothing runs any more.
func (f *finder) report(end End) Report {
	slices.SortFunc(f.leftOut, func(a, b LeftOut) int { return strings.Compare(a.PeerID, b.PeerID) })
	return Report{
		End: end, Took: time.Since(f.began), Contacts: f.host.Contacts(), Peers: f.inTable, Key: f.key,
		Lookups:    f.lookups,
		Candidates: f.candidates, Dropped: f.dropped, Found: f.found, LeftOut: f.leftOut,
	}
}

// Lines says for people what was tried: what Summary says, and a line for each
// candidate that was left out.
func (r Report) Lines() []string {
	lines := r.Summary()
	for _, l := range r.LeftOut {
		lines = append(lines, l.String())
	}
	return lines
}

// Summary says for people what was tried: a line for each first contact, the
// peers, and how many candidates there were.
func (r Report) Summary() []string {
	var lines []string
	for _, c := range r.Contacts {
		lines = append(lines, contactLine(c))
	}
	if len(r.Contacts) == 0 {
		lines = append(lines, "no address to begin with, and no neighbour was heard")
	}
	lines = append(lines, fmt.Sprintf("peers in the routing table: %d", r.Peers))
	if r.Lookups == 0 {
		lines = append(lines, fmt.Sprintf("not looked up: %s, as the routing table never had a peer", r.Key))
	} else {
		lines = append(lines, "looked up: "+string(r.Key))
	}
	lines = append(lines, fmt.Sprintf("candidates asked: %d, found: %d, left out: %d", r.Candidates, r.Found,
		len(r.LeftOut)))
	if r.Dropped > 0 {
		lines = append(lines, fmt.Sprintf("candidates not asked, as there were too many: %d", r.Dropped))
	}
	return lines
}

// contactLine says what became of a first contact.
func contactLine(c network.Contact) string {
	name := c.Source + " " + c.Info.ID.String()
	if len(c.Info.Addrs) > 0 {
		name = c.Source + " " + wholeAddr(c.Info.ID, c.Info.Addrs[0])
	}
	switch c.State {
	case network.ContactConnected:
		return fmt.Sprintf("%s: answered in %s", name, c.Took.Round(time.Millisecond/10))
	case network.ContactFailed:
		line := c.Err.Error() // it names source and address
		if e, ok := errors.AsType[*job.Error](c.Err); ok && e.Hint != "" {
			line += " (" + e.Hint + ")"
		}
		return line
	default:
		return fmt.Sprintf("%s: no answer within %s", name, c.Took.Round(time.Millisecond))
	}
}
