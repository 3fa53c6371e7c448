// Command plasmd is the node: it is found on the network, says what it can do, and
// runs jobs in workers, which are plasm-run.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"plasm/lib/cli"
	"plasm/lib/control"
	"plasm/lib/job"
)

const name = "plasmd"

// exitIll is how plasmd doctor ends when a check failed.
const exitIll = 1

func main() {
	os.Exit(run(cli.Process(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)))
}

// command is a subcommand, or the command without one.
type command struct {
	flags *cli.Flags
	run   func(ctx context.Context, in *cli.Invocation) error
}

// commands are the subcommands by name.
func commands() map[string]func(*cli.Invocation) *command {
	return map[string]func(*cli.Invocation) *command{
		"serve": newServe, "identity": newIdentity, "status": newStatus, "allow": newAllow,
		"doctor": newDoctor,
	}
}

// run runs the command and returns its exit code.
func run(in *cli.Invocation) int {
	var c *command
	if len(in.Args) > 0 {
		if begin, ok := commands()[in.Args[0]]; ok {
			in.Args = in.Args[1:]
			c = begin(in)
			c.flags.SetInterspersed(true)
		}
	}
	if c == nil {
		c = newTop(in)
	}
	err := cli.Limits().Check(name)
	if err == nil {
		err = c.flags.Parse(in.Args, in.Stdout)
	}
	if err == nil {
		err = c.run(context.Background(), in)
	}
	switch {
	case err == nil, errors.Is(err, cli.ErrDone):
		return 0
	case errors.Is(err, errIll):
		return exitIll
	}
	return c.flags.Report(in, err)
}

// newTop is plasmd without a subcommand.
func newTop(in *cli.Invocation) *command {
	flags := cli.NewFlags(name, usage, "info", in.Getenv)
	return &command{flags, func(context.Context, *cli.Invocation) error {
		const known = "serve, identity, status, allow, doctor"
		if flags.NArg() == 0 {
			return cli.Usage(name, "which subcommand? one of %s is missing", known)
		}
		return cli.Usage(name, "there is no subcommand %s; there are %s", job.Quote(flags.Arg(0)), known)
	}}
}

// user is who runs this command.
func user(in *cli.Invocation) control.User {
	return control.User{Getenv: in.Getenv, UID: os.Geteuid()}
}

// say tells a person something that is no error.
func say(in *cli.Invocation, format string, args ...any) {
	_, _ = fmt.Fprintf(in.Stderr, "%s: %s\n", name, cli.OneLine(fmt.Sprintf(format, args...)))
}
