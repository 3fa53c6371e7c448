package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"text/tabwriter"
	"time"

	"plasm/lib/cli"
	"plasm/lib/control"
	"plasm/lib/job"
)

// jobs are the flags of plasmd jobs.
type jobs struct {
	where              *place
	all, watch, asJSON bool
}

// newJobs is plasmd jobs.
func newJobs(in *cli.Invocation) *command {
	flags := cli.NewFlags(jobsDoc(), in.Getenv)
	j := &jobs{}
	flags.Switch(&j.all, cli.Flag{
		Name: "all", Category: does,
		Usage: "those that have ended, too: the last 256 since the node started",
	})
	flags.Switch(&j.watch, cli.Flag{
		Name: "watch", Category: does,
		Usage: "show them again every two seconds, until the node has ended",
	})
	flags.Switch(&j.asJSON, cli.Flag{
		Name: "json", Category: does,
		Usage: "write them as a document, with --watch as one a line",
	})
	j.where = addPlace(flags, in)
	return &command{flags, func(ctx context.Context, in *cli.Invocation) error {
		if err := noArgument(flags); err != nil {
			return err
		}
		return j.run(ctx, in)
	}}
}

func (j *jobs) run(ctx context.Context, in *cli.Invocation) error {
	running, err := j.where.running(ctx)
	if err != nil {
		return err
	}
	return show(in, j.watch, j.asJSON, func(ctx context.Context, out *bytes.Buffer) error {
		all, err := running.Jobs(ctx)
		if err != nil {
			return err
		}
		if !j.all {
			all.Ended = []control.Job{}
		}
		if j.asJSON {
			return cli.WriteJSON(out, all)
		}
		return writeJobs(out, all)
	})
}

// watchEvery is how often what is watched is shown.
const watchEvery = 2 * time.Second

// show prints what a node says: once, or until it has ended or the command is stopped. A
// terminal is cleared each time; elsewhere an empty line is between, but for documents.
func show(in *cli.Invocation, watch, asJSON bool, what func(context.Context, *bytes.Buffer) error) error {
	if !watch {
		var out bytes.Buffer
		if err := what(context.Background(), &out); err != nil {
			return err
		}
		return in.Print(out.Bytes())
	}
	ctx, release := cli.Signals()
	defer release()
	for first := true; ; first = false {
		var out bytes.Buffer
		switch {
		case asJSON:
		case cli.IsTerminal(in.Stdout):
			out.WriteString("\x1b[H\x1b[2J")
		case !first:
			out.WriteString("\n")
		}
		err := what(ctx, &out)
		switch {
		case ctx.Err() != nil:
			return nil
		case isGone(err):
			say(in, "the node has ended")
			return nil
		case err != nil:
			return err
		}
		if err := in.Print(out.Bytes()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil // as it was meant to end
		case <-time.After(watchEvery):
		}
	}
}

// isGone reports whether an error says that a node is there no more.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET)
}

// shownID is how much of a job's ID is shown: enough to name it.
const shownID = 12

// writeJobs writes jobs as a table.
func writeJobs(out *bytes.Buffer, all *control.Jobs) error {
	if len(all.Current)+len(all.Ended) == 0 {
		out.WriteString("no job runs or waits\n")
		return nil
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(j *control.Job, state, took, of string) {
		for _, cell := range []string{
			j.ID[:min(len(j.ID), shownID)], cmp.Or(j.Name, cli.PeerEnd(j.Requester)), state,
			took, of,
		} {
			fmt.Fprintf(t, "%s\t", cli.OneLine(cell)) // the node's word, which may be another user's
		}
		fmt.Fprintf(t, "%d\t%d\n", j.MemoryMB, j.StdoutBytes+j.StderrBytes)
	}
	fmt.Fprintln(t, "JOB\tREQUESTER\tSTATE\tTIME\tAT MOST\tMB\tBYTES OUT")
	for i := range all.Current {
		j := &all.Current[i]
		state, took := j.State, time.Duration(j.RunMS)*time.Millisecond
		if j.State == control.JobWaiting {
			state = fmt.Sprintf("waiting, %d.", j.Position)
		}
		if j.StartedAt == "" {
			took = since(j.OfferedAt)
		}
		row(j, state, seconds(took), seconds(time.Duration(j.TimeoutMS)*time.Millisecond))
	}
	for i := range all.Ended {
		j := &all.Ended[i]
		row(j, j.Ending(), seconds(time.Duration(j.RunMS)*time.Millisecond), j.EndedAt)
	}
	return t.Flush()
}

// seconds is a duration for people.
func seconds(d time.Duration) string {
	if d < time.Minute {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// since is how long ago a document's time is.
func since(text string) time.Duration {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return max(time.Since(at), 0)
}

// newCancel is plasmd cancel.
func newCancel(in *cli.Invocation) *command {
	flags := cli.NewFlags(cancelDoc(), in.Getenv)
	where := addPlace(flags, in)
	return &command{flags, func(ctx context.Context, in *cli.Invocation) error {
		if len(flags.Args()) == 0 {
			return cli.Usage(flags.Name(), "which job? ID, REQUESTER/ID or the beginning of an ID is missing")
		}
		running, err := where.running(ctx)
		if err != nil {
			return err
		}
		var failed error
		for _, name := range flags.Args() {
			if err := cancel(ctx, in, running, name); err != nil && len(flags.Args()) > 1 {
				say(in, "%s", cli.AsError(err).Message)
				failed = errFailed
			} else if err != nil {
				return err
			}
		}
		return failed
	}}
}

// cancel stops one job, and says how it ended.
func cancel(ctx context.Context, in *cli.Invocation, running *control.Running, name string) error {
	all, err := running.Jobs(ctx)
	if err != nil {
		return err
	}
	one, err := all.Find(name)
	if err != nil {
		return err
	}
	stands, err := running.Cancel(ctx, one.Requester, one.ID)
	if err != nil {
		return err
	}
	if stands.State != control.JobEnded {
		return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("job %s is being cancelled, and has not ended yet",
			one.ID), Hint: "plasmd jobs --watch shows when it has"}
	}
	say(in, "job %s of %s ended: %s", stands.ID, stands.Requester, stands.Ending())
	return nil
}
