package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"plasm/lib/capability"
	"plasm/lib/cli"
	"plasm/lib/job"
)

// run searches, and prints what it finds. The error is nil when that is at least
// one node.
func (o *options) run(ctx context.Context, in *cli.Invocation) error {
	if err := o.flags.Parse(in.Args, in.Stdout); err != nil {
		return err
	}
	log, err := o.flags.Logger(in.Stderr)
	if err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	report, err := o.search(ctx, in, log)
	if err != nil {
		return err
	}
	return o.conclude(ctx, in, report)
}

// search prints each node as it is found. An error is that there could be no
// search, or that stdout takes no more.
func (o *options) search(ctx context.Context, in *cli.Invocation, log *slog.Logger) (*capability.Report, error) {
	h, err := o.where.Start(ctx, false, log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = h.Close() }() // nothing of it is needed any more
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p := o.newPrinter(in)
	report := capability.Find(ctx, h, capability.Search{
		Need: o.need, Limit: int(o.limit), Timeout: time.Duration(o.timeoutMS) * time.Millisecond, MDNS: o.where.MDNS(),
	}, func(n job.Node) {
		if err := p.print(&n); err != nil {
			stop(err)
		}
	})
	p.end()
	return &report, p.err
}

// conclude tells what there is to tell of a search that is over.
func (o *options) conclude(ctx context.Context, in *cli.Invocation, r *capability.Report) error {
	if r.End == capability.EndStopped {
		cause := context.Cause(ctx)
		return &job.Error{
			Code: job.CodeCancelled, Message: fmt.Sprintf("the search was stopped: %v", cause),
			Err: cause,
		}
	}
	if r.Found > 0 && !o.all {
		return nil
	}
	for _, line := range r.Lines() {
		_, _ = io.WriteString(in.Stderr, name+": "+line+"\n")
	}
	if r.Found > 0 {
		return nil
	}
	return noNode(r, o.where.Private())
}

// noNode is the error for a search that found nothing that fits, perhaps in a
// private network.
func noNode(r *capability.Report, private bool) error {
	e := &job.Error{Code: job.CodeNoNode, Message: "no node was found that fits"}
	for _, l := range r.LeftOut {
		e.Nodes = append(e.Nodes, job.NodeRejection{PeerID: l.PeerID, Rejection: rejection(l)})
	}
	switch {
	case r.Candidates > 0:
		e.Hint = "ask for less, or allow it more time with --timeout"
	case len(r.Contacts) == 0:
		e.Hint = "name a node with --bootstrap ADDR, or start one with plasmd serve"
	case r.Peers == 0 && private:
		e.Hint = "none of the addresses above led to a node: have they the same --network-key?"
	case r.Peers == 0:
		e.Hint = "none of the addresses above led to a node: name another with --bootstrap ADDR, or --network-key " +
			"FILE for a private network"
	}
	return e
}

// rejection returns the first reason why a candidate was left out.
func rejection(l capability.LeftOut) job.Rejection {
	if len(l.Why) > 0 {
		return l.Why[0]
	}
	return job.Rejection{Code: job.RejectUnreachable, Message: l.Err.Error()}
}
