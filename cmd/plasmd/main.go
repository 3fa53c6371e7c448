// Command plasmd is the node: it is found on the network, says what it can do, and
// runs jobs in workers, which are plasm-run.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"plasm/lib/cli"
	"plasm/lib/control"
	"plasm/lib/job"
)

const name = "plasmd"

// exitFailed is how a subcommand ends that was used well, and did not come to what it is
// for; errFailed says that it has told why.
const exitFailed = 1

var errFailed = errors.New("told already")

func main() {
	os.Exit(run(cli.Process(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)))
}

// command is a subcommand.
type command struct {
	flags *cli.Flags
	run   func(ctx context.Context, in *cli.Invocation) error
}

// commands are the subcommands, in the order of the help.
func commands(in *cli.Invocation) []*command {
	return []*command{
		newServe(in), newIdentity(in), newStatus(in), newAllow(in), newJobs(in), newCancel(in), newDrain(in),
		newCheck(in), newDoctor(in),
	}
}

// run runs the command and returns its exit code.
func run(in *cli.Invocation) int {
	flags := cli.NewFlags(doc(), in.Getenv)
	all := commands(in)
	for _, c := range all {
		flags.Add(c.flags)
	}
	err := cli.Limits().Check(name)
	if err == nil {
		err = flags.Parse(in.Args, in.Stdout)
	}
	if err == nil {
		chosen, _ := flags.Select(in.Args)
		at := slices.IndexFunc(all, func(c *command) bool { return c.flags == chosen })
		err = all[at].run(context.Background(), in)
	}
	switch {
	case err == nil, errors.Is(err, cli.ErrDone):
		return 0
	case errors.Is(err, errFailed):
		return exitFailed
	}
	return flags.Report(in, err)
}

// noArgument refuses what stands on the command line of a subcommand that takes
// nothing but flags.
func noArgument(flags *cli.Flags) error {
	if args := flags.Args(); len(args) > 0 {
		return cli.Usage(flags.Name(), "it takes no argument: %s", job.Quote(args[0]))
	}
	return nil
}

// user is who runs this command.
func user(in *cli.Invocation) control.User {
	return control.User{Getenv: in.Getenv, UID: os.Geteuid()}
}

// say tells a person something that is no error.
func say(in *cli.Invocation, format string, args ...any) {
	_, _ = fmt.Fprintf(in.Stderr, "%s: %s\n", name, cli.OneLine(fmt.Sprintf(format, args...)))
}
