package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/cli"
	"plasm/lib/exchange/submit"
	"plasm/lib/job"
	"plasm/lib/network"
)

// comingBack is the category of the flags for jobs that are left and come back to.
const comingBack = "Coming back later"

// ticketFlags are the flags for jobs that are left and come back to.
type ticketFlags struct {
	detach bool
	attach string // the ticket's file, or -; "": none
	state  bool
}

// addTickets adds them.
func (o *options) addTickets(f *cli.Flags) {
	f.Switch(&o.ticket.detach, cli.Flag{
		Name: "detach", Category: comingBack,
		Usage: "end when a node has started the job, and print a ticket for --attach",
		More:  "The ticket shows arguments and environment.",
	})
	f.Path(&o.ticket.attach, cli.Flag{
		Name: "attach", Category: comingBack, Value: "TICKET|-",
		Usage: "wait for the job of this ticket, and deliver what came of it",
		More: "With the key that submitted it, and whom to trust: a ticket lends no trust. " +
			"Ctrl-C cancels the job. `--peer ADDR` says where its node is now.",
		Complete: cli.FileLike(".json"),
	})
	f.Switch(&o.ticket.state, cli.Flag{
		Name: "state", Category: comingBack, Usage: "with --attach: print waiting, running or ended, and stop",
		More: "The job goes on as it is.",
	})
}

// refuse is wrong use when one of these flags is given beside another.
func (o *options) refuse(flag string, names []string, why string) error {
	for _, other := range names {
		if o.flags.Changed(other) {
			return cli.Usage(name, "--%s beside --%s: %s", other, flag, why)
		}
	}
	return nil
}

// check refuses flags that contradict these.
func (t *ticketFlags) check(o *options) error {
	switch {
	case t.state && t.attach == "":
		return cli.Usage(name, "--state needs --attach TICKET")
	case t.detach && t.attach != "":
		return cli.Usage(name, "--detach and --attach contradict each other")
	case t.detach:
		return o.refuse("detach", []string{
			"stdout", "stderr", "receipt", "out", "replace", "print-manifest", "print-job",
			"results", "each", "batch", "stream", "quorum", "hedge",
		}, "the command ends before there is an answer")
	case t.attach == "":
		return nil
	}
	if args := o.flags.Args(); len(args) > 0 {
		return cli.Usage(name, "MODULE %q beside --attach %s: the ticket says which job it is", args[0], t.attach)
	}
	err := o.refuse("attach", []string{
		"manifest", "job", "memory", "timeout", "fuel", "output-limit", "env", "deterministic", "seed",
		"canonical-nan", "in", "exclude", "disk",
		"stdin", "no-stdin", "print-manifest", "print-job", "results", "results-keep", "stream",
		"each", "batch", "quorum", "hedge",
		"peers", "arch", "engine", "min-cores", "min-memory",
	}, "the job is what it is, where it is")
	if err == nil && t.state {
		err = o.refuse("state", []string{"stdout", "stderr", "receipt", "out", "replace"},
			"nothing of the job is delivered")
	}
	return err
}

// leave submits a job as far as a node has started it, and prints the ticket.
func (o *options) leave(
	ctx context.Context, in *cli.Invocation, release func(), cfg submit.Config, j *submit.Job, source submit.Source,
) error {
	ticket, err := submit.Detach(ctx, cfg, j, source)
	o.progress.stop()
	if err != nil {
		return o.job.AboutModule(o.flags.Args(), err)
	}
	release()
	return in.Print(append(ticket.Encode(), '\n'))
}

// comeBack attaches to the job of a ticket, or looks how it stands.
func (o *options) comeBack(
	ctx context.Context, in *cli.Invocation, log *slog.Logger, release func(), began time.Time,
) (int, error) {
	data, err := cli.ReadFile(o.ticket.attach, in.Stdin, job.MaxTicket)
	if err != nil {
		return 0, cli.AboutOrigin("--attach", err)
	}
	ticket, err := job.DecodeTicket(data)
	if err != nil {
		e := *cli.AsError(err)
		e.Message, e.Hint = "--attach: "+e.Message, "name a file with what plasm-submit --detach has printed"
		return 0, &e
	}
	peers, trust, err := o.whom(in)
	if err != nil {
		return 0, err
	}
	to, err := nodeOf(ticket, peers)
	if err != nil {
		return 0, err
	}
	if !o.ticket.state {
		if err := o.travel.CheckTargets(ticket.Manifest, o.job.JSON); err != nil {
			return 0, err
		}
	}
	key, err := o.job.LoadKey(in)
	if err != nil {
		return 0, err
	}
	ctx, cancel := o.within(ctx, in, began, ticket.Manifest.TimeoutMS)
	defer cancel()
	host, err := o.where.Start(ctx, direct(to), log)
	if err != nil {
		return 0, err
	}
	defer func() { _ = host.Close() }() // nothing of it is needed any more
	if !o.verbose {
		o.progress.start(o.getenv, "looking for the node")
		defer o.progress.stop()
	}
	cfg := o.config(in, log, key, trust)
	cfg.Host = host
	if o.ticket.state {
		return 0, o.look(ctx, in, cfg, ticket, to)
	}
	return o.execute(ctx, in, release, &submit.Job{Manifest: ticket.Manifest},
		func(*cli.Outputs) (*submit.Result, error) {
			r, err := submit.Attach(ctx, cfg, ticket, submit.Candidate{Info: to})
			return r, forgotten(ticket, err)
		})
}

// look prints how the job of a ticket stands.
func (o *options) look(
	ctx context.Context, in *cli.Invocation, cfg submit.Config, t *job.Ticket, at peer.AddrInfo,
) error {
	state, err := submit.Look(ctx, cfg, t, submit.Candidate{Info: at})
	o.progress.stop()
	if err != nil {
		return forgotten(t, err)
	}
	text := []byte(state)
	if o.job.JSON {
		text, err = json.Marshal(struct {
			State string `json:"state"`
		}{string(state)})
		if err != nil {
			return err
		}
	}
	return in.Print(append(text, '\n'))
}

// forgotten makes of the error that a node doesn't know a job one that says why, as far as
// the ticket knows.
func forgotten(t *job.Ticket, err error) error {
	e, ok := errors.AsType[*job.Error](err)
	if !ok || e.Code != job.CodeNotFound {
		return err
	}
	own := *e
	own.Hint = "submit the job again"
	if until := job.FormatTime(t.KeepUntil); time.Now().After(t.KeepUntil) {
		own.Message += fmt.Sprintf("; it was to be kept until %s", until)
	} else {
		own.Hint += ", unless another key did: --key FILE"
	}
	return &own
}

// nodeOf is the node of a ticket, where the ticket and --peer say that it is.
func nodeOf(t *job.Ticket, peers []peer.AddrInfo) (peer.AddrInfo, error) {
	id, err := peer.Decode(t.Node)
	info := peer.AddrInfo{ID: id}
	if err == nil && len(t.Addrs) > 0 {
		var named []peer.AddrInfo
		if named, err = network.ParseAddrs(t.Addrs); err == nil {
			info.Addrs = named[0].Addrs
		}
	}
	if err != nil {
		return info, &job.Error{Code: job.CodeBadManifest, Message: fmt.Sprintf("--attach: ticket: %v", err), Err: err}
	}
	for _, p := range peers {
		if p.ID != id {
			return info, cli.Usage(name, "--peer %s: the job of the ticket is at another node, %s", p.ID, id)
		}
		info.Addrs = append(p.Addrs, info.Addrs...)
	}
	return info, nil
}
