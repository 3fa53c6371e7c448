package main

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"plasm/lib/cli"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// What a verifier spends at most on running a job again, unless told otherwise.
const (
	defaultMemoryMB  = 1024
	defaultTimeoutMS = 600_000
)

// options are the command's flags.
type options struct {
	flags *cli.Flags

	signers []string
	trust   string

	module, manifest      string
	stdin, stdout, stderr string
	ins, outs, excludes   []string
	expectExit            []string
	anyOutcome            bool
	requireGuards         string

	print string
	json  bool
	show  bool

	rerun             bool
	quorum            int64    // of how many signers; 0: of one
	more              []string // receipts of others, with --quorum
	memory, timeoutMS int64

	// What check makes of them.
	names     *cli.Names
	receipt   string
	exitCodes []uint32
	guards    []string
}

// The words that --print takes.
const (
	printStdout    = "stdout"
	printStderr    = "stderr"
	printStatement = "statement"
)

// The categories of plasm-verify's flags.
const (
	whose   = "Whose word counts"
	subject = "What it must be about"
	gives   = "What it gives"
	again   = "Running the job again"
)

func newOptions(in *cli.Invocation) *options {
	f := cli.NewFlags(doc(), in.Getenv)
	o := &options{flags: f, memory: defaultMemoryMB, timeoutMS: defaultTimeoutMS, requireGuards: "none"}
	f.List(&o.signers, cli.Flag{
		Name: "signer", Category: whose, Value: "PEERID|NAME|FILE",
		Usage:    "trust this node, by its peer ID, its name or a PEM file of its public key",
		More:     "A name that your trust file or that of `--trust` gives it comes before a file of that name.",
		Complete: cli.Completion{Peers: true, Files: []string{".pem"}},
	})
	f.Path(&o.trust, cli.Flag{
		Name: "trust", Category: whose, Value: "FILE",
		Usage: "trust the nodes in this file, one a line; by default PLASM_TRUST, where neither --signer nor " +
			"--trust is given",
		More: "`#` begins a comment.", Complete: cli.AnyFile(),
	})
	o.addSubject(f)
	f.Text(&o.print, cli.Flag{
		Name: "print", Category: gives, Value: "WHAT",
		Usage: "once verified, write the job's stdout, its stderr, or the statement that was signed; implies " +
			"--expect-exit 0",
		Complete: cli.Completion{Words: []string{printStdout, printStderr, printStatement}},
	})
	f.Switch(&o.json, cli.Flag{
		Name: "json", Category: gives, Usage: "write the verdict as a document: each check, and whether it passed",
		More: "Excludes `--print`.",
	})
	f.Switch(&o.show, cli.Flag{
		Name: "show", Category: gives,
		Usage: "tell people what the receipt says: on stdout once it is verified, else on stderr, each line marked",
		More:  "Excludes `--print` and `--json`.",
	})
	f.Whole(&o.quorum, 2, receipt.MaxQuorum, cli.Flag{
		Name: "quorum", Category: subject, Value: "N",
		Usage: "N trusted signers have signed one manifest and one outcome",
		More:  "2 to 16. Of a result document of `plasm-submit --quorum`, or of several receipts.",
	})
	f.Switch(&o.rerun, cli.Flag{
		Name: "rerun", Category: again,
		Usage: "run it here with plasm-run, and compare digests, folders, exit code and fuel; needs --module and " +
			"what the job was given",
	})
	f.Amount(&o.memory, cli.MiB, 1, job.MaxMemoryMB, cli.Flag{
		Name: "memory", Category: again, Value: "MB",
		Usage: "give it no more linear memory than this, in MiB or with a unit",
		More:  "1 MiB to 4 GiB.",
	})
	f.Millis(&o.timeoutMS, job.MaxTimeout, cli.Flag{
		Name: "timeout", Category: again, Value: "DUR", Usage: "give it no more time than this, as 500ms, 5s, 2m",
	})
	return o
}

// addSubject adds the flags that say what the receipt must be about.
func (o *options) addSubject(f *cli.Flags) {
	for _, file := range []struct {
		into     *string
		name     string
		usage    string
		complete cli.Completion
	}{
		{&o.module, "module", "this module", cli.ModuleCompletion()},
		{&o.manifest, "manifest", "this manifest, field by field; without id, of any job", cli.FileLike(".json")},
		{&o.stdin, "stdin", "this input", cli.AnyFile()},
		{&o.stdout, "stdout", "this output", cli.AnyFile()},
		{&o.stderr, "stderr", "these diagnostics", cli.AnyFile()},
	} {
		f.Path(file.into, cli.Flag{
			Name: file.name, Category: subject, Value: "FILE", Usage: file.usage,
			Complete: file.complete,
		})
	}
	f.List(&o.ins, cli.Flag{
		Name: "in", Category: subject, Value: "PATH::GUEST",
		Usage:    "the folder GUEST of the program began as this folder or file",
		More:     "Together with every other `--in` of the job, as `plasm-run` got them.",
		Complete: cli.AnyFile(),
	})
	f.List(&o.outs, cli.Flag{
		Name: "out", Category: subject, Value: "GUEST::PATH", Usage: "the program left this folder in its folder GUEST",
	})
	f.List(&o.excludes, cli.Flag{
		Name: "exclude", Category: subject, Value: "GLOB", Usage: "leave names like this out of the folders of --in",
	})
	f.List(&o.expectExit, cli.Flag{
		Name: "expect-exit", Category: subject, Value: "N",
		Usage: "the program ended by itself with exit code N, or one of several",
		More:  "0 to 4294967295.",
	})
	f.Switch(&o.anyOutcome, cli.Flag{
		Name: "any-outcome", Category: subject, Usage: "however it ended, although --print is given",
	})
	f.Text(&o.requireGuards, cli.Flag{
		Name: "require-guards", Category: subject, Value: "LIST",
		Usage: "these guards confined the program: " + cli.GuardNames(),
		More:  "Separated by commas or spaces, or `none`.", Complete: cli.GuardCompletion(),
	})
}

// check refuses flags that contradict each other or say nothing.
func (o *options) check() error {
	wrong := func(format string, args ...any) error { return cli.Usage(name, format, args...) }
	if err := o.checkReceipts(); err != nil {
		return err
	}
	if err := o.checkInputs(); err != nil {
		return err
	}
	switch {
	case o.flags.Changed("print") && !slices.Contains([]string{printStdout, printStderr, printStatement}, o.print):
		return wrong("--print: %q is not one of stdout, stderr, statement", o.print)
	case o.print != "" && o.json:
		return wrong("--print and --json both want stdout")
	case o.show && (o.print != "" || o.json):
		return wrong("--show and --%s both want stdout", map[bool]string{true: "json", false: "print"}[o.json])
	case o.anyOutcome && len(o.expectExit) > 0:
		return wrong("--any-outcome and --expect-exit contradict each other")
	case !o.rerun && (o.flags.Changed("memory") || o.flags.Changed("timeout")):
		return wrong("--memory and --timeout are limits for --rerun, which is not given")
	}
	for _, s := range o.expectExit {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			return wrong("--expect-exit: %q is not a whole number from 0 to 4294967295", s)
		}
		o.exitCodes = append(o.exitCodes, uint32(n))
	}
	if o.print != "" && len(o.exitCodes) == 0 && !o.anyOutcome {
		o.exitCodes = []uint32{0}
	}
	var err error
	o.guards, err = o.flags.Guards(o.requireGuards)
	return err
}

// checkReceipts takes the names of the receipts: one, unless several are to agree.
func (o *options) checkReceipts() error {
	args := o.flags.Args()
	switch {
	case len(args) == 0:
		o.receipt = "-"
	case len(args) > 1 && o.quorum == 0:
		return cli.Usage(name, "one receipt at a time, not %d: %s", len(args), strings.Join(args, " "))
	default:
		o.receipt, o.more = args[0], args[1:]
	}
	return nil
}

// checkInputs refuses two files that are both to be read from stdin.
func (o *options) checkInputs() error {
	var dash []string
	for _, flag := range []string{"trust", "module", "manifest", "stdin", "stdout", "stderr"} {
		if o.flags.Lookup(flag).ValueText() == "-" {
			dash = append(dash, "--"+flag)
		}
	}
	if slices.Contains(o.signers, "-") {
		dash = append(dash, "--signer")
	}
	if o.receipt == "-" {
		dash = append(dash, "the receipt")
	}
	if len(dash) > 1 {
		return cli.Usage(name, "%s: only one of them can be -, the standard input", strings.Join(dash, " and "))
	}
	return nil
}

// trusted returns the keys whose word counts: those that the caller named, and
// no others. The user's own trust file is read for the names in it alone.
func (o *options) trusted(in *cli.Invocation) ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	o.names = cli.OwnNames(in.Getenv)
	file, origin := o.trust, o.flags.Origin("trust")
	if file == "" && len(o.signers) == 0 {
		file, origin = in.Getenv(cli.TrustVariable), cli.TrustVariable
	}
	if file != "" {
		listed, err := readTrust(in, file)
		if err != nil {
			return nil, cli.AboutOrigin(origin, err)
		}
		o.names.Add(listed)
		for _, p := range listed.Peers {
			keys = append(keys, p.Key)
		}
	}
	for _, s := range o.signers {
		key, err := o.signer(in, s)
		if err != nil {
			return nil, &job.Error{
				Code: job.CodeUsage, Message: fmt.Sprintf("--signer: %v", err),
				Hint: cli.AsError(err).Hint, Err: err,
			}
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// signer returns the key that --signer names. A name counts for more than a file: whoever
// puts a file where the command is called must not decide whom to trust.
func (o *options) signer(in *cli.Invocation, value string) (ed25519.PublicKey, error) {
	return o.names.Signer(value, func(file string) ([]byte, error) {
		if file == "-" {
			return io.ReadAll(io.LimitReader(in.Stdin, 1<<20))
		}
		return identity.ReadFile(file)
	})
}

// readTrust reads a trust file. A receipt that anybody may have signed says
// nothing, so the word any, which has its use for placing jobs, has none here.
func readTrust(in *cli.Invocation, file string) (*identity.List, error) {
	anybody := &job.Error{
		Code:    job.CodeUsage,
		Message: "any: a receipt that anybody may have signed says nothing",
		Hint:    "name the nodes whose word counts, with --signer or in a file for --trust",
	}
	if file == "any" {
		return nil, anybody
	}
	listed, err := cli.ReadTrust(file, in.Stdin)
	if err != nil {
		return nil, err
	}
	if listed.Any {
		return nil, anybody
	}
	return listed, nil
}
