package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"plasm/lib/cli"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/lib/tree"
)

// repeat runs the job again and compares. A *receipt.RefusalError says that it
// came out another way, or that this job cannot be repeated here; any other
// error, that there was no verdict.
func (o *options) repeat(in *cli.Invocation, e *evidence, v *receipt.Verified) error {
	if why := unrepeatable(e, v); why != "" {
		return notRepeatable("%s", why)
	}
	key := identity.Generate() // a throwaway: the rerun's word is for this process alone
	args, err := o.arguments(e, v.Manifest, key)
	if err != nil {
		return err
	}
	ctx, release := in.Signals()
	defer release()
	again, err := e.run(ctx, args, key)
	if err != nil {
		return err
	}
	return o.compare(v, again)
}

func notRepeatable(format string, args ...any) error {
	return &receipt.RefusalError{Reason: receipt.NotRepeatable, Detail: fmt.Sprintf(format, args...)}
}

// unrepeatable says why a job cannot be run again, "" when it can.
func unrepeatable(e *evidence, v *receipt.Verified) string {
	m, o := v.Manifest, v.Outcome
	switch {
	case !e.hasModule:
		return "no module at hand; name it with --module"
	case !e.hasStdin && o.StdinHash != job.EmptyDigest:
		return "the job had input, and none is at hand; name it with --stdin"
	case !m.Deterministic:
		return "it was told not to be deterministic"
	case slices.ContainsFunc(m.Dirs, func(d job.Dir) bool { return !d.Travels() }):
		return "it used folders of the machine that it ran on"
	case accidental(o.Status):
		return "its end was " + string(o.Status) + ", which depends on the machine and the moment"
	}
	for _, d := range m.Dirs { // what is at hand has been held against the manifest
		here := func(f receipt.Folder) bool { return f.Guest == d.Guest }
		if d.Tree != tree.Empty && !slices.ContainsFunc(e.expect.In, here) {
			return "the job had the folder " + d.Guest + ", and it is not at hand; name it with --in PATH::" + d.Guest
		}
	}
	return ""
}

// accidental reports whether an end says more about the machine, or whoever sat
// at it, than about the job.
func accidental(s job.Status) bool {
	switch s {
	case job.Timeout, job.Cancelled, job.OutOfMemory, job.EngineFailed:
		return true
	case job.Exit, job.Trap, job.OutOfFuel, job.OutputLimit:
		return false
	}
	return true
}

// arguments writes manifest and key to the folder and returns plasm-run's
// command line. Limits are only given where they are below the job's own.
func (o *options) arguments(e *evidence, m *job.Manifest, key *identity.Key) ([]string, error) {
	manifest, pem := filepath.Join(e.folder, "manifest.json"), filepath.Join(e.folder, "key.pem")
	if err := os.WriteFile(manifest, m.Encode(), 0o600); err != nil {
		return nil, fileError("temporary file", err)
	}
	if err := os.WriteFile(pem, key.MarshalPEM(), 0o600); err != nil {
		return nil, fileError("temporary file", err)
	}
	args := []string{"--json", "--manifest", manifest, "--key", pem}
	if e.hasStdin {
		args = append(args, "--stdin", filepath.Join(e.folder, stdinFile))
	} else {
		args = append(args, "--no-stdin")
	}
	if m.MemoryMB > o.memory {
		args = append(args, "--memory", strconv.FormatInt(o.memory, 10))
	}
	if m.TimeoutMS > o.timeoutMS {
		args = append(args, "--timeout", strconv.FormatInt(o.timeoutMS, 10)+"ms")
	}
	return append(append(args, o.folders(e, m)...), filepath.Join(e.folder, moduleFile)), nil
}

// folders returns the flags for the folders that the job travels with: it begins with what
// is at hand, and what it leaves goes with everything else of the rerun.
func (o *options) folders(e *evidence, m *job.Manifest) []string {
	outputs := m.Outputs()
	args := make([]string, 0, len(o.ins)+len(o.excludes)+len(outputs))
	for _, in := range o.ins {
		args = append(args, "--in="+in)
	}
	for _, x := range o.excludes {
		args = append(args, "--exclude="+x)
	}
	for i, d := range outputs {
		args = append(args, "--out="+d.Guest+"::"+filepath.Join(e.folder, "out-"+strconv.Itoa(i)))
	}
	return args
}

// compare holds the second run against the first.
func (o *options) compare(v, again *receipt.Verified) error {
	if s := again.Outcome.Status; accidental(s) {
		return notRepeatable("run again, its end was %s", s)
	}
	difference := differs(v, again)
	if difference == "" {
		return nil
	}
	if v.Manifest.MemoryMB > o.memory {
		return notRepeatable("with %d MB of memory instead of %d its %s", o.memory, v.Manifest.MemoryMB, difference)
	}
	if first, second := receipt.Ending(v.Outcome), receipt.Ending(again.Outcome); first == second &&
		!v.Manifest.CanonicalNaN && elsewhere(v, again) {
		difference += "; without canonical_nan the bits of a NaN may differ between engines and kinds of processor"
	}
	return &receipt.RefusalError{Reason: receipt.WrongRerun, Detail: "run again, its " + difference}
}

// elsewhere reports whether two runs had different engines or kinds of processor.
func elsewhere(a, b *receipt.Verified) bool {
	return a.Node.Engine.Name != b.Node.Engine.Name || a.Node.Arch != b.Node.Arch
}

// differs says in what two runs differ, "" for nothing.
func differs(a, b *receipt.Verified) string {
	first, second := receipt.Ending(a.Outcome), receipt.Ending(b.Outcome)
	switch {
	case first != second:
		return fmt.Sprintf("end is %s, not %s", second, first)
	case a.Stdout != b.Stdout:
		return fmt.Sprintf("stdout is %s, not %s", b.Stdout, a.Stdout)
	case a.Stderr != b.Stderr:
		return fmt.Sprintf("stderr is %s, not %s", b.Stderr, a.Stderr)
	case !slices.Equal(a.Outcome.Dirs, b.Outcome.Dirs):
		return folderThatDiffers(a.Outcome.Dirs, b.Outcome.Dirs)
	case fuel(a) != fuel(b):
		return fmt.Sprintf("fuel is %s; it was %s", fuel(b), fuel(a))
	}
	return ""
}

// folderThatDiffers says which folder two runs left unlike each other.
func folderThatDiffers(a, b []job.OutcomeDir) string {
	if len(a) != len(b) {
		return fmt.Sprintf("folders are %d, not %d", len(b), len(a))
	}
	for i := range a {
		if a[i] != b[i] {
			return fmt.Sprintf("folder %s is %s, not %s", b[i].Guest, b[i].Tree, a[i].Tree)
		}
	}
	return ""
}

// fuel is what a run used.
func fuel(v *receipt.Verified) string {
	if v.Outcome.FuelUsed == nil {
		return "not counted"
	}
	return strconv.FormatInt(*v.Outcome.FuelUsed, 10)
}
