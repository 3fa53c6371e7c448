package submit

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"plasm/lib/job"
)

// ErrOutrun is the cause of the end of a submission that another of the same job was
// faster than.
var ErrOutrun = errors.New("another node has answered first")

// claims are the nodes that one of two submissions of a job is at. Nil: there is one.
type claims struct {
	begun chan struct{} // closed with the first claim

	mu   sync.Mutex
	held map[string]*placement
	all  []*placement
}

// join adds a submission, which then is waked when a node is free again.
func (c *claims) join(p *placement) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, p)
}

// claim takes a node for p, and reports whether the other is not at it.
func (c *claims) claim(p *placement, id string) bool {
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[id] != nil {
		return false
	}
	c.held[id] = p
	select {
	case <-c.begun:
	default:
		close(c.begun)
	}
	return true
}

// release gives a node back.
func (c *claims) release(id string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, id)
	for _, p := range c.all {
		p.wake()
	}
}

// others returns the candidates that the other submission is not at.
func (c *claims) others(all []*candidate) []*candidate {
	if c == nil {
		return all
	}
	c.mu.Lock()
	held := maps.Clone(c.held)
	c.mu.Unlock()
	free := make([]*candidate, 0, len(all))
	for _, one := range all {
		if held[one.id] == nil {
			free = append(free, one)
		}
	}
	return free
}

// raced is how one of two submissions has ended.
type raced struct {
	r   *Result
	err error
}

// better reports whether nothing better than what has ended is to be waited for.
func (e raced) better() bool {
	if e.err != nil {
		return false
	}
	_, byNode := errors.AsType[*EndedError](e.r.Cause)
	return !byNode
}

// hedged is Run with a second submission of the same job, at another node, when there is
// no result so long after the first offer as cfg.Hedge says. The first result counts. The other
// submission is ended, and
// the result's Close waits for that.
func hedged(ctx context.Context, cfg Config, j *Job, source Source) (*Result, error) {
	cfg.fill(j)
	cfg.alternate()
	cfg.claims = &claims{begun: make(chan struct{}), held: map[string]*placement{}}
	looking, stop := context.WithCancel(ctx)
	candidates := &pool{news: make(chan struct{})}
	var searching, racing sync.WaitGroup
	defer searching.Wait()
	defer stop()
	searching.Go(func() { candidates.end(source(looking, candidates.add)) })
	within, end := context.WithCancelCause(ctx)
	ended := make(chan raced, 2)
	start := func() {
		racing.Go(func() {
			r, err := place(within, cfg, j, candidates.source(func(string) bool { return false }))
			ended <- raced{r, err}
		})
	}
	start()
	var last *raced
	var slow <-chan time.Time
	begun := cfg.claims.begun
	for running := 1; ; {
		select {
		case <-begun:
			slow, begun = time.After(cfg.Hedge), nil
		case <-slow:
			cfg.Tell("", "no answer yet: the job goes to another node, too")
			start()
			running++
		case one := <-ended:
			running--
			if running > 0 && !one.better() {
				last = &one
				continue
			}
			return one.over(last).settle(func() {
				end(ErrOutrun)
				racing.Wait()
				close(ended)
				for late := range ended {
					late.close()
				}
			})
		}
	}
}

// over returns what both submissions come to, of which e has ended last: the result that
// there is, or one error.
func (e raced) over(last *raced) raced {
	switch {
	case last == nil:
		return e
	case e.err != nil && last.err != nil:
		return raced{err: oneError(asJobError(e.err), asJobError(last.err))}
	case e.better() || last.err != nil:
		last.close()
		return e
	}
	e.close()
	return *last
}

// oneError returns a, or b where a found no node, as the other was at it, with the nodes of
// both.
func oneError(a, b *job.Error) *job.Error {
	if a.Code == job.CodeNoNode {
		a, b = b, a
	}
	one := *a
	one.Nodes = slices.Clone(a.Nodes)
	for _, n := range b.Nodes {
		if !slices.ContainsFunc(one.Nodes, func(has job.NodeRejection) bool { return has.PeerID == n.PeerID }) {
			one.Nodes = append(one.Nodes, n)
		}
	}
	return &one
}

// settle returns what has ended, and has end called, which ends what still runs. The
// result is there before that is over, and its Close waits for it.
func (e raced) settle(end func()) (*Result, error) {
	if e.err != nil {
		end()
		return nil, e.err
	}
	var ending sync.WaitGroup
	ending.Go(end)
	free := e.r.close
	e.r.close = func() {
		free()
		ending.Wait()
	}
	return e.r, nil
}

func (e raced) close() {
	if e.r != nil {
		e.r.Close()
	}
}

// alternate has two submissions call the functions of cfg in turn.
func (cfg *Config) alternate() {
	var mu sync.Mutex
	tell, sending, started := cfg.Tell, cfg.Sending, cfg.Started
	cfg.Tell = func(peerID, text string) {
		mu.Lock()
		defer mu.Unlock()
		tell(peerID, text)
	}
	cfg.Sending = func(peerID string, sent, total int64) {
		mu.Lock()
		defer mu.Unlock()
		sending(peerID, sent, total)
	}
	cfg.Started = func() {
		mu.Lock()
		defer mu.Unlock()
		started()
	}
}
