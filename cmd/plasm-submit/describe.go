package main

import (
	"context"
	"errors"

	"plasm/lib/cli"
	"plasm/lib/exchange/submit"
	"plasm/lib/job"
)

// describe reads all that the job is made of.
func (o *options) describe(ctx context.Context, in *cli.Invocation) (*cli.Description, error) {
	own := *in
	if o.takesStdin() {
		own.Stdin = nil
	}
	var d *cli.Description
	err := cli.Interruptible(ctx, func() (err error) {
		if o.job.Travel, err = o.travel.Gather(ctx); err != nil {
			return err
		}
		if d, err = o.job.Describe(&own, o.flags.Args(), nil); err != nil {
			o.job.Travel.Close()
			return err
		}
		if err = o.place(d.Manifest); err != nil {
			d.Close()
			o.job.Travel.Close()
		}
		return err
	})
	if err != nil {
		return nil, late(err) // and not d: somebody may still be at work on it
	}
	return d, nil
}

// describing describes beside: described waits for what comes of it, and enough lets
// go of it.
func (o *options) describing(ctx context.Context,
	in *cli.Invocation,
) (described func() (*cli.Description, error), enough func()) {
	ctx, cancel := context.WithCancel(ctx)
	var d *cli.Description
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		d, err = o.describe(ctx, in)
	}()
	described = func() (*cli.Description, error) {
		<-done
		return d, err
	}
	return described, func() {
		cancel()
		if d, _ := described(); d != nil {
			d.Close()
			o.job.Travel.Close()
		}
	}
}

// late makes of an error that the deadline is the cause of one that says so.
func late(err error) error {
	if !errors.Is(err, submit.ErrDeadline) {
		return err
	}
	return &job.Error{
		Code: job.CodeDeadline, Message: "the deadline has passed before there was a job to submit",
		Hint: "allow it more with --deadline", Err: err,
	}
}
