// Command plasm-submit runs a job on a node, and writes what came of it once the
// node's receipt has been verified.
package main

import (
	"errors"
	"os"

	"plasm/lib/cli"
)

const name = "plasm-submit"

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
	code, err := o.run(ctx, in, release)
	if err == nil || errors.Is(err, cli.ErrDone) {
		return code
	}
	release() // so that a reader who does not read can be left
	// With a log in JSON they are in the error's line.
	if !o.flags.LogsJSON(in) {
		o.tellNodes(in.Stderr, err)
	}
	return o.flags.Report(in, err)
}
