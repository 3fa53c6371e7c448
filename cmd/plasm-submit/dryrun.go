package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"plasm/lib/cli"
	"plasm/lib/exchange/submit"
	"plasm/lib/job"
)

// addDryRun adds --dry-run.
func (o *options) addDryRun(f *cli.Flags) {
	f.Switch(&o.dryRun, cli.Flag{
		Name: "dry-run", Category: whichNode,
		Usage: "say which node would get the job, what would be sent and what is there already, and stop",
		More:  "Nothing is run or delivered; a node is told what files folders have. With `--json` a document.",
	})
}

// checkDryRun refuses what has no one node and one job to tell of.
func (o *options) checkDryRun() error {
	if !o.dryRun {
		return nil
	}
	return o.refuse("dry-run", []string{
		"detach", "attach", "print-manifest", "print-job", "results", "each", "batch", "stream", "quorum", "hedge",
	}, "it tells of one job at one node, which is not run")
}

// planDocument is what is printed with --json.
type planDocument struct {
	PeerID string        `json:"peer_id"`
	Addr   string        `json:"addr,omitempty"`
	Queue  *queueMembers `json:"queue,omitempty"`
	Send   *sizeMembers  `json:"send,omitempty"`
	There  *sizeMembers  `json:"there,omitempty"`
}

type queueMembers struct {
	Position int64 `json:"position"`
	WaitMS   int64 `json:"wait_ms"`
}

type sizeMembers struct {
	Module  int64 `json:"module_bytes"`
	Input   int64 `json:"stdin_bytes"`
	Folders int64 `json:"tree_bytes"`
}

// withoutAnswer does what --dry-run and --detach ask for.
func (o *options) withoutAnswer(
	ctx context.Context, in *cli.Invocation, release func(), cfg submit.Config, j *submit.Job, source submit.Source,
) error {
	if o.dryRun {
		return o.foretell(ctx, in, cfg, j, source)
	}
	return o.leave(ctx, in, release, cfg, j, source)
}

// foretell prints what would become of the job.
func (o *options) foretell(
	ctx context.Context, in *cli.Invocation, cfg submit.Config, j *submit.Job, source submit.Source,
) error {
	p, err := submit.DryRun(ctx, cfg, j, source)
	o.progress.stop()
	if err != nil {
		return o.job.AboutModule(o.flags.Args(), err)
	}
	if o.job.JSON {
		d := planDocument{PeerID: p.Node, Addr: p.Addr}
		if p.Queue != nil {
			d.Queue = &queueMembers{p.Queue.Position, p.Queue.WaitMS}
		} else {
			send, there := sizeMembers(p.Send), sizeMembers(p.There)
			d.Send, d.There = &send, &there
		}
		text, err := json.Marshal(d)
		if err != nil {
			return err
		}
		return in.Print(append(text, '\n'))
	}
	return in.Print([]byte(o.planText(p, len(j.Manifest.Trees()) > 0)))
}

// planText says it to people.
func (o *options) planText(p *submit.Plan, folders bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "node: %s", o.names.Shown(p.Node))
	if p.Addr != "" {
		fmt.Fprintf(&b, " at %s", cli.OneLine(strings.TrimSuffix(p.Addr, "/p2p/"+p.Node)))
	}
	b.WriteByte('\n')
	if q := p.Queue; q != nil {
		wait := (time.Duration(q.WaitMS) * time.Millisecond).Round(100 * time.Millisecond)
		fmt.Fprintf(&b, "queue: place %d, about %v; what is there already is not told before its turn\n",
			q.Position, wait)
		return b.String()
	}
	line := func(what string, send, there int64) {
		words := "nothing to be sent"
		if send > 0 {
			words = job.Roughly(send) + " to be sent"
		}
		if there > 0 {
			words += ", " + job.Roughly(there) + " there already"
		}
		fmt.Fprintf(&b, "%s: %s\n", what, words)
	}
	line("module", p.Send.Module, p.There.Module)
	line("input", p.Send.Input, p.There.Input)
	if folders {
		line("folders", p.Send.Folders, p.There.Folders)
	}
	return b.String()
}
