package receipt

import (
	"slices"
	"strconv"
	"strings"

	"plasm/lib/job"
)

// Content is what the caller has of a stream: its digest and length, so that a
// stream of any size can be compared.
type Content struct {
	Digest job.Digest
	Bytes  int64
}

// Folder is a folder of the guest's, and the tree that the caller has of it.
type Folder struct {
	Guest string
	Tree  job.Digest
}

// Expect is what the caller knows about a job, and wants a receipt to be about.
// The zero value asks for nothing.
type Expect struct {
	Module    job.Digest    // "" when not asked
	Manifest  *job.Manifest // nil when not asked; without an ID it is one of any
	Stdin     []Content     // each must be what the program was given
	Stdout    []Content     // each must be what it wrote
	Stderr    []Content
	In        []Folder     // each must be what a travelling folder of the manifest began as
	Out       []Folder     // each must be what the program has left in a travelling folder
	Carried   []job.Digest // trees that came with the receipt: each must be what is left in some folder
	Guards    []string     // each must have been active
	ExitCodes []uint32     // the job must have ended by itself, with one of these; empty when not asked
}

// Asks reports whether e wants the check of reason, one of those from
// WrongModule to WrongOutcome.
func (e *Expect) Asks(reason Reason) bool {
	switch reason {
	case WrongModule:
		return e.Module != ""
	case WrongManifest:
		return e.Manifest != nil
	case WrongStdin:
		return len(e.Stdin) > 0
	case WrongStdout:
		return len(e.Stdout) > 0
	case WrongStderr:
		return len(e.Stderr) > 0
	case WrongDirs:
		return len(e.In)+len(e.Out)+len(e.Carried) > 0
	case MissingGuards:
		return len(e.Guards) > 0
	case WrongOutcome:
		return len(e.ExitCodes) > 0
	default:
		return false
	}
}

// Check compares a verified statement with what the caller has, in the order
// from WrongModule to WrongOutcome. An error is a *RefusalError.
func (v *Verified) Check(e *Expect) error {
	m, o := v.Manifest, v.Outcome
	if e.Module != "" && e.Module != m.ModuleHash {
		return refuse(WrongModule, "the receipt is about %s, this is %s", m.ModuleHash, e.Module)
	}
	if e.Manifest != nil {
		want := *e.Manifest
		if want.ID == "" {
			want.ID = m.ID
		}
		if !want.Equal(m) {
			return refuse(WrongManifest, "the receipt is about another one: %s differs", want.Difference(m))
		}
	}
	for _, c := range e.Stdin {
		if m.StdinHash != "" && c.Digest != m.StdinHash {
			return refuse(WrongStdin, "the manifest has %s, this is %s", m.StdinHash, c.Digest)
		}
		if err := compare(WrongStdin, c, Content{o.StdinHash, o.StdinBytes}); err != nil {
			return err
		}
	}
	for _, c := range e.Stdout {
		if err := compare(WrongStdout, c, Content{v.Stdout, o.StdoutBytes}); err != nil {
			return err
		}
	}
	for _, c := range e.Stderr {
		if err := compare(WrongStderr, c, Content{v.Stderr, o.StderrBytes}); err != nil {
			return err
		}
	}
	if err := v.checkDirs(e); err != nil {
		return err
	}
	for _, g := range e.Guards {
		if !slices.Contains(v.Node.Guards, g) {
			return refuse(MissingGuards, "%s was not active, but %s", g, list(v.Node.Guards))
		}
	}
	if len(e.ExitCodes) > 0 && (o.Status != job.Exit || !slices.Contains(e.ExitCodes, *o.ExitCode)) {
		return refuse(WrongOutcome, "%s, not %s", Ending(o), anyExit(e.ExitCodes))
	}
	return nil
}

// checkDirs compares folders with those that were signed.
func (v *Verified) checkDirs(e *Expect) error {
	began, left := map[string]job.Digest{}, map[string]job.Digest{}
	for _, d := range v.Manifest.Dirs {
		if d.Travels() {
			began[d.Guest] = d.Tree
		}
	}
	for _, d := range v.Outcome.Dirs {
		left[d.Guest] = d.Tree
	}
	for _, f := range e.In {
		if err := compareTree(f, began, "began as"); err != nil {
			return err
		}
	}
	for _, f := range e.Out {
		if err := compareTree(f, left, "ended as"); err != nil {
			return err
		}
	}
	for _, tree := range e.Carried {
		if !slices.ContainsFunc(v.Outcome.Dirs, func(d job.OutcomeDir) bool { return d.Tree == tree }) {
			return refuse(WrongDirs, "no folder ended as the tree %s that came with it", tree)
		}
	}
	return nil
}

// compareTree refuses a folder that is not the one signed.
func compareTree(f Folder, signed map[string]job.Digest, was string) error {
	tree, ok := signed[f.Guest]
	switch {
	case !ok:
		return refuse(WrongDirs, "the receipt does not say what %s %s", job.Quote(f.Guest), was)
	case tree != f.Tree:
		return refuse(WrongDirs, "%s %s %s, this is %s", job.Quote(f.Guest), was, tree, f.Tree)
	}
	return nil
}

// compare refuses a stream that is not the one signed.
func compare(reason Reason, have, signed Content) error {
	if have.Digest != signed.Digest {
		return refuse(reason, "the receipt is about %s, this is %s", signed.Digest, have.Digest)
	}
	if have.Bytes != signed.Bytes {
		return refuse(reason, "the receipt is about %d bytes, these are %d", signed.Bytes, have.Bytes)
	}
	return nil
}

// Ending says in a word or two how a job ended: "exit 0", "trap unreachable",
// "timeout".
func Ending(o *job.Outcome) string {
	switch {
	case o.ExitCode != nil:
		return string(o.Status) + " " + strconv.FormatUint(uint64(*o.ExitCode), 10)
	case o.Trap != "":
		return string(o.Status) + " " + o.Trap
	}
	return string(o.Status)
}

// anyExit is the exits that would have done.
func anyExit(codes []uint32) string {
	words := make([]string, len(codes))
	for i, c := range codes {
		words[i] = strconv.FormatUint(uint64(c), 10)
	}
	return "exit " + strings.Join(words, " or ")
}

// list is what was active, in a message.
func list(guards []string) string {
	if len(guards) == 0 {
		return "none"
	}
	return strings.Join(guards, ", ")
}
