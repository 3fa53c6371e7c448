package cli

import (
	"strings"

	"plasm/lib/job"
)

// JobFlags are the flags that describe a job, its input and its output: the
// words that plasm-run and plasm-submit share.
type JobFlags struct {
	flags *Flags

	Manifest, Job         string
	memory, timeout, fuel int64
	outputLimit, seed     int64
	deterministic, nan    bool
	env                   []string

	Stdin, Stdout, Stderr, Receipt string
	NoStdin                        bool
	JSON, PrintManifest, PrintJob  bool
	Key                            string
	Identity                       bool // print the key's peer ID and stop
}

// AddJobFlags adds them to a flag set.
func AddJobFlags(f *Flags, getenv func(string) string) *JobFlags {
	j := &JobFlags{flags: f}
	f.Path(&j.Manifest, "manifest", "")
	f.Path(&j.Job, "job", "")
	f.Whole(&j.memory, "memory", 1, job.MaxMemoryMB)
	f.Millis(&j.timeout, "timeout", job.MaxTimeout)
	f.Whole(&j.fuel, "fuel", 1, job.MaxSafeInt)
	f.Whole(&j.outputLimit, "output-limit", 0, job.MaxSafeInt)
	f.StringArrayVar(&j.env, "env", nil, "")
	f.BoolVar(&j.deterministic, "deterministic", true, "")
	f.Whole(&j.seed, "seed", 0, job.MaxSafeInt)
	f.BoolVar(&j.nan, "canonical-nan", false, "")
	f.Path(&j.Stdin, "stdin", "")
	f.BoolVarP(&j.NoStdin, "no-stdin", "n", false, "")
	f.Path(&j.Stdout, "stdout", "")
	f.Path(&j.Stderr, "stderr", "")
	f.Path(&j.Receipt, "receipt", "")
	f.BoolVar(&j.JSON, "json", false, "")
	f.BoolVar(&j.PrintManifest, "print-manifest", false, "")
	f.BoolVar(&j.PrintJob, "print-job", false, "")
	f.Path(&j.Key, "key", getenv("PLASM_KEY"))
	f.BoolVar(&j.Identity, "identity", false, "")
	return j
}

// Check refuses flags that contradict each other. operands are MODULE and the
// guest's arguments.
func (j *JobFlags) Check(operands []string) error {
	switch {
	case j.Job != "" && j.Manifest != "":
		return j.wrong("--job and --manifest: a job document holds its own manifest")
	case j.Job != "" && len(operands) > 0:
		return j.wrong("MODULE %q beside --job: a job document holds its own module", operands[0])
	case j.Job == "" && len(operands) == 0:
		return j.wrong("which module? MODULE.wasm is missing")
	}
	if err := j.checkInput(operands); err != nil {
		return err
	}
	return j.checkOutput()
}

func (j *JobFlags) wrong(format string, args ...any) error {
	return Usage(j.flags.name, format, args...)
}

func (j *JobFlags) checkInput(operands []string) error {
	var dash []string
	for _, flag := range []struct{ name, value string }{
		{"--job", j.Job}, {"--manifest", j.Manifest}, {"--stdin", j.Stdin},
	} {
		if flag.value == "-" {
			dash = append(dash, flag.name)
		}
	}
	if len(operands) > 0 && operands[0] == "-" {
		dash = append(dash, "MODULE")
	}
	switch {
	case len(dash) > 1:
		return j.wrong("%s: only one of them can be -, standard input", strings.Join(dash, " and "))
	case j.NoStdin && j.Stdin != "":
		return j.wrong("--no-stdin and --stdin %s contradict each other", j.Stdin)
	case j.Job != "" && j.Stdin == "-":
		return j.wrong("--stdin - beside --job %s: the program gets the document's input, or that of --stdin FILE", j.Job)
	}
	return nil
}

func (j *JobFlags) checkOutput() error {
	toFile := j.Stdout != "" || j.Stderr != "" || j.Receipt != ""
	switch {
	case j.PrintManifest && j.PrintJob:
		return j.wrong("--print-manifest and --print-job both want standard output")
	case (j.PrintManifest || j.PrintJob) && toFile:
		return j.wrong("--print-manifest and --print-job run nothing: leave out --stdout, --stderr and --receipt")
	case j.JSON && (j.Stdout != "" || j.Stderr != "" || j.Receipt == "-"):
		return j.wrong("--json puts output and receipt into one document: leave out --stdout, --stderr and --receipt -")
	case j.Receipt == "-" && (j.Stdout == "" || j.Stdout == "-"):
		return j.wrong("--receipt - needs --stdout FILE, or output and receipt would mix")
	}
	return nil
}
