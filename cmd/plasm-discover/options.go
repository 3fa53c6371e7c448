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

	table, all, json bool
}

func newOptions(in *cli.Invocation) *options {
	f := cli.NewFlags(name, usage, "warn", in.Getenv)
	o := &options{flags: f, where: client.Add(f, in.Getenv), timeoutMS: defaultTimeoutMS}
	f.SetInterspersed(true) // there are no arguments of a program to tell apart
	f.Word(&o.need.Arch, "arch", "", "")
	f.Word(&o.need.OS, "os", "", "")
	f.Word(&o.need.Engine, "engine", "-", "")
	f.Whole(&o.need.MinMemoryMB, "min-memory", 1, job.MaxMemoryMB)
	f.Whole(&o.need.MinCores, "min-cores", 1, job.MaxCPUCores)
	f.StringVar(&o.requireGuards, "require-guards", "none", "")
	f.BoolVar(&o.need.Free, "free", false, "")
	f.Whole(&o.limit, "limit", 1, job.MaxSafeInt)
	f.Millis(&o.timeoutMS, "timeout", job.MaxTimeout)
	f.BoolVar(&o.table, "table", false, "")
	f.BoolVar(&o.all, "all", false, "")
	f.BoolVar(&o.json, "json", false, "")
	return o
}

// check refuses flags that contradict each other or say nothing.
func (o *options) check() error {
	if f := o.flags; f.NArg() > 0 {
		return cli.Usage(name, "%q is not a flag: the command takes no other arguments", f.Arg(0))
	}
	if o.table && o.json {
		return cli.Usage(name, "--table and --json: one for people, one for programs")
	}
	guards, err := cli.GuardList(name, "require-guards", o.requireGuards)
	o.need.Guards = guards
	return err
}
