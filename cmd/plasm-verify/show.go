package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"plasm/lib/cli"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// showVerified writes what a receipt says, for people. It is verified.
func (o *options) showVerified(w io.Writer, v *verdict, s *receipt.Statement) error {
	var b bytes.Buffer
	if v.Index > 0 {
		field(&b, "item", strings.TrimSpace(fmt.Sprintf("%d %s", v.Index, plain(v.Label))))
	}
	how := "signed by " + o.names.Shown(v.Signer)
	if o.quorum > 0 {
		how += fmt.Sprintf(", and %d trusted signers agree", o.quorum)
	}
	field(&b, "verified", how)
	o.showStatement(&b, s)
	if v.Index > 0 {
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

// showUnverified writes the same to stderr, of a receipt that was refused: each line says
// that it is not verified.
func (o *options) showUnverified(stderr io.Writer, v *verdict, s *receipt.Statement) {
	var b bytes.Buffer
	o.showStatement(&b, s)
	for line := range strings.Lines(b.String()) {
		_, _ = fmt.Fprintf(stderr, "%s: not verified: %s", v.about(), line)
	}
}

// showStatement writes a line about each part of a statement. Nothing of it holds a
// control character, or another that a terminal doesn't show.
func (o *options) showStatement(b *bytes.Buffer, s *receipt.Statement) {
	m, out := s.Manifest, s.Outcome
	field(b, "outcome", receipt.Ending(out))
	field(b, "node", o.peer(s.Node.PeerID))
	field(b, "runs", fmt.Sprintf("plasm %s, %s/%s, engine %s %s",
		plain(s.Node.Version), plain(s.Node.OS), plain(s.Node.Arch), plain(s.Node.Engine.Name),
		plain(s.Node.Engine.Version)))
	field(b, "requester", o.peer(s.Requester))
	field(b, "job", m.ID)
	field(b, "module", string(m.ModuleHash))
	field(b, "arguments", plains(m.Args))
	env := make([]string, 0, len(m.Env))
	for _, k := range slices.Sorted(maps.Keys(m.Env)) {
		env = append(env, k+"="+m.Env[k])
	}
	field(b, "environment", plains(env))
	field(b, "stdin", input(m, out))
	field(b, "stdout", fmt.Sprintf("%s, %s", job.Roughly(out.StdoutBytes), s.Stdout))
	field(b, "stderr", fmt.Sprintf("%s, %s", job.Roughly(out.StderrBytes), s.Stderr))
	if out.Truncated {
		field(b, "cut", "the output is not whole")
	}
	folders(b, m, out)
	field(b, "limits", limits(m))
	field(b, "run", running(m))
	field(b, "times", fmt.Sprintf("ran %s, processor %s, %s", job.Micros(out.WallTimeUS), job.Micros(out.CPUTimeUS),
		compiled(out)))
	field(b, "memory", job.Roughly(out.MemoryBytes))
	if out.FuelUsed != nil {
		field(b, "fuel", fmt.Sprintf("%d used", *out.FuelUsed))
	}
	field(b, "started", job.FormatTime(s.StartedAt))
	field(b, "finished", job.FormatTime(s.FinishedAt))
	field(b, "guards", plains(s.Node.Guards))
}

// field writes a line.
func field(b *bytes.Buffer, label, text string) {
	fmt.Fprintf(b, "%-12s %s\n", label, cli.OneLine(text))
}

// peer is a whole peer ID and the name that the user has given it.
func (o *options) peer(id string) string {
	switch name := o.names.Name(id); {
	case id == "":
		return "not told"
	case name != "":
		return id + " (" + name + ")"
	}
	return id
}

// plain is a text as it is, or quoted where it would be taken for something else.
func plain(text string) string {
	quoted := strconv.Quote(text)
	if quoted != `"`+text+`"` || strings.Contains(text, " ") {
		return quoted
	}
	return text
}

// plains are texts in a row; an empty one is quoted, so that it is seen.
func plains(texts []string) string {
	if len(texts) == 0 {
		return "none"
	}
	shown := make([]string, len(texts))
	for i, text := range texts {
		shown[i] = plain(text)
		if text == "" {
			shown[i] = `""`
		}
	}
	return strings.Join(shown, " ")
}

// input is what the program had on its standard input.
func input(m *job.Manifest, o *job.Outcome) string {
	text := fmt.Sprintf("%s, %s", job.Roughly(o.StdinBytes), o.StdinHash)
	if m.StdinHash == "" {
		text += ", not named by the requester"
	}
	if !o.StdinComplete {
		text += ", without its end"
	}
	return text
}

// folders writes a line about each folder of the job.
func folders(b *bytes.Buffer, m *job.Manifest, o *job.Outcome) {
	for _, d := range m.Dirs {
		switch {
		case d.Tree == "":
			field(b, "folder", plain(d.Guest)+": a live folder of the node, of which the receipt says nothing")
		case d.ReadOnly:
			field(b, "folder", fmt.Sprintf("%s: read-only, %s", plain(d.Guest), d.Tree))
		default:
			left := "what it was left as is not known"
			if i := slices.IndexFunc(o.Dirs, func(l job.OutcomeDir) bool { return l.Guest == d.Guest }); i >= 0 {
				l := o.Dirs[i]
				left = fmt.Sprintf("left as %s, files: %d, %s", l.Tree, l.Files, job.Roughly(l.Bytes))
			}
			field(b, "folder", fmt.Sprintf("%s: began as %s, %s", plain(d.Guest), d.Tree, left))
		}
	}
}

// limits are what the requester gave the program at most.
func limits(m *job.Manifest) string {
	text := fmt.Sprintf("time %s, memory %s, output %s",
		job.Span(m.TimeoutMS), job.Amount(m.MemoryMB<<20), job.Amount(m.OutputLimitBytes))
	if m.Fuel > 0 {
		text += fmt.Sprintf(", fuel %d", m.Fuel)
	}
	if slices.ContainsFunc(m.Dirs, func(d job.Dir) bool { return d.Tree != "" && !d.ReadOnly }) {
		text += ", disk " + job.Amount(m.DiskMB<<20)
	}
	return text
}

// running is what the requester said about how to run it.
func running(m *job.Manifest) string {
	text := "not deterministic"
	if m.Deterministic {
		text = fmt.Sprintf("deterministic, seed %d", m.Seed)
	}
	if m.CanonicalNaN {
		text += ", canonical NaNs"
	}
	if m.CPUCores > 1 {
		text += fmt.Sprintf(", on %d cores or more", m.CPUCores)
	}
	if m.Arch != "" {
		text += ", on " + plain(m.Arch)
	}
	if m.Engine != "" {
		text += ", by " + plain(m.Engine)
	}
	return text
}

// compiled is what became of compiling the module.
func compiled(o *job.Outcome) string {
	if o.CompileCached {
		return "compiled before"
	}
	return "compiled in " + job.Micros(o.CompileTimeUS)
}
