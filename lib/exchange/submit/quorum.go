package submit

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"plasm/lib/job"
	"plasm/lib/receipt"
)

// Quorum says of how many nodes the answer is wanted.
type Quorum struct {
	N     int                        // 2 to receipt.MaxQuorum
	Group func(peerID string) string // nodes of one group count once; nil: each is its own
}

// Agreement is a result on which nodes agree.
type Agreement struct {
	*Result // of the first of them

	Receipts [][]byte // envelopes of the N, the first is that of Result
	Dissent  []Said   // the others that have run the job
}

// Said is what a node has signed.
type Said struct {
	Node    string // its peer ID
	Receipt []byte // its envelope
	Words   string // in short
}

// Agree is Run with one node more at a time, at most 2N-1 in all, until N have signed the same
// vote (receipt.Statement.Vote) over the manifest. The errors are those of Run, and
// CodeDisagreement where nodes have said different things; Nodes has who said what. It
// shows that N keys say the same, and not that N nodes have computed it: a node may
// copy what another has said.
func Agree(ctx context.Context, cfg Config, j *Job, source Source, q Quorum) (*Agreement, error) {
	b := NewBallot(q)
	defer func() { _ = b.Close() }() // of no use any more
	looking, stop := context.WithCancel(ctx)
	pool := &pool{news: make(chan struct{})}
	var searching sync.WaitGroup
	defer searching.Wait()
	defer stop()
	searching.Go(func() { pool.end(source(looking, pool.add)) })
	for !b.Over() {
		r, err := Run(ctx, cfg, j, pool.source(b.Asked))
		if err != nil {
			return nil, b.Short(ctx, err)
		}
		if r.Verified.Outcome.Status == job.Cancelled && ctx.Err() != nil {
			return &Agreement{Result: r}, nil // by this side: there is nothing to agree on
		}
		id := r.Verified.Node.PeerID
		if a := b.Count(r); a != nil {
			return a, nil
		}
		cfg.fill(j)
		cfg.Tell(id, "has answered; "+b.state())
	}
	return nil, b.Disagreement()
}

// Ballot holds the votes on one job, for a caller that asks the nodes by itself. It is
// used by one goroutine at a time.
type Ballot struct {
	q     Quorum
	asked map[string]bool // groups
	votes map[string]*camp
	said  []Said // by all, in their order
}

// camp are those that have voted alike.
type camp struct {
	first *Result
	who   map[string]bool // indexes into said are those of nodes
	list  []Said
}

// NewBallot returns a ballot without votes. Close must follow.
func NewBallot(q Quorum) *Ballot {
	return &Ballot{q: q, asked: map[string]bool{}, votes: map[string]*camp{}}
}

// Asked reports whether a node, or another of its group, has answered.
func (b *Ballot) Asked(id string) bool { return b.asked[b.group(id)] }

// Over reports whether as many have answered as are asked: 2N-1.
func (b *Ballot) Over() bool { return len(b.said) >= 2*b.q.N-1 }

func (b *Ballot) group(id string) string {
	if b.q.Group == nil {
		return id
	}
	return b.q.Group(id)
}

// Count takes a result over, and returns the agreement that it brings, or nil.
func (b *Ballot) Count(r *Result) *Agreement {
	id := r.Verified.Node.PeerID
	vote, ok := r.Verified.Vote()
	one := Said{id, r.Receipt, vote}
	if !ok {
		one.Words = receipt.Ending(r.Verified.Outcome)
	}
	b.asked[b.group(id)] = true
	b.said = append(b.said, one)
	if !ok {
		r.Close()
		return nil
	}
	c := b.votes[vote]
	if c == nil {
		c = &camp{first: r, who: map[string]bool{}}
		b.votes[vote] = c
	} else {
		r.Close()
	}
	c.who[id] = true
	c.list = append(c.list, one)
	if len(c.list) < b.q.N {
		return nil
	}
	a := &Agreement{Result: c.first}
	for _, s := range c.list {
		a.Receipts = append(a.Receipts, s.Receipt)
	}
	for _, s := range b.said {
		if !c.who[s.Node] {
			a.Dissent = append(a.Dissent, s)
		}
	}
	delete(b.votes, vote) // its result is given away
	return a
}

// Close lets go of the results that were taken over, but for that of an agreement.
func (b *Ballot) Close() error {
	for _, c := range b.votes {
		c.first.Close()
	}
	return nil
}

// state says how many agree.
func (b *Ballot) state() string {
	most := 0
	for _, c := range b.votes {
		most = max(most, len(c.list))
	}
	return fmt.Sprintf("%d of %d agree", most, b.q.N)
}

// Short is the error where no other node has an answer, because of err.
func (b *Ballot) Short(ctx context.Context, err error) error {
	if len(b.said) == 0 || ctx.Err() != nil {
		return err
	}
	if len(b.votes) > 1 {
		return b.Disagreement()
	}
	e := &job.Error{
		Code: job.CodeNoNode, Message: fmt.Sprintf("too few nodes: %s, and no other has an answer", b.state()),
		Fact: job.FactShort, Err: err, Nodes: b.nodes(),
	}
	if own, ok := errors.AsType[*job.Error](err); ok {
		e.Nodes = append(e.Nodes, own.Nodes...)
	}
	return e
}

// Disagreement is the error of nodes that have said different things.
func (b *Ballot) Disagreement() error {
	return &job.Error{
		Code: job.CodeDisagreement, Message: fmt.Sprintf("the nodes do not agree: of %d asked, %s", len(b.said),
			b.state()), Nodes: b.nodes(),
	}
}

// nodes says who said what.
func (b *Ballot) nodes() []job.NodeRejection {
	nodes := make([]job.NodeRejection, 0, len(b.said))
	for _, s := range b.said {
		nodes = append(nodes, job.NodeRejection{
			PeerID:    s.Node,
			Rejection: job.Rejection{Code: job.RejectInternal, Message: "says " + s.Words},
		})
	}
	return nodes
}

// pool holds candidates for several searches.
type pool struct {
	mu   sync.Mutex
	all  []Candidate
	over bool
	err  error
	news chan struct{} // closed when something has changed
}

func (p *pool) changed() {
	close(p.news)
	p.news = make(chan struct{})
}

func (p *pool) add(c Candidate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, c)
	p.changed()
}

func (p *pool) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over, p.err = true, err
	p.changed()
}

// source proposes what the pool has and gets, without those to skip.
func (p *pool) source(skip func(id string) bool) Source {
	return func(ctx context.Context, found func(Candidate)) error {
		for seen := 0; ; {
			p.mu.Lock()
			fresh, over, err, news := p.all[seen:], p.over, p.err, p.news
			p.mu.Unlock()
			seen += len(fresh)
			for _, c := range fresh {
				if !skip(c.Info.ID.String()) {
					found(c)
				}
			}
			if over {
				return err
			}
			select {
			case <-news:
			case <-ctx.Done():
				return nil
			}
		}
	}
}
