package main

import (
	"plasm/lib/capability"
	"plasm/lib/cli"
	"plasm/lib/cli/client"
	"plasm/lib/job"
)

// defaultTimeoutMS is how long a search takes at most, unless told otherwise.
const defaultTimeoutMS = 5000

// options are the command's flags.
type options struct {
	flags *cli.Flags
	where *client.Flags

	need          capability.Need
	requireGuards string
	limit         int64
	timeoutMS     int64

	table, wide, all, json bool
}

// The categories of plasm-discover's flags.
const (
	where   = "Where to look"
	what    = "What a node must be or have"
	howLong = "How long, how many"
	printed = "What is printed"
)

func newOptions(in *cli.Invocation) *options {
	f := cli.NewFlags(doc(), in.Getenv)
	o := &options{flags: f, where: client.Add(f, where, in.Getenv), requireGuards: "none", timeoutMS: defaultTimeoutMS}
	o.addNeed(f)
	f.Millis(&o.timeoutMS, job.MaxTimeout, cli.Flag{
		Name: "timeout", Category: howLong, Value: "DUR", Usage: "look for this long at most",
	})
	f.Whole(&o.limit, 1, job.MaxSafeInt, cli.Flag{
		Name: "limit", Category: howLong, Value: "N", Default: "all", Usage: "stop after N nodes",
	})
	f.Switch(&o.table, cli.Flag{
		Name: "table", Category: printed, Usage: "a table for people, of 80 columns; the default on a terminal",
		More: "Nodes are called by the names in your trust file, or by the ends of their peer IDs. On a terminal it " +
			"has a live count.",
	})
	f.Switch(&o.wide, cli.Flag{
		Name: "wide", Category: printed, Usage: "the table with whole peer IDs, engines and whole addresses",
	})
	f.Switch(&o.all, cli.Flag{
		Name: "all", Category: printed,
		Usage: "tell on stderr of the others, too: those that do not fit or did not answer, and why",
	})
	f.Switch(&o.json, cli.Flag{
		Name: "json", Category: printed,
		Usage: "a line of JSON for each node, the default but on a terminal; an error, too, is then one document " +
			"on stdout",
	})
	return o
}

// addNeed adds the flags that say what a node must be or have.
func (o *options) addNeed(f *cli.Flags) {
	f.Word(&o.need.Arch, "", cli.Flag{
		Name: "arch", Category: what, Value: "ARCH", Usage: "amd64, arm64…",
		More:     "The node's architecture, as Go names it.",
		Complete: client.Archs(),
	})
	f.Word(&o.need.OS, "", cli.Flag{
		Name: "os", Category: what, Value: "OS", Usage: "linux, darwin…", More: "The node's system, as Go names it.",
		Complete: cli.Completion{Words: []string{"linux", "darwin"}},
	})
	f.Word(&o.need.Engine, "-", cli.Flag{
		Name: "engine", Category: what, Value: "NAME", Usage: "such as wazero", Complete: client.Engines(),
	})
	f.Amount(&o.need.MinMemoryMB, cli.MiB, 1, job.MaxMemoryMB, cli.Flag{
		Name: "min-memory", Category: what, Value: "MB", Usage: "for one job, in MiB or with a unit: 64M, 1GiB",
		More: "1 MiB to 4 GiB.",
	})
	f.Whole(&o.need.MinCores, 1, job.MaxCPUCores, cli.Flag{
		Name: "min-cores", Category: what, Value: "N", Usage: "cores", More: "1 to 1024.",
	})
	f.Text(&o.requireGuards, cli.Flag{
		Name: "require-guards", Category: what, Value: "LIST", Usage: "what confines its jobs: " + cli.GuardNames(),
		More: "Separated by commas or spaces, or `none`.", Complete: cli.GuardCompletion(),
	})
	f.Switch(&o.need.Free, cli.Flag{Name: "free", Category: what, Usage: "a free slot now"})
}

// check refuses flags that contradict each other or say nothing.
func (o *options) check() error {
	if args := o.flags.Args(); len(args) > 0 {
		return cli.Usage(name, "%q is not a flag: the command takes no other arguments", args[0])
	}
	if o.json && (o.table || o.wide) {
		return cli.Usage(name, "--table or --wide, and --json: one for people, one for programs")
	}
	guards, err := o.flags.Guards(o.requireGuards)
	o.need.Guards = guards
	return err
}
