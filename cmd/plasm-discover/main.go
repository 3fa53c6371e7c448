// Command plasm-discover finds nodes that can run a job, and prints what each can
// do.
package main

import (
	"errors"
	"os"

	"plasm/lib/cli"
)

const name = "plasm-discover"

func main() {
	os.Exit(run(cli.Process(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)))
}

// run runs the command and returns its exit code.
func run(in *cli.Invocation) int {
	o := newOptions(in)
	if err := cli.Limits().Check(name); err != nil {
		return o.flags.Report(in, err)
	}
	ctx, release := in.Signals()
	defer release()
	err := o.run(ctx, in)
	if err == nil || errors.Is(err, cli.ErrDone) {
		return 0
	}
	release() // so that a reader who does not read can be left
	return o.flags.Report(in, err)
}
