package reuse

import (
	"context"
	"errors"
	"io"

	"plasm/lib/cli"
	"plasm/lib/job"
)

// Write writes the outputs to where those of a job go, and says of out what it is.
func (h *Hit) Write(out *cli.Outputs) error {
	out.Trace, out.Reused = h.Trace, true
	stdout, stderr, err := h.Readers()
	if err != nil {
		return err
	}
	_, err = io.Copy(out.Stdout, stdout)
	_, err2 := io.Copy(out.Stderr, stderr)
	return errors.Join(err, err2)
}

// Deliver puts the result where that of the job of m is to go, and returns the command's
// exit code, which is for a nil error. It calls release when all is over but writing to
// stdout.
func (h *Hit) Deliver(ctx context.Context, in *cli.Invocation, flags *cli.JobFlags, name string, m *job.Manifest,
	release func(),
) (int, error) {
	out, err := flags.Open(ctx, in)
	if err != nil {
		return 0, err
	}
	err = out.Deliver(ctx, func() error {
		err := h.Write(out)
		cli.TellOutcome(in.Stderr, name, m, h.Outcome, nil, h.Trace)
		return errors.Join(err, out.Finish(func() ([]byte, error) { return h.Receipt, nil }))
	})
	release()
	if err != nil && !out.Printable() {
		return 0, err
	}
	if err = errors.Join(err, out.Print()); err != nil {
		return cli.Fail(in.Stderr, name, err), nil // stdout has its document
	}
	return cli.OutcomeCode(h.Outcome, nil), nil
}
