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
	wall, cpu, memory := job.Micros(o.WallTimeUS), job.Micros(o.CPUTimeUS), job.Roughly(o.MemoryBytes)
	return fmt.Sprintf("%s, %s, in %s (processor %s), memory %s, %s%s; job %s",
		how, where, wall, cpu, memory, compiled, came(o.Dirs), m.ID)
}

// came says how many files a job has left in folders that travel.
func came(dirs []job.OutcomeDir) string {
	if len(dirs) == 0 {
		return ""
	}
	var files, size int64
	for _, d := range dirs {
		files += d.Files
		size += d.Bytes
	}
	noun := "files"
	if files == 1 {
		noun = "file"
	}
	return fmt.Sprintf(", %d %s (%s) came out", files, noun, job.Roughly(size))
}
