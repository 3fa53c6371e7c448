package cli

import (
	"fmt"
	"io"
	"strings"

	"plasm/lib/job"
)

// Closing says on a terminal, in a line, how a job ended and what it took, unless --quiet
// is given: it is for people. where is what they call the place that it ran at. It stands
// behind all output, on a line of its own.
func (o *Outputs) Closing(name, where string, m *job.Manifest, outcome *job.Outcome) {
	if o.flags.Quiet || !IsTerminal(o.in.Stderr) {
		return
	}
	for _, w := range []io.Writer{o.Stdout, o.Stderr} {
		if s, ok := w.(stream); ok && s.broken() {
			_, _ = io.WriteString(o.in.Stderr, "\n")
			break
		}
	}
	_, _ = fmt.Fprintf(o.in.Stderr, "%s: %s\n", name, OneLine(closing(where, m, outcome)))
}

// closing is the line.
func closing(where string, m *job.Manifest, o *job.Outcome) string {
	how := strings.TrimSpace(string(o.Status) + " " + o.Trap)
	if o.ExitCode != nil {
		how = fmt.Sprintf("%s %d", o.Status, *o.ExitCode)
	}
	compiled := "compiled in " + job.Micros(o.CompileTimeUS)
	if o.CompileCached {
		compiled = "compiled before"
	}
	return fmt.Sprintf("%s, %s, in %s (processor %s), memory %s, %s; job %s",
		how, where, job.Micros(o.WallTimeUS), job.Micros(o.CPUTimeUS), job.Roughly(o.MemoryBytes), compiled, m.ID)
}
