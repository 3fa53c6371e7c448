package submit

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"plasm/lib/job"
)

// candidate is a Candidate and what became of it.
type candidate struct {
	Candidate
	id        string
	tried     int       // attempts
	failures  int       // in a row, of those that end in a pause
	unreached int       // attempts that the node didn't answer
	leftQueue bool      // it had a queue, and others were to be tried first
	after     time.Time // not to be tried before
	gone      bool      // not to be tried again
	lost      bool      // it had accepted the job once, and went away with it
	last      *failure
}

// addr is where the candidate is, for messages and documents; it may be "".
func (c *candidate) addr() string {
	if c.Node != nil && len(c.Node.Addrs) > 0 {
		return c.Node.Addrs[0]
	}
	if len(c.Info.Addrs) > 0 {
		return c.Info.Addrs[0].String() + "/p2p/" + c.id
	}
	return ""
}

// full reports whether the candidate has said that it has no free slot.
func (c *candidate) full() bool { return c.Node != nil && c.Node.Slots.Free == 0 }

// before orders candidates by which is to be tried first.
func before(a, b *candidate) int {
	if d := cmp.Compare(a.tried, b.tried); d != 0 {
		return d
	}
	free, rtt := func(c *candidate) int64 {
		if c.Node == nil {
			return 1 // perhaps
		}
		return c.Node.Slots.Free
	}, func(c *candidate) int64 {
		if c.Node == nil || c.Node.RTTUS == 0 {
			return job.MaxRTT
		}
		return c.Node.RTTUS
	}
	return cmp.Or(cmp.Compare(free(b), free(a)), cmp.Compare(rtt(a), rtt(b)))
}

// best returns the candidate to try now, or nil, and when the next one may be
// tried, which is zero when there is none.
func best(all []*candidate, now time.Time) (first *candidate, next time.Time) {
	var ready []*candidate
	for _, c := range all {
		switch {
		case c.gone:
		case !c.after.After(now):
			ready = append(ready, c)
		case next.IsZero() || c.after.Before(next):
			next = c.after
		}
	}
	if len(ready) == 0 {
		return nil, next
	}
	return slices.MinFunc(ready, before), next
}

// jitter returns a random duration up to d.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d) //nolint:gosec // nobody gains by guessing it
}

// longestPause is the longest that a node is let alone because it asks for that: a
// slot may be free earlier than it expects.
const longestPause = 5 * time.Second

// pause is how long to wait before trying a node again that failed n times in a
// row: at least what it asks for.
func (cfg *Config) pause(n int, retryAfter time.Duration) time.Duration {
	if retryAfter > 0 {
		n = 1 // it is there, and knows better than a pause that grows
	}
	d := cfg.Backoff << min(max(n-1, 0), 5)
	if retryAfter = min(retryAfter, longestPause); retryAfter > d {
		return retryAfter + cfg.Jitter(min(retryAfter/4, cfg.Backoff<<5))
	}
	return d/2 + cfg.Jitter(d/2)
}

// unfit returns why a job can't run on a node, by what the node says of itself.
func (p *placement) unfit(n *job.Node) []job.Rejection {
	why := p.cfg.Fits(n)
	m := p.job.Manifest
	for _, limit := range []struct {
		code       job.RejectCode
		need, have int64
		what       string
	}{
		{job.RejectTimeout, m.TimeoutMS, n.Limits.TimeoutMS, "of time"},
		{job.RejectModuleTooLarge, int64(len(p.job.Module)), n.Limits.ModuleBytes, "for the module"},
		{job.RejectInputTooLarge, p.job.StdinBytes, n.Limits.InputBytes, "of input"},
		{job.RejectOutputTooLarge, m.OutputLimitBytes, n.Limits.OutputBytes, "of output"},
	} {
		if limit.need > limit.have {
			needs, has := job.Amounts(limit.need, limit.have)
			if limit.code == job.RejectTimeout {
				needs, has = job.Span(limit.need), job.Span(limit.have)
			}
			why = append(why, job.Rejection{
				Code: limit.code, Need: limit.need, Have: limit.have,
				Message: fmt.Sprintf("needs %s %s, has %s", needs, limit.what, has),
			})
		}
	}
	return why
}

// joined puts several reasons into one rejection: the first, with the words of all.
func joined(why []job.Rejection) job.Rejection {
	r := why[0]
	words := make([]string, len(why))
	for i := range why {
		words[i] = why[i].Message
	}
	r.Message = strings.Join(words, "; ")
	return r
}
