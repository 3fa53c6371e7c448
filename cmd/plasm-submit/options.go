package main

import (
	"strings"

	"plasm/lib/capability"
	"plasm/lib/cli"
	"plasm/lib/cli/client"
	"plasm/lib/job"
)

const (
	defaultRetries = 3
	maxRetries     = 1000
	// deadlineBeyond is how much longer than the job's own time the whole command
	// may take, unless told otherwise: 10 minutes in milliseconds.
	deadlineBeyond = 600_000
	maxDeadlineMS  = 2 * job.MaxTimeout
	autoEngine     = "auto"
)

// options are the command's flags.
type options struct {
	flags *cli.Flags
	job   *cli.JobFlags
	where *client.Flags

	peers         []string
	peersFile     string
	trust         string
	signers       []string
	arch, engine  string
	minMemory     int64
	minCores      int64
	requireGuards string
	guards        []string
	retries       int64
	attemptMS     int64
	deadlineMS    int64
	stream        bool
	verbose       bool
	getenv        func(string) string
	progress      *progress
}

func newOptions(in *cli.Invocation) *options {
	f := cli.NewFlags(name, usage, "warn", in.Getenv)
	o := &options{
		flags: f, job: cli.AddJobFlags(f, in.Getenv), where: client.Add(f, in.Getenv),
		retries: defaultRetries, getenv: in.Getenv,
	}
	f.StringArrayVar(&o.peers, "peer", nil, "")
	f.Path(&o.peersFile, "peers", "")
	f.Path(&o.trust, "trust", "")
	f.StringArrayVar(&o.signers, "signer", nil, "")
	f.Word(&o.arch, "arch", "", "")
	f.Word(&o.engine, "engine", "-", autoEngine)
	f.Whole(&o.minMemory, "min-memory", 1, job.MaxMemoryMB)
	f.Whole(&o.minCores, "min-cores", 1, job.MaxCPUCores)
	f.StringVar(&o.requireGuards, "require-guards", "none", "")
	f.Whole(&o.retries, "retries", 0, maxRetries)
	f.Millis(&o.attemptMS, "attempt-timeout", job.MaxTimeout)
	f.Millis(&o.deadlineMS, "deadline", maxDeadlineMS)
	f.BoolVar(&o.stream, "stream", false, "")
	f.BoolVar(&o.verbose, "verbose", false, "")
	return o
}

// identity prints the peer ID of the user's key.
func (o *options) identity(in *cli.Invocation) error {
	if args := o.flags.Args(); len(args) > 0 {
		return cli.Usage(name, "--identity takes no MODULE: %s", args[0])
	}
	key, err := o.job.LoadKey(in)
	if err != nil {
		return err
	}
	return in.Print([]byte(key.PeerID() + "\n"))
}

// check refuses flags that contradict each other or say nothing.
func (o *options) check() error {
	if err := o.job.Check(o.flags.Args()); err != nil {
		return err
	}
	if err := o.checkDashes(); err != nil {
		return err
	}
	var err error
	o.guards, err = cli.GuardList(name, "require-guards", o.requireGuards)
	return err
}

// checkDashes refuses a second reader of standard input beside --peers - or
// --trust -.
func (o *options) checkDashes() error {
	module := ""
	if args := o.flags.Args(); len(args) > 0 {
		module = args[0]
	}
	var dash []string
	for _, input := range []struct{ name, value string }{
		{"--peers", o.peersFile},
		{"--trust", o.trust},
		{"--job", o.job.Job},
		{"--manifest", o.job.Manifest},
		{"--stdin", o.job.Stdin},
		{"MODULE", module},
	} {
		if input.value == "-" {
			dash = append(dash, input.name)
		}
	}
	if len(dash) > 1 {
		return cli.Usage(name, "%s: only one of them can be -, standard input", strings.Join(dash, " and "))
	}
	return nil
}

// takesStdin reports whether something else than the program reads the command's
// standard input, which the program then never gets.
func (o *options) takesStdin() bool { return o.peersFile == "-" || o.trust == "-" }

// streams reports whether the job's streams are passed on as they come: by
// default only where somebody types the input.
func (o *options) streams(in *cli.Invocation) bool {
	if o.flags.Changed("stream") {
		return o.stream
	}
	args := o.flags.Args()
	taken := o.takesStdin() || o.job.Job != "" || o.job.Manifest == "-" || o.job.NoStdin || len(args) > 0 && args[0] == "-"
	if taken || o.job.Stdin != "" && o.job.Stdin != "-" {
		return false
	}
	return isTerminal(in.Stdin)
}

// place puts into the manifest what the flags say of where the job is to run. A
// job that this changes is another one.
func (o *options) place(m *job.Manifest) error {
	before := *m
	if o.flags.Changed("arch") {
		m.Arch = o.arch
	}
	if o.flags.Changed("engine") {
		m.Engine = o.engine
		if o.engine == autoEngine {
			m.Engine = ""
		}
	}
	if o.flags.Changed("min-cores") {
		m.CPUCores = o.minCores
	}
	if !m.Equal(&before) {
		m.ID = job.NewID()
	}
	if len(m.Dirs) > 0 {
		return &job.Error{
			Code:    job.CodeUnsupported,
			Message: "dirs: the manifest wants a folder as " + m.Dirs[0].Guest + ", and no node gives one",
			Hint:    "plasm-run --dir runs it on this machine",
		}
	}
	return m.Validate()
}

// need is what a node must be or have for a job.
func (o *options) need(m *job.Manifest) capability.Need {
	return capability.Need{
		Arch: m.Arch, Engine: m.Engine, MinMemoryMB: max(m.MemoryMB, o.minMemory), MinCores: m.CPUCores, Guards: o.guards,
	}
}
