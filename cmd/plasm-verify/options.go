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
	expectExit            []string
	anyOutcome            bool
	requireGuards         string

	print string
	json  bool

	rerun             bool
	memory, timeoutMS int64

	// What check makes of them.
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

func newOptions(in *cli.Invocation) *options {
	f := cli.NewFlags(name, usage, "warn", in.Getenv)
	o := &options{flags: f, memory: defaultMemoryMB, timeoutMS: defaultTimeoutMS}
	f.SetInterspersed(true) // there are no arguments of a program to tell apart
	f.StringArrayVar(&o.signers, "signer", nil, "")
	f.Path(&o.trust, "trust", "")
	f.Path(&o.module, "module", "")
	f.Path(&o.manifest, "manifest", "")
	f.Path(&o.stdin, "stdin", "")
	f.Path(&o.stdout, "stdout", "")
	f.Path(&o.stderr, "stderr", "")
	f.StringArrayVar(&o.expectExit, "expect-exit", nil, "")
	f.BoolVar(&o.anyOutcome, "any-outcome", false, "")
	f.StringVar(&o.requireGuards, "require-guards", "none", "")
	f.StringVar(&o.print, "print", "", "")
	f.BoolVar(&o.json, "json", false, "")
	f.BoolVar(&o.rerun, "rerun", false, "")
	f.Whole(&o.memory, "memory", 1, job.MaxMemoryMB)
	f.Millis(&o.timeoutMS, "timeout", job.MaxTimeout)
	return o
}

// check refuses flags that contradict each other or say nothing.
func (o *options) check() error {
	wrong := func(format string, args ...any) error { return cli.Usage(name, format, args...) }
	switch args := o.flags.Args(); {
	case len(args) > 1:
		return wrong("one receipt at a time, not %d: %s", len(args), strings.Join(args, " "))
	case len(args) == 1:
		o.receipt = args[0]
	default:
		o.receipt = "-"
	}
	if err := o.checkInputs(); err != nil {
		return err
	}
	switch {
	case o.flags.Changed("print") && !slices.Contains([]string{printStdout, printStderr, printStatement}, o.print):
		return wrong("--print: %q is not one of stdout, stderr, statement", o.print)
	case o.print != "" && o.json:
		return wrong("--print and --json both want stdout")
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
	o.guards, err = cli.GuardList(name, "require-guards", o.requireGuards)
	return err
}

// checkInputs refuses two files that are both to be read from stdin.
func (o *options) checkInputs() error {
	var dash []string
	for _, flag := range []string{"trust", "module", "manifest", "stdin", "stdout", "stderr"} {
		if o.flags.Lookup(flag).Value.String() == "-" {
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
// no others.
func (o *options) trusted(in *cli.Invocation) ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for _, s := range o.signers {
		key, err := identity.ParseSigner(s, func(file string) ([]byte, error) {
			if file == "-" {
				return io.ReadAll(io.LimitReader(in.Stdin, 1<<20))
			}
			return identity.ReadFile(file)
		})
		if err != nil {
			return nil, &job.Error{Code: job.CodeUsage, Message: fmt.Sprintf("--signer: %v", err), Hint: cli.AsError(err).Hint, Err: err}
		}
		keys = append(keys, key)
	}
	file := o.trust
	if file == "" && len(o.signers) == 0 {
		file = in.Getenv("PLASM_TRUST")
	}
	if file == "" {
		return keys, nil
	}
	listed, err := readTrust(in, file)
	return append(keys, listed...), err
}

// readTrust reads a trust file. A receipt that anybody may have signed says
// nothing, so the word any, which has its use for placing jobs, has none here.
func readTrust(in *cli.Invocation, file string) ([]ed25519.PublicKey, error) {
	anybody := &job.Error{
		Code:    job.CodeUsage,
		Message: "trust: any: a receipt that anybody may have signed says nothing",
		Hint:    "name the nodes whose word counts, with --signer or in a file for --trust",
	}
	if file == "any" {
		return nil, anybody
	}
	data, err := cli.ReadFile(file, in.Stdin, 1<<20)
	if err != nil {
		return nil, err
	}
	trust, err := identity.ParseTrust(data, file)
	if err != nil {
		return nil, err
	}
	if trust.Any {
		return nil, anybody
	}
	return trust.Keys, nil
}
