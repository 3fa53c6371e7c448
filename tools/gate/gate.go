package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// stage is a part of what is checked.
type stage struct {
	name    string
	command string // for sh, in the repository's root
	needs   []need
	// without is run where a need is not there, with less than command would check.
	without string
}

// gate runs stages and keeps account.
type gate struct {
	stages []stage
	strict bool
	logs   string // folder
	out    io.Writer

	used    time.Duration // by the last stage, of all processors
	sum     result
	ran     int
	omitted []string
	failed  []string // stages
}

func (g *gate) say(format string, args ...any) { _, _ = fmt.Fprintf(g.out, format, args...) }

// run runs all stages, also after one that has failed, and returns an exit code.
func (g *gate) run(ctx context.Context) int {
	began := time.Now()
	if err := errors.Join(os.RemoveAll(g.logs), os.MkdirAll(g.logs, 0o750)); err != nil {
		g.say("gate: %v\n", err)
		return 1
	}
	for i, s := range g.stages {
		if ctx.Err() != nil {
			g.sum.Failed = append(g.sum.Failed, failure{Name: s.name, Output: "the gate was interrupted\n"})
			g.failed = append(g.failed, s.name)
			break
		}
		g.say("[%d/%d] %s\n", i+1, len(g.stages), s.name)
		before := len(g.sum.Failed)
		g.stage(ctx, s)
		if len(g.sum.Failed) > before {
			g.failed = append(g.failed, s.name)
		}
	}
	return g.end(time.Since(began))
}

// stage runs one, as far as this machine can.
func (g *gate) stage(ctx context.Context, s stage) {
	command := s.command
	if missing := unmet(s.needs); missing != "" {
		g.omit(s, missing)
		command = s.without
	}
	if command == "" {
		return
	}
	g.ran++
	before, began := len(g.sum.Failed), time.Now()
	r, err := g.execute(ctx, s.name, command)
	if err != nil && len(r.Failed) == 0 {
		r.Failed = []failure{{Name: s.name, Output: err.Error() + "\n", Command: command}}
	}
	g.sum.add(r)
	if g.strict {
		for _, reason := range slices.Sorted(maps.Keys(r.Skipped)) {
			g.sum.Failed = append(g.sum.Failed, failure{
				Name: s.name, Command: "make deps",
				Output: fmt.Sprintf("%d tests skipped, where nothing may be: %s\n", r.Skipped[reason], reason),
			})
		}
	}
	verdict := "ok"
	if len(g.sum.Failed) > before {
		verdict = "failed"
	}
	g.say("      %s: %s, %.0f s, %.0f s of processors\n", s.name, verdict, time.Since(began).Seconds(),
		g.used.Seconds())
}

// omit keeps account of what a stage cannot do here.
func (g *gate) omit(s stage, missing string) {
	what := s.name
	if s.without != "" {
		what = "part of " + s.name
	}
	g.say("      left out: %s: %s\n", what, missing)
	g.omitted = append(g.omitted, what+": "+missing)
	if g.strict {
		g.sum.Failed = append(g.sum.Failed, failure{
			Name: s.name, Command: "make deps", Output: fmt.Sprintf("left out, where nothing may be: %s\n", missing),
		})
	}
}

// quiet is for sh: a make that does not say in which folder it is.
const quiet = `make() { command make --no-print-directory "$@"; }
`

// execute runs a command, with its output in a file and on the screen.
func (g *gate) execute(ctx context.Context, name, command string) (result, error) {
	log, err := os.Create(filepath.Join(g.logs, name+".log"))
	if err != nil {
		return result{}, err
	}
	defer func() { _ = log.Close() }()
	results, err := filepath.Abs(filepath.Join(g.logs, name))
	if err == nil {
		err = os.Mkdir(results, 0o750)
	}
	if err != nil {
		return result{}, err
	}
	cmd := exec.CommandContext(ctx, "sh", "-euc", quiet+command)
	cmd.Env = append(os.Environ(), resultsVariable+"="+results)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	both := io.MultiWriter(log, g.out)
	cmd.Stdout, cmd.Stderr = both, both
	failed := cmd.Run()
	g.used = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	r, err := readResults(results)
	if err != nil {
		return r, err
	}
	if failed != nil && len(r.Failed) == 0 { // no test, but the stage itself
		said, err := os.ReadFile(log.Name())
		if err != nil {
			return r, err
		}
		r.Failed = []failure{{Name: name, Output: fmt.Sprintf("%s%v\n", said, failed), Command: command}}
	}
	return r, failed
}

// end prints what came of it all, the failed tests last but for a few lines, and returns
// the exit code.
func (g *gate) end(took time.Duration) int {
	for _, what := range g.omitted {
		g.say("left out: %s\n", what)
	}
	g.sum.report(g.out)
	if len(g.failed) > 0 {
		g.say("failed stages: %s\n", strings.Join(g.failed, ", "))
	}
	g.say("gate: %d of %d stages, %d tests, %d failed, %d skipped%s, %.1f minutes\n", g.ran, len(g.stages),
		g.sum.Passed+len(g.sum.Failed)+g.sum.skipped(), len(g.sum.Failed), g.sum.skipped(), g.reasons(), took.Minutes())
	if len(g.sum.Failed) > 0 {
		return 1
	}
	return 0
}

// reasons are why something was left out, in brackets.
func (g *gate) reasons() string {
	all := slices.Clone(g.omitted)
	for _, reason := range slices.Sorted(maps.Keys(g.sum.Skipped)) {
		all = append(all, fmt.Sprintf("%d tests: %s", g.sum.Skipped[reason], reason))
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, "; ") + ")"
}

// report prints the failed tests' own output, how to run each again, and the sum.
func (r *result) report(out io.Writer) {
	for reason, n := range r.Skipped {
		_, _ = fmt.Fprintf(out, "skipped: %d tests: %s\n", n, reason)
	}
	for _, f := range r.Failed {
		_, _ = fmt.Fprintf(out, "\nfailed: %s\n%s\n", f.Name, f.Output)
		if f.Command != "" {
			_, _ = fmt.Fprintf(out, "again: %s\n", f.Command)
		}
	}
	_, _ = fmt.Fprintf(out, "tests: %d passed, %d failed, %d skipped\n", r.Passed, len(r.Failed), r.skipped())
}
