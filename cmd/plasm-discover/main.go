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
	ctx, release := cli.Signals()
	defer release()
	o := newOptions(in)
	err := o.run(ctx, in)
	if err == nil || errors.Is(err, cli.ErrDone) {
		return 0
	}
	release() // so that a reader who does not read can be left
	return o.flags.Report(in, err)
}
