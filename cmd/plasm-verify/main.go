// Command plasm-verify checks a receipt, offline, against the keys that its
// caller trusts and the files that its caller has.
package main

import (
	"errors"
	"os"

	"plasm/lib/cli"
)

const name = "plasm-verify"

func main() {
	os.Exit(run(cli.Process(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)))
}

// run runs the command and returns its exit code: 0 verified, 1 not verified,
// 125 for everything that kept it from a verdict, but for a signal or a closed
// stdout.
func run(in *cli.Invocation) int {
	o := newOptions(in)
	if err := cli.Limits().Check(name); err != nil {
		return o.report(in, err)
	}
	v, err := o.run(in)
	switch {
	case errors.Is(err, cli.ErrDone):
		return 0
	case err != nil:
		return o.report(in, err)
	case !v.Verified:
		return cli.ExitNotVerified
	}
	return 0
}

// report tells an error. The codes that say what became of a job are not for a
// command that runs none.
func (o *options) report(in *cli.Invocation, err error) int {
	if code := o.flags.Report(in, err); code > cli.ExitSignal {
		return code
	}
	return cli.ExitPlasm
}

// run comes to a verdict, and writes what the command line asks for. An error
// means that there is no verdict, or that it could not be written.
func (o *options) run(in *cli.Invocation) (*verdict, error) {
	if err := o.flags.Parse(in.Args, in.Stdout); err != nil {
		return nil, err
	}
	log, err := o.flags.Logger(in.Stderr)
	if err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	e := &evidence{log: log}
	defer e.close()
	if err := o.gather(in, e); err != nil {
		return nil, err
	}
	if e.lines != nil {
		return o.judgeLines(in, e)
	}
	return o.conclude(in, e, &verdict{})
}

// conclude comes to a verdict from the evidence, adds it to what is known of it, and
// tells it.
func (o *options) conclude(in *cli.Invocation, e *evidence, v *verdict) (*verdict, error) {
	verified, refusal, err := o.judge(in, e)
	if err != nil {
		return nil, err
	}
	v.become(refusal, verified, o.asks(e))
	if !v.Verified {
		if o.show && verified != nil {
			o.showUnverified(in.Stderr, v, verified.Statement)
		}
		o.explain(in, v, e)
	}
	return v, o.tell(in, v, verified, e)
}
