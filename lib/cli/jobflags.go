package cli

import (
	"cmp"
	"strconv"
	"strings"

	"plasm/lib/batch"
	"plasm/lib/job"
)

// JobFlags are the flags that describe a job, its input and its output: the
// words that plasm-run and plasm-submit share.
type JobFlags struct {
	flags *Flags

	Manifest, Job         string
	memory, timeout, fuel int64
	outputLimit, seed     int64
	disk                  int64
	deterministic, nan    bool
	env                   []string

	Stdin, Stdout, Stderr, Receipt string
	NoStdin                        bool
	JSON, PrintManifest, PrintJob  bool
	Key                            string
	Results                        string  // the folder of results that are used again; "": none
	ResultsKeep                    Keep    // how much of it
	Travel                         *Travel // folders that travel with the job; nil: the command has none
	Identity                       bool    // print the key's peer ID and stop
	Quiet                          bool    // no closing line

	seedText string // --seed with a placeholder of a batch in it; "": it is a number
	spooled  int    // bytes of each stream that --json holds in memory; 0: what a Spool does
}

// The categories of flags that plasm-run and plasm-submit share.
const (
	TheJob      = "The job"
	TheInput    = "Input"
	TheOutput   = "Output"
	ThisMachine = "This machine"
)

// JobNotes are the notes to the flags that AddJobFlags adds.
func JobNotes() map[string]string {
	return map[string]string{
		TheJob: "ARG and --env are written into the receipt: pass secrets on stdin, of which only a digest is kept.",
	}
}

// ModuleCompletion is what MODULE is completed to.
func ModuleCompletion() Completion { return FileLike(".wasm") }

// AddJobFlags adds them to a flag set. signs says what the key is for.
func AddJobFlags(f *Flags, signs string) *JobFlags {
	j := &JobFlags{flags: f, deterministic: true}
	j.addJob(f)
	j.addStreams(f)
	f.Path(&j.Key, Flag{
		Name: "key", Category: ThisMachine, Value: "FILE", Variables: []string{"PLASM_KEY"},
		Default: "$XDG_DATA_HOME/plasm/key.pem",
		Usage:   signs + ", made if it is not there", Complete: FileLike(".pem"),
	})
	f.Switch(&j.Quiet, Flag{
		Name: "quiet", Category: ThisMachine,
		Usage: "no closing line, which a terminal gets for a job, and stderr for a batch",
	})
	f.Switch(&j.Identity, Flag{
		Name: "identity", Category: ThisMachine, Usage: "print the key's peer ID and stop",
		More: "The key is made if it is not there.",
	})
	return j
}

// addJob adds the flags that describe the job.
func (j *JobFlags) addJob(f *Flags) {
	f.Path(&j.Manifest, Flag{
		Name: "manifest", Category: TheJob, Value: "FILE", Usage: "take the job from this manifest; flags override it",
		More:     "At most 256 KiB; `id` and `module_hash` may be absent.",
		Complete: FileLike(".json"),
	})
	f.Path(&j.Job, Flag{
		Name: "job", Category: TheJob, Value: "FILE|-", Usage: "take manifest, module and input from this job document",
		More: "At most 1 GiB.", Complete: FileLike(".json"),
	})
	f.Amount(&j.memory, MiB, 1, job.MaxMemoryMB, Flag{
		Name: "memory", Category: TheJob, Value: "MB", Default: "256M",
		Usage: "linear memory in MiB, or with its unit: 64M, 1GiB",
		More:  "1 MiB to 4 GiB.",
	})
	f.Millis(&j.timeout, job.MaxTimeout, Flag{
		Name: "timeout", Category: TheJob, Value: "DUR", Default: "1m",
		Usage: "wall time of the program, as 500ms, 5s, 2m",
		More:  "Whole milliseconds, `1ms` to `168h`; it goes on while Ctrl-Z has stopped the command and the program.",
	})
	f.Whole(&j.fuel, 1, job.MaxSafeInt, Flag{
		Name: "fuel", Category: TheJob, Value: "N",
		Usage: "stop when this much is used (plasm-fuel/1, about one an instruction)",
		More: "1 to 2^53−1; without it fuel is not counted. The count is the same on every engine and processor; " +
			"deep recursion is then a trap at the same depth everywhere.",
	})
	f.Amount(&j.outputLimit, Byte, 0, job.MaxSafeInt, Flag{
		Name: "output-limit", Category: TheJob, Value: "BYTES", Default: "16M",
		Usage: "stdout and stderr together, in bytes or with a unit",
		More:  "0 to 2^53−1 bytes.",
	})
	f.List(&j.env, Flag{
		Name: "env", Category: TheJob, Value: "NAME=VALUE", Usage: "set a variable, beside the manifest's",
	})
	f.Switch(&j.deterministic, Flag{
		Name: "deterministic", Category: TheJob,
		Usage: "real clock, sleep and random numbers. By default random numbers are predictable: " +
			"make no keys or tokens",
	})
	f.define(Flag{
		Name: "seed", Category: TheJob, Value: "N", Usage: "of the predictable random numbers", More: "0 to 2^53−1.",
	}, Number, seed{j})
	f.Switch(&j.nan, Flag{
		Name: "canonical-nan", Category: TheJob, Usage: "the same NaN bits everywhere, at a cost",
		More: "Every NaN that an operation makes has the same bits on every processor.",
	})
}

// addStreams adds the flags that say where input comes from and where output goes.
func (j *JobFlags) addStreams(f *Flags) {
	f.Path(&j.Stdin, Flag{
		Name: "stdin", Category: TheInput, Value: "FILE", Usage: "input, instead of the command's own stdin",
		Complete: AnyFile(),
	})
	f.Switch(&j.NoStdin, Flag{Name: "no-stdin", Short: "n", Category: TheInput, Usage: "no input"})
	f.Path(&j.Stdout, Flag{
		Name: "stdout", Category: TheOutput, Value: "FILE",
		Usage: "where output goes, instead of the command's own stdout", Complete: AnyFile(),
	})
	f.Path(&j.Stderr, Flag{
		Name: "stderr", Category: TheOutput, Value: "FILE", Usage: "the same for stderr",
		Complete: AnyFile(),
	})
	f.Path(&j.Receipt, Flag{
		Name: "receipt", Category: TheOutput, Value: "FILE|-", Usage: "write the receipt (- needs --stdout FILE)",
		More:     "One line.",
		Complete: FileLike(".json"),
	})
	f.Switch(&j.JSON, Flag{
		Name: jsonFlag, Category: TheOutput, Usage: "write one document: receipt and output, or the error",
		More: "Excludes `--stdout`, `--stderr` and `--receipt -`. The document takes 767 MiB of output; more ends " +
			"the job as `cancelled`.",
	})
	f.Switch(&j.PrintManifest, Flag{
		Name: "print-manifest", Category: TheOutput, Usage: "write the manifest and stop",
		More: "Nothing runs. Excludes the flags that name files, and so does `--print-job`.",
	})
	f.Switch(&j.PrintJob, Flag{
		Name: "print-job", Category: TheOutput, Usage: "write the job document and stop",
		More: "Input is read to its end first, so it always has a `stdin_hash`.",
	})
	j.addResults(f)
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
	return j.CheckOutput()
}

// Env returns --env as it was given.
func (j *JobFlags) Env() []string { return j.env }

// SeedText returns a --seed that has a placeholder of a batch in it, or "".
func (j *JobFlags) SeedText() string { return j.seedText }

// seed is the value of --seed: a number, or in a batch what makes one of a line.
type seed struct{ into *JobFlags }

func (s seed) String() string { return cmp.Or(s.into.seedText, strconv.FormatInt(s.into.seed, 10)) }

func (s seed) Set(text string) error {
	if batch.HasPlaceholder(text) {
		s.into.seedText = text
		return nil
	}
	s.into.seedText = ""
	return whole{&s.into.seed, 0, job.MaxSafeInt}.Set(text)
}

func (j *JobFlags) wrong(format string, args ...any) error {
	return j.flags.usage(format, args...)
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
		return j.wrong("--stdin - beside --job %s: the program gets the document's input, or that of --stdin FILE",
			j.Job)
	}
	return nil
}

// CheckOutput refuses flags about output that contradict each other.
func (j *JobFlags) CheckOutput() error {
	toFile := j.Stdout != "" || j.Stderr != "" || j.Receipt != ""
	switch {
	case j.Results == "" && j.ResultsKeep != Keep{}:
		return j.wrong("--results-keep needs --results DIR")
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
