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
	b := ballot{q: q, asked: map[string]bool{}, votes: map[string]*camp{}}
	defer b.close()
	looking, stop := context.WithCancel(ctx)
	pool := &pool{news: make(chan struct{})}
	var searching sync.WaitGroup
	defer searching.Wait()
	defer stop()
	searching.Go(func() { pool.end(source(looking, pool.add)) })
	for len(b.said) < 2*q.N-1 {
		r, err := Run(ctx, cfg, j, pool.source(func(id string) bool { return b.asked[b.group(id)] }))
		if err != nil {
			return nil, b.short(ctx, err)
		}
		if r.Verified.Outcome.Status == job.Cancelled && ctx.Err() != nil {
			return &Agreement{Result: r}, nil // by this side: there is nothing to agree on
		}
		if a := b.count(r); a != nil {
			return a, nil
		}
		cfg.fill(j)
		cfg.Tell(r.Verified.Node.PeerID, "has answered; "+b.state())
	}
	return nil, b.disagreement()
}

// ballot are the votes that have come.
type ballot struct {
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

func (b *ballot) group(id string) string {
	if b.q.Group == nil {
		return id
	}
	return b.q.Group(id)
}

// count takes a result in, and returns the agreement that it brings, or nil.
func (b *ballot) count(r *Result) *Agreement {
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

func (b *ballot) close() {
	for _, c := range b.votes {
		c.first.Close()
	}
}

// state says how many agree.
func (b *ballot) state() string {
	most := 0
	for _, c := range b.votes {
		most = max(most, len(c.list))
	}
	return fmt.Sprintf("%d of %d agree", most, b.q.N)
}

// short is the error where there was no other node to ask: err is Run's.
func (b *ballot) short(ctx context.Context, err error) error {
	if len(b.said) == 0 || ctx.Err() != nil {
		return err
	}
	if len(b.votes) > 1 {
		return b.disagreement()
	}
	e := &job.Error{
		Code: job.CodeNoNode, Message: fmt.Sprintf("too few nodes: %s, and no other has an answer", b.state()),
		Hint: "trust more nodes, or ask for fewer with --quorum", Err: err, Nodes: b.nodes(),
	}
	if own, ok := errors.AsType[*job.Error](err); ok {
		e.Nodes = append(e.Nodes, own.Nodes...)
	}
	return e
}

func (b *ballot) disagreement() error {
	return &job.Error{
		Code: job.CodeDisagreement, Message: fmt.Sprintf("the nodes do not agree: of %d asked, %s", len(b.said), b.state()), Nodes: b.nodes(),
	}
}

// nodes says who said what.
func (b *ballot) nodes() []job.NodeRejection {
	nodes := make([]job.NodeRejection, 0, len(b.said))
	for _, s := range b.said {
		nodes = append(nodes, job.NodeRejection{PeerID: s.Node, Rejection: job.Rejection{Code: job.RejectInternal, Message: "says " + s.Words}})
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
