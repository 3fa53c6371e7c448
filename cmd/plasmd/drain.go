package main

import (
	"bytes"
	"context"

	"plasm/lib/cli"
	"plasm/lib/control"
)

// newDrain is plasmd drain.
func newDrain(in *cli.Invocation) *command {
	flags := cli.NewFlags(drainDoc(), in.Getenv)
	var wait bool
	flags.Switch(&wait, cli.Flag{
		Name: "wait", Category: does,
		Usage: "return when the node has ended, and tell what it waits for",
	})
	where := addPlace(flags, in)
	return &command{flags, func(ctx context.Context, in *cli.Invocation) error {
		if err := noArgument(flags); err != nil {
			return err
		}
		running, err := where.running(ctx)
		if err != nil {
			return err
		}
		if err := running.Drain(ctx); err != nil {
			return err
		}
		if wait {
			return followDrain(in, running)
		}
		status, err := running.Client.Status(ctx)
		switch {
		case err == nil:
			say(in, "no new job is taken; the node ends when it has no more: it waits for %s", status.Waits())
		case isGone(err):
			say(in, "the node has ended")
		default:
			return err
		}
		return nil
	}}
}

// followDrain says what a node waits for, each time that it changes, until it has ended.
// That the command is stopped before is errFailed.
func followDrain(in *cli.Invocation, running *control.Running) error {
	told, ended := "", false
	err := show(in, true, true, func(ctx context.Context, _ *bytes.Buffer) error {
		status, err := running.Client.Status(ctx)
		if ended = isGone(err); err == nil && status.Waits() != told {
			told = status.Waits()
			say(in, "no new job is taken; the node waits for %s", told)
		}
		return err
	})
	if err == nil && !ended {
		say(in, "stopped; the node goes on as it was told")
		err = errFailed
	}
	return err
}
