package submit

import (
	"context"
	"errors"
	"slices"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
)

// only says that a submission is not one from the job's description to its result.
type only int

const (
	whole  only = iota // it is
	detach             // it ends when the job has started
	attach             // it begins with a job that is there
	look               // it asks how such a job stands
	dry                // it ends when it is known what a node lacks
)

// attaches reports whether nothing of the job is at hand.
func (o only) attaches() bool { return o == attach || o == look }

// mark makes an offer one of that kind.
func (o only) mark(offer *wire.Offer) {
	offer.Detach = o == detach
	if o.attaches() {
		offer.Attach, offer.ModuleBytes, offer.StdinBytes, offer.Trees = true, 0, wire.StdinUnknown, nil
	}
}

// errEnough ends an exchange that has come as far as was asked.
var errEnough = errors.New("that is all")

// enough is what has come of such an exchange.
func (a *attempt) enough() *Result {
	a.outputs.close()
	a.plan.Node = a.c.id
	if addrs := a.addrs(); len(addrs) > 0 {
		a.plan.Addr = addrs[0]
	}
	return &Result{
		state: a.state, plan: &a.plan, close: func() {},
		ticket: &job.Ticket{
			Manifest: a.job.Manifest, Node: a.c.id, Addrs: a.addrs(),
			KeepUntil: time.Now().Add(a.keep).Truncate(time.Millisecond),
		},
	}
}

// addrs is where the node is, the address first at which it was reached.
func (a *attempt) addrs() []string {
	var addrs []string
	add := func(addr string) {
		if addr += "/p2p/" + a.c.id; len(addrs) < job.MaxTicketAddrs && !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	if a.over != nil && a.over.Stat().Direction == p2p.DirOutbound {
		add(a.over.RemoteMultiaddr().String())
	}
	for _, addr := range a.c.Info.Addrs {
		add(addr.String())
	}
	for _, addr := range a.cfg.Host.Peerstore().Addrs(a.c.Info.ID) {
		add(addr.String())
	}
	return addrs
}

// Detach places a job as Run does, and leaves it to the node that has started it: the
// ticket is for Attach and Look. The job's input must be known. When ctx ends before that,
// the job is cancelled. Errors are those of Run.
func Detach(ctx context.Context, cfg Config, j *Job, source Source) (*job.Ticket, error) {
	cfg.only = detach
	r, err := Run(ctx, cfg, j, source)
	if err != nil {
		return nil, err
	}
	return r.ticket, nil
}

// Attach waits for the end of a ticket's job at a node, and returns what came of it as Run
// does: verified, and cancelled when ctx ends. A ticket lends no trust. Errors are those of
// Run, and of CodeNotFound when the node does not know the job.
func Attach(ctx context.Context, cfg Config, t *job.Ticket, to Candidate) (*Result, error) {
	cfg.only = attach
	return Run(ctx, cfg, &Job{Manifest: t.Manifest}, just(to))
}

// Look returns how a ticket's job stands at a node. Errors are those of Attach.
func Look(ctx context.Context, cfg Config, t *job.Ticket, at Candidate) (wire.State, error) {
	cfg.only = look
	r, err := Run(ctx, cfg, &Job{Manifest: t.Manifest}, just(at))
	if err != nil {
		return "", err
	}
	return r.state, nil
}

// just proposes one candidate.
func just(c Candidate) Source {
	return func(_ context.Context, found func(Candidate)) error {
		found(c)
		return nil
	}
}
