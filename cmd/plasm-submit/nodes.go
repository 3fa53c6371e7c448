package main

import (
	"context"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/batch"
	"plasm/lib/capability"
	"plasm/lib/exchange/submit"
	"plasm/lib/job"
)

const (
	lookEvery = 15 * time.Second // for nodes that come while a batch runs
	oneMore   = 1                // job beyond its slots that a node is offered, which begins as soon as one ends
	maxSlots  = 10_000           // the most slots of a node that are believed
)

// nodes are those that a batch runs on: all that are trusted and fit, those included that
// come while it runs.
type nodes struct {
	finder *finder
	trust  *trust
	fleet  *batch.Fleet

	mu      sync.Mutex
	known   map[string]submit.Candidate
	leftOut []job.NodeRejection
	admit   string // the line that would make the first trusted that lacks only trust
	err     error  // of the first search
}

// search begins to look for nodes, and goes on quietly until stop.
func (n *nodes) search(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var searching sync.WaitGroup
	searching.Go(func() {
		err := n.first(ctx)
		n.mu.Lock()
		n.err = err
		n.mu.Unlock()
		n.fleet.Settled()
		again := time.NewTicker(lookEvery)
		defer again.Stop()
		for {
			select {
			case <-again.C:
				n.again(ctx)
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); searching.Wait() }
}

// first is the first search.
func (n *nodes) first(ctx context.Context) error {
	f := n.finder
	if len(f.peers) == 0 && f.o.peersFile == "" {
		return f.discover(ctx, n.join)
	}
	var asking sync.WaitGroup
	defer asking.Wait()
	for _, p := range f.peers {
		asking.Go(func() { n.join(f.asked(ctx, p)) })
	}
	if f.o.peersFile == "" {
		return nil
	}
	return f.listed(ctx, n.join)
}

// asked is a node of --peer, which is asked how much it holds.
func (f *finder) asked(ctx context.Context, p peer.AddrInfo) submit.Candidate {
	node, err := capability.Ask(ctx, f.host, p, namedTime)
	if err != nil {
		return submit.Candidate{Info: p} // it may be there later
	}
	return submit.Candidate{Info: p, Node: node}
}

// again looks for nodes that have come, and asks those that have not yet said what they
// hold.
func (n *nodes) again(ctx context.Context) {
	f := n.finder
	if len(f.peers) == 0 && f.o.peersFile == "" {
		capability.Find(ctx, f.host, capability.Search{Need: f.need, MDNS: f.o.where.MDNS()}, func(node job.Node) {
			if info, err := infoOf(&node); err == nil {
				n.join(submit.Candidate{Info: info, Node: &node})
			}
		})
		return
	}
	for _, p := range f.peers {
		if n.candidate(p.ID.String()).Node != nil {
			continue
		}
		if c := f.asked(ctx, p); c.Node != nil {
			n.join(c)
		}
	}
}

// join adds a node to the fleet, or notes why not.
func (n *nodes) join(c submit.Candidate) {
	id := c.Info.ID.String()
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.Out == nil && !n.trust.trusts(id) {
		c.Out = &job.Rejection{
			Code:    job.RejectNotAllowed,
			Message: "not trusted, so nothing of the jobs was sent to it",
		}
		if line := n.trust.admit(id); line != "" {
			c.Out.Message += "; to trust it: " + line
			if n.admit == "" {
				n.admit = line
			}
		}
	}
	if c.Out != nil {
		n.leftOut = append(n.leftOut, job.NodeRejection{PeerID: id, Rejection: *c.Out})
		return
	}
	n.known[id] = c
	slots := int64(1)
	if c.Node != nil {
		slots = c.Node.Slots.Total
	}
	n.fleet.Join(id, int(min(slots, maxSlots)), oneMore)
}

// candidate returns a node of the fleet.
func (n *nodes) candidate(id string) submit.Candidate {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known[id]
}
