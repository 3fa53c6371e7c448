// Package bulk is what the commands that run batches share: the flags, what an item of a
// list means beside them, where its output goes, and what people are told.
package bulk

import (
	"cmp"
	"strings"

	"plasm/lib/batch"
	"plasm/lib/cli"
)

// MaxParallel is the most jobs that a batch runs at once.
const MaxParallel = 10_000

// Flags are the flags of a batch.
type Flags struct {
	Each, Batch string
	Parallel    int64 // 0: as many as there is room for

	name      string
	flags     *cli.Flags
	job       *cli.JobFlags
	folders   *cli.FolderFlags // nil: the command has none
	nul       bool
	unordered bool
	halt      bool
	joblog    string
	resume    bool
}

// Category is the heading of the flags of a batch.
const Category = "Many jobs"

// Notes is the note to them; more are flags beside those that every command has.
func Notes(more string) string {
	return "In ARG, --env, --seed, --stdin, --stdout, --stderr" + more +
		" and --receipt, {} is the line of --each, {/} its last path element, " +
		"{.} without extension, {/.} both, {#} its number. With none of these the line is the last ARG."
}

// Add adds them to a flag set. folders are the flags of folders that travel, nil where the
// command has none; parallel says how many jobs run at once by default.
func Add(f *cli.Flags, job *cli.JobFlags, folders *cli.FolderFlags, parallel string) *Flags {
	b := &Flags{name: f.Name(), flags: f, job: job, folders: folders}
	f.Path(&b.Each, cli.Flag{
		Name: "each", Category: Category, Value: "FILE|-", Usage: "run a job for each line of FILE",
		Complete: cli.AnyFile(),
		More: "A line ends in LF and has at most 1 MiB of UTF-8; empty ones count. An output without a " +
			"placeholder is wrong use.",
	})
	f.Switch(&b.nul, cli.Flag{Name: "null", Short: "0", Category: Category, Usage: "the lines of --each end in NUL"})
	f.Path(&b.Batch, cli.Flag{
		Name: "batch", Category: Category, Value: "FILE|-",
		Usage:    "run a job for each line of FILE, a JSON object over the flags",
		Complete: cli.FileLike(".jsonl"),
		More:     "It names files of yours: trust it as a script. Empty lines are skipped.",
	})
	f.Whole(&b.Parallel, 1, MaxParallel, cli.Flag{
		Name: "parallel", Category: Category, Value: "N", Default: parallel, Usage: "run at most N at once",
		More: "1 to 10000.",
	})
	f.Switch(&b.unordered, cli.Flag{
		Name: "unordered", Category: Category,
		Usage: "write results as they end, not in the order of the list",
	})
	f.Switch(&b.halt, cli.Flag{
		Name: "halt", Category: Category, Usage: "start nothing more once a job did not exit with 0",
		More: "What runs ends.",
	})
	f.Path(&b.joblog, cli.Flag{
		Name: "joblog", Category: Category, Value: "FILE", Usage: "keep in FILE what has started and ended",
		Complete: cli.AnyFile(),
		More:     "Mode 0600, and locked. A file with something in it needs `--resume`.",
	})
	f.Switch(&b.resume, cli.Flag{
		Name: "resume", Category: Category, Usage: "go on where --joblog ends: what has ended is not run again",
	})
	return b
}

// Given reports whether the command line asks for a batch.
func (b *Flags) Given() bool { return b.Each != "" || b.Batch != "" }

// list is the file with the list.
func (b *Flags) list() string { return cmp.Or(b.Each, b.Batch) }

// flag is the flag that names it.
func (b *Flags) flag() string {
	if b.Each != "" {
		return "--each"
	}
	return "--batch"
}

func (b *Flags) wrong(format string, args ...any) error { return cli.Usage(b.name, format, args...) }

// Check refuses flags that contradict each other, or make no sense without a batch, or
// within one. operands are MODULE and the guest's arguments. It comes beside
// JobFlags.Check.
func (b *Flags) Check(operands []string) error {
	if !b.Given() {
		return b.checkSingle()
	}
	switch {
	case b.Each != "" && b.Batch != "":
		return b.wrong("--each and --batch: a batch has one list")
	case b.nul && b.Each == "":
		return b.wrong("--null is about the lines of --each: those of --batch are JSON")
	case b.resume && b.joblog == "":
		return b.wrong("--resume goes on where a --joblog FILE ends, and none is named")
	}
	if err := b.checkJob(); err != nil {
		return err
	}
	for _, input := range []struct{ name, value string }{{"--manifest", b.job.Manifest}, {"MODULE", operands[0]}} {
		if b.list() == "-" && input.value == "-" {
			return b.wrong("%s and %s: only one of them can be -, standard input", b.flag(), input.name)
		}
	}
	return b.checkOutputs(operands)
}

// checkSingle refuses the flags of a batch where there is none.
func (b *Flags) checkSingle() error {
	for _, name := range []string{"null", "parallel", "unordered", "halt", "joblog", "resume"} {
		if b.flags.Changed(name) {
			return b.wrong("--%s is about a batch: --each or --batch names one", name)
		}
	}
	if text := b.job.SeedText(); text != "" {
		return b.wrong("--seed: %q is for the lines of --each", text)
	}
	return nil
}

// checkJob refuses flags that a batch does not take.
func (b *Flags) checkJob() error {
	for _, flag := range []struct {
		name  string
		given bool
	}{
		{"--job", b.job.Job != ""},
		{"--print-job", b.job.PrintJob},
		{"--print-manifest", b.job.PrintManifest},
		{"--stdin -", b.job.Stdin == "-"},
		{"--receipt -", b.job.Receipt == "-"},
		{"--stdout -", b.job.Stdout == "-"},
		{"--stderr -", b.job.Stderr == "-"},
	} {
		if flag.given {
			return b.wrong("%s %s: that is for one job", b.flag(), flag.name)
		}
	}
	return nil
}

// checkOutputs refuses outputs that all items would share.
func (b *Flags) checkOutputs(operands []string) error {
	if b.Each != "" {
		err := b.template(operands).Check()
		if err != nil {
			return b.wrong("%s", err)
		}
		return nil
	}
	for _, flag := range []struct{ name, value, member string }{
		{"--stdout", b.job.Stdout, "stdout_file"},
		{"--stderr", b.job.Stderr, "stderr_file"},
		{"--receipt", b.job.Receipt, "receipt_file"},
	} {
		if flag.value != "" {
			return b.wrong("%s %s: all items would write to it: --batch has %s for each", flag.name, flag.value,
				flag.member)
		}
	}
	if b.folders != nil {
		if _, out := b.folders.Folders(); len(out) > 0 {
			return b.wrong("--out %s::%s: all items would write to it: --batch has out for each", out[0].Guest,
				out[0].Path)
		}
	}
	if text := b.job.SeedText(); text != "" {
		return b.wrong("--seed: %q is for the lines of --each; --batch has seed for each", text)
	}
	return nil
}

// template is what the flags say of each line of --each.
func (b *Flags) template(operands []string) *batch.Template {
	t := &batch.Template{
		Args: operands[1:], Env: b.job.Env(), Seed: b.job.SeedText(),
		Stdin: b.job.Stdin, Stdout: b.job.Stdout, Stderr: b.job.Stderr, Receipt: b.job.Receipt,
	}
	if b.folders != nil {
		t.In, t.Out = b.folders.Folders()
	}
	return t
}

// checkTemplate refuses what no line can make right.
func (b *Flags) checkTemplate() error {
	for _, pair := range b.job.Env() {
		if name, _, ok := strings.Cut(pair, "="); !ok || name == "" {
			return b.wrong("--env: %q is not NAME=VALUE", pair)
		}
	}
	return nil
}
