package submit

import (
	"context"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// holdTime is how long a node without a free slot is held back for one that has
// some, while candidates still come.
const holdTime = 2 * time.Second

// placement is one submission under way.
type placement struct {
	cfg      *Config
	job      *Job
	manifest []byte // as it is offered, to every node
	input    source
	folders  *folders // that the job begins with
	began    time.Time

	mu      sync.Mutex
	arrived []Candidate   // and not taken yet
	over    bool          // no more will arrive
	failure error         // of the source
	news    chan struct{} // has a value after something arrived

	all      []*candidate        // trusted, and not out of the question
	leftOut  []job.NodeRejection // the others
	admit    string              // the line that would make the first trusted that lacks only trust
	seen     map[peer.ID]*candidate
	accepted int // attempts whose offer was accepted
}

func newPlacement(cfg *Config, j *Job) (*placement, error) {
	begin := &folders{}
	if !cfg.only.attaches() { // else nothing of the job is at hand
		var err error
		if begin, err = newFolders(j); err != nil {
			return nil, err
		}
	}
	p := &placement{
		cfg: cfg, job: j, manifest: j.Manifest.Encode(), folders: begin, began: time.Now(),
		news: make(chan struct{}, 1), seen: map[peer.ID]*candidate{},
	}
	if j.inputKnown() {
		p.input = &known{r: j.Stdin, size: j.StdinBytes, whole: j.Manifest.StdinHash}
	} else {
		p.input = newTap(j.Live.Stdin)
	}
	return p, nil
}

// propose is what a Source calls.
func (p *placement) propose(c Candidate) {
	p.mu.Lock()
	p.arrived = append(p.arrived, c)
	p.mu.Unlock()
	p.wake()
}

// ended takes note that there will be no more candidates.
func (p *placement) ended(err error) {
	p.mu.Lock()
	p.over, p.failure = true, err
	p.mu.Unlock()
	p.wake()
}

func (p *placement) wake() {
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// run tries candidates until there is a result or no hope.
func (p *placement) run(ctx context.Context) (*Result, error) {
	p.cfg.claims.join(p)
	for {
		over := p.take()
		c, next := best(p.cfg.claims.others(p.all), time.Now())
		if c != nil && p.holds(c, over) {
			c, next = nil, p.began.Add(holdTime)
		}
		if c == nil {
			if !p.wait(ctx, over, next) {
				return p.conclude(ctx, nil)
			}
			continue
		}
		if !p.cfg.claims.claim(p, c.id) {
			continue
		}
		result, f := p.try(ctx, c)
		p.cfg.claims.release(c.id)
		if f == nil {
			return result, nil
		}
		if p.settle(c, f) || ctx.Err() != nil {
			return p.conclude(ctx, f)
		}
	}
}

// take sorts what has arrived, and reports whether that was all.
func (p *placement) take() (over bool) {
	p.mu.Lock()
	arrived := p.arrived
	p.arrived, over = nil, p.over
	p.mu.Unlock()
	for _, c := range arrived {
		p.add(c)
	}
	return over
}

// add takes a candidate in, or says why not.
func (p *placement) add(in Candidate) {
	if c := p.seen[in.Info.ID]; c != nil {
		c.Info.Addrs = append(c.Info.Addrs, in.Info.Addrs...)
		return
	}
	c := &candidate{Candidate: in, id: in.Info.ID.String()}
	p.seen[in.Info.ID] = c
	if in.Out == nil && in.Node != nil {
		if why := p.unfit(in.Node); len(why) > 0 {
			r := joined(why)
			in.Out = &r
		}
	}
	switch _, notNode := identity.ParsePeerID(c.id); {
	case in.Out != nil:
		p.leaveOut(c, *in.Out)
	case notNode != nil || !p.cfg.Trusted(c.id):
		p.leaveOut(c, p.untrusted(c.id))
	default:
		p.cfg.Tell(c.id, "is a candidate")
		p.all = append(p.all, c)
	}
}

// untrusted is why nothing of the job goes to a node that nobody has named.
func (p *placement) untrusted(id string) job.Rejection {
	r := job.Rejection{Code: job.RejectNotAllowed, Message: "not trusted, so nothing of the job was sent to it"}
	if line := p.cfg.Admit(id); line != "" {
		r.Message += "; to trust it: " + line
		if p.admit == "" {
			p.admit = line
		}
	}
	return r
}

func (p *placement) leaveOut(c *candidate, r job.Rejection) {
	p.cfg.Tell(c.id, "left out: "+r.Message)
	p.leftOut = append(p.leftOut, job.NodeRejection{PeerID: c.id, Addr: c.addr(), Rejection: r})
}

// holds reports whether a candidate is to wait for better ones.
func (p *placement) holds(c *candidate, over bool) bool {
	return !over && c.full() && time.Since(p.began) < holdTime
}

// wait waits until there may be something to try, and reports whether there may.
func (p *placement) wait(ctx context.Context, over bool, next time.Time) bool {
	if over && next.IsZero() {
		return false
	}
	if deadline, ok := ctx.Deadline(); ok && over && next.After(deadline) {
		return false
	}
	var timer <-chan time.Time
	if !next.IsZero() {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-p.news:
	case <-timer:
	case <-ctx.Done():
		return false
	}
	return true
}

// try makes one attempt.
func (p *placement) try(ctx context.Context, c *candidate) (*Result, *failure) {
	c.tried++
	a := newAttempt(p, c)
	result, f := a.run(ctx)
	if f != nil {
		f.accepted = a.accepted
		if f.result == nil {
			a.outputs.close()
		}
	}
	return result, f
}

// settle takes note of how an attempt failed, and reports whether it was the last.
func (p *placement) settle(c *candidate, f *failure) (last bool) {
	if c.last != nil && c.last.result != nil {
		if f.result == nil {
			f.result = c.last.result // a node that is gone now has not taken back what it signed
		} else {
			c.last.result.Close() // there is a later one
		}
	}
	c.last = f
	c.failures++
	if f.reached {
		c.unreached = 0
	} else {
		c.unreached++
	}
	pause := p.cfg.pause(c.failures, f.retryAfter())
	if f.elsewhere {
		c.failures, pause = 0, 0
	}
	c.after = time.Now().Add(pause)
	c.gone = f.leave || c.unreached > f.redials
	p.cfg.Tell(c.id, f.Error())
	p.cfg.Log.Info("job.rejected", "peer", c.id, "job", p.job.Manifest.ID, "code", string(f.rejection.Code), "reason",
		f.rejection.Message)
	if f.accepted {
		p.accepted++
	}
	return f.class == giveUp || p.accepted > p.cfg.Retries
}

// othersUntried reports whether there is a candidate that was never tried.
func (p *placement) othersUntried() bool {
	p.take()
	for _, c := range p.all {
		if c.tried == 0 && !c.full() {
			return true
		}
	}
	return false
}
