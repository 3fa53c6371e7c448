package main

import (
	"cmp"
	"strings"

	"plasm/lib/capability"
	"plasm/lib/cli"
	"plasm/lib/cli/bulk"
	"plasm/lib/cli/client"
	"plasm/lib/cli/reuse"
	"plasm/lib/job"
	"plasm/lib/receipt"
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
	flags  *cli.Flags
	job    *cli.JobFlags
	bulk   *bulk.Flags
	travel *cli.FolderFlags
	where  *client.Flags

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
	quorum        int64 // of how many nodes the answer is wanted; 0: of one
	hedgeMS       int64 // 0: never; -1: by the batch
	attemptMS     int64
	deadlineMS    int64
	stream        bool
	dryRun        bool
	verbose       bool
	edit          trustEdit
	ticket        ticketFlags
	names         *cli.Names
	getenv        func(string) string
	progress      *progress
	shelf         *reuse.Shelf // of --results; nil: none
}

// The categories of plasm-submit's own flags.
const (
	whichNode = "Which node"
	whom      = "Whom to trust"
	howLong   = "How long, how often"
)

func newOptions(in *cli.Invocation) *options {
	f := cli.NewFlags(doc(), in.Getenv)
	o := &options{
		flags: f, retries: defaultRetries, engine: autoEngine, requireGuards: "none", names: &cli.Names{},
		getenv: in.Getenv,
	}
	o.job = cli.AddJobFlags(f, "the key that asks")
	o.travel = cli.AddFolderFlags(f, o.job)
	o.bulk = bulk.Add(f, o.job, o.travel, "what the trusted nodes hold, and one more each")
	f.Switch(&o.stream, cli.Flag{
		Name: "stream", Category: cli.TheOutput,
		Usage: "pass input and output on as they come: one node, no second attempt, and verified only at the end " +
			"(default where input is typed; else input is read to its end)",
		More: "Exit 125 when what came does not hold.",
	})
	o.addNodes(f, in)
	f.Path(&o.trust, cli.Flag{
		Name: "trust", Category: whom, Value: "FILE|any",
		Usage: "the nodes in this file, one a line: PEERID [NAME [ADDR…]]; or all",
		More: "Without `--peer`, `--signer` and `--trust`: the file `PLASM_TRUST`, by default " +
			"`$XDG_CONFIG_HOME/plasm/trust`.",
		Complete: cli.AnyFile(),
	})
	f.List(&o.signers, cli.Flag{
		Name: "signer", Category: whom, Value: "PEERID|NAME", Usage: "this node", Complete: cli.Completion{Peers: true},
	})
	o.addTrustEdit(f)
	o.addTickets(f)
	o.addDryRun(f)
	f.Whole(&o.retries, 0, maxRetries, cli.Flag{
		Name: "retries", Category: howLong, Value: "N", Usage: "new attempts after one that was accepted",
		More: "A rejection costs none.",
	})
	f.Whole(&o.quorum, 2, receipt.MaxQuorum, cli.Flag{
		Name: "quorum", Category: whom, Value: "N",
		Usage: "the answer of N nodes that agree, one more asked at a time, 2N-1 in all",
		More: "2 to 16; for deterministic jobs, and not with the trust `any`. Sets `--canonical-nan`. Nodes whose " +
			"names share what stands before a / count once. A node may copy what another has answered.",
	})
	o.addHedge(f)
	f.Millis(&o.attemptMS, job.MaxTimeout, cli.Flag{
		Name: "attempt-timeout", Category: howLong, Value: "DUR", Default: "2m, and 1s for each 256 KiB to send",
		Usage: "from the offer to a node to the program's start", More: "Without the node's waiting line.",
	})
	f.Millis(&o.deadlineMS, maxDeadlineMS, cli.Flag{
		Name: "deadline", Category: howLong, Value: "DUR", Default: "10m and --timeout", Usage: "for the whole command",
		More: "Passing it exits 124. In a batch it is for each job, from its first offer on.",
	})
	f.Switch(&o.verbose, cli.Flag{Name: "verbose", Category: cli.ThisMachine, Usage: "tell on stderr what is tried"})
	return o
}

// addNodes adds the flags that say on which nodes the job may run.
func (o *options) addNodes(f *cli.Flags, in *cli.Invocation) {
	f.List(&o.peers, cli.Flag{
		Name: "peer", Category: whichNode, Value: "ADDR|PEERID|NAME", Usage: "this node, and trust it",
		More: "A peer ID, an address that ends in `/p2p/PEERID`, or the name that your trust file or that of " +
			"`--trust` gives it.", Complete: cli.Completion{Peers: true},
	})
	f.Path(&o.peersFile, cli.Flag{
		Name: "peers", Category: whichNode, Value: "FILE|-", Usage: "these nodes: lines of plasm-discover",
		Complete: cli.AnyFile(),
	})
	o.where = client.Add(f, whichNode, in.Getenv)
	f.Word(&o.arch, "", cli.Flag{
		Name: "arch", Category: whichNode, Value: "ARCH", Usage: "amd64, arm64…; written into the manifest",
		Complete: client.Archs(),
	})
	f.Word(&o.engine, "-", cli.Flag{
		Name: "engine", Category: whichNode, Value: "NAME|auto", Usage: "such as wazero; written into the manifest",
		Complete: client.Engines(autoEngine),
	})
	f.Whole(&o.minCores, 1, job.MaxCPUCores, cli.Flag{
		Name: "min-cores", Category: whichNode, Value: "N", Usage: "cores; written into the manifest",
		More: "1 to 1024.",
	})
	f.Amount(&o.minMemory, cli.MiB, 1, job.MaxMemoryMB, cli.Flag{
		Name: "min-memory", Category: whichNode, Value: "MB", Usage: "what a job may have there, if more than --memory",
		More: "1 MiB to 4 GiB, in MiB or with a unit.",
	})
	f.Text(&o.requireGuards, cli.Flag{
		Name: "require-guards", Category: whichNode, Value: "LIST",
		Usage: "what must confine the program: " + cli.GuardNames(),
		More:  "Separated by commas or spaces, or `none`.", Complete: cli.GuardCompletion(),
	})
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
	if err := cmp.Or(o.ticket.check(o), o.checkDryRun()); err != nil {
		return err
	}
	checkJob := func() error { return o.job.Check(o.flags.Args()) }
	if o.ticket.attach != "" {
		checkJob = o.job.CheckOutput
	}
	if err := checkJob(); err != nil {
		return err
	}
	if err := o.checkDashes(); err != nil {
		return err
	}
	checkFolders := o.travel.Check
	if o.bulk.Given() {
		checkFolders = o.travel.CheckForm
	}
	if err := checkFolders(); err != nil {
		return err
	}
	if err := o.bulk.Check(o.flags.Args()); err != nil {
		return err
	}
	if err := cmp.Or(o.checkQuorum(), o.checkHedge()); err != nil {
		return err
	}
	if o.job.Results != "" && o.stream {
		return cli.Usage(name, "--results beside --stream: what is passed on as it comes is not looked up before")
	}
	if o.bulk.Given() && o.stream {
		return cli.Usage(name, "--stream is for one job: a batch writes what is verified")
	}
	var err error
	o.guards, err = o.flags.Guards(o.requireGuards)
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
		{"--attach", o.ticket.attach},
		{"--each", o.bulk.Each},
		{"--batch", o.bulk.Batch},
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
	taken := o.takesStdin() || o.ticket.detach || o.dryRun || o.job.Results != "" || o.quorum > 0 || o.hedgeMS != 0 ||
		o.job.Job != "" || o.job.Manifest == "-" || o.job.NoStdin || len(args) > 0 && args[0] == "-"
	if taken || o.job.Stdin != "" && o.job.Stdin != "-" {
		return false
	}
	return cli.IsTerminal(in.Stdin)
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
	if o.quorum > 0 {
		m.CanonicalNaN = true // so that nodes of any processor agree
	}
	if !m.Equal(&before) {
		m.ID = job.NewID()
	}
	for i := range m.Dirs {
		if !m.Dirs[i].Travels() {
			return &job.Error{
				Code:    job.CodeUnsupported,
				Message: "dirs: the manifest wants the live folder " + m.Dirs[i].Guest + ", and no node gives one",
				Hint:    "--in and --out have folders travel; plasm-run --dir runs it on this machine",
			}
		}
	}
	return m.Validate()
}

// need is what a node must be or have for a job.
func (o *options) need(m *job.Manifest) capability.Need {
	return capability.Need{
		Arch: m.Arch, Engine: m.Engine, MinMemoryMB: max(m.MemoryMB, o.minMemory), MinCores: m.CPUCores,
		Guards:    o.guards,
		MinDiskMB: diskOf(m),
	}
}

// diskOf is how much disk a job needs.
func diskOf(m *job.Manifest) int64 {
	if len(m.Outputs()) == 0 {
		return 0
	}
	return m.DiskMB
}
