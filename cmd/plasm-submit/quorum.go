package main

import (
	"context"
	"strings"

	"plasm/lib/cli"
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
		{o.bulk.Given(), "a batch: it is for one job"},
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
func (o *options) answer(ctx context.Context, in *cli.Invocation, cfg submit.Config, j *submit.Job, source submit.Source, out *cli.Outputs) (*submit.Result, error) {
	if o.quorum == 0 {
		return submit.Run(ctx, cfg, j, source)
	}
	a, err := submit.Agree(ctx, cfg, j, source, submit.Quorum{N: int(o.quorum), Group: o.groupOf})
	if err != nil {
		return nil, err
	}
	out.Receipts = a.Receipts
	for _, s := range a.Dissent {
		out.Dissent = append(out.Dissent, s.Receipt)
		o.say(in.Stderr, s.Node, "does not agree: says "+s.Words)
	}
	return a.Result, nil
}
