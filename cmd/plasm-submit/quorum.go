package main

import (
	"context"
	"errors"
	"strings"

	"plasm/lib/batch"
	"plasm/lib/cli"
	"plasm/lib/cli/bulk"
	"plasm/lib/exchange/submit"
	"plasm/lib/job"
)

// checkQuorum refuses what contradicts --quorum.
func (o *options) checkQuorum() error {
	if o.quorum == 0 {
		return nil
	}
	for _, flag := range []struct {
		given bool
		why   string
	}{
		{o.stream, "--stream: nothing is passed on before nodes agree"},
		{o.job.Results != "", "--results: an entry is the word of one node"},
	} {
		if flag.given {
			return cli.Usage(name, "--quorum beside %s", flag.why)
		}
	}
	return nil
}

// mayAgree refuses a job of which nodes need not say the same, and trust in all.
func (o *options) mayAgree(m *job.Manifest, t *trust) error {
	switch {
	case o.quorum == 0:
	case !m.Deterministic:
		return cli.Usage(name, "--quorum: a job that is not deterministic has no one answer")
	case t.any:
		return cli.Usage(name, "--quorum: with the trust any, one machine may be as many nodes as it likes: name nodes")
	}
	return nil
}

// groupOf returns which group a node is of: nodes whose names share what stands before a
// slash are one.
func (o *options) groupOf(id string) string {
	if name := o.names.Name(id); strings.Contains(name, "/") {
		group, _, _ := strings.Cut(name, "/")
		return group + "/"
	}
	return id
}

// answer submits the job to one node, or to as many as are to agree, and says of out who
// said what.
func (o *options) answer(ctx context.Context, in *cli.Invocation, cfg submit.Config, j *submit.Job,
	source submit.Source, out *cli.Outputs,
) (*submit.Result, error) {
	if o.quorum == 0 {
		return submit.Run(ctx, cfg, j, source)
	}
	a, err := submit.Agree(ctx, cfg, j, source, submit.Quorum{N: int(o.quorum), Group: o.groupOf})
	if err != nil {
		return nil, err
	}
	agreed(out, a, func(node, text string) { o.say(in.Stderr, node, text) })
	return a.Result, nil
}

// agreed puts into out what the document says of an agreement, and tells who does not agree.
func agreed(out *cli.Outputs, a *submit.Agreement, tell func(node, text string)) {
	out.Receipts = a.Receipts
	for _, s := range a.Dissent {
		out.Dissent = append(out.Dissent, s.Receipt)
		tell(s.Node, "does not agree: says "+s.Words)
	}
}

// ballotOf returns the votes on an item's job. Nil: it needs the answer of one node only.
func (o *options) ballotOf(t *bulk.Task) *submit.Ballot {
	if o.quorum == 0 {
		return nil
	}
	if t.Own == nil {
		t.Own = submit.NewBallot(submit.Quorum{N: int(o.quorum), Group: o.groupOf})
	}
	b, _ := t.Own.(*submit.Ballot)
	return b
}

// vote counts what a node has answered. Of the agreement and the failure one is nil: the
// item goes to one more node, or has none that agree.
func vote(b *submit.Ballot, r *submit.Result) (*submit.Agreement, *batch.Failure) {
	if a := b.Count(r); a != nil {
		return a, nil
	}
	if b.Over() {
		return nil, bulk.Failure(b.Disagreement())
	}
	return nil, &batch.Failure{
		Kind: batch.Another,
		Err:  b.Short(context.Background(), errors.New("no other node is there")),
	}
}

// agree is what an item's attempt comes to, with result r or failure f or both, where
// nodes are to agree: the result on which they do, or why there is none yet.
func (o *options) agree(ctx context.Context, b *submit.Ballot, out *bulk.Output, r *submit.Result,
	f *batch.Failure,
) (*submit.Result, *batch.Failure) {
	switch {
	case f != nil:
		if r != nil { // of a node that has not run the job to its end
			r.Close()
		}
		if f.Kind != batch.Final && f.Kind != batch.Hopeless {
			f.Fault, f.Err = f.Err, b.Short(ctx, f.Err)
		}
		return nil, f
	case r.Verified.Outcome.Status == job.Cancelled && ctx.Err() != nil:
		return r, nil // by this side: there is nothing to agree on
	}
	a, f := vote(b, r)
	if f != nil {
		return nil, f
	}
	agreed(out.Outputs, a, func(node, text string) { out.Words = append(out.Words, o.names.Shown(node)+" "+text) })
	return a.Result, nil
}
