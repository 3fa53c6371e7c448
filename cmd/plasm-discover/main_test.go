package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"

	"plasm/lib/cli"
	"plasm/lib/job"
	"plasm/test/bin"
)

func TestMain(m *testing.M) {
	bin.HeedSignals(func() { os.Exit(1) })
	testscript.Main(m, map[string]func(){"plasm-discover": main})
}

// TestScripts runs the command as its users do.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir+"/home")
			env.Setenv("RUNTIME_DIRECTORY", env.WorkDir+"/run")
			v := &fakeNodes{}
			env.Values[fakeNodesKey{}] = v
			env.Defer(v.close)
			return errors.Join(os.MkdirAll(env.WorkDir+"/home", 0o700), bin.Shown(env.WorkDir+"/shown"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "node": node, "nodes": nodes},
	})
}

// exits CODE PROGRAM [ARG…] runs a program that must end with exactly that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// nodes [NAME…] checks that what was just written to stdout is one node document
// a line, of exactly these nodes in any order.
func nodes(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: nodes [NAME...]")
	}
	want := map[string]bool{}
	for _, name := range args {
		want[ts.Getenv(name+"_ID")] = true
	}
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		n, err := job.DecodeNode([]byte(strings.TrimSuffix(line, "\n")))
		switch {
		case err != nil:
			ts.Fatalf("%v: %s", err, line)
		case !want[n.PeerID]:
			ts.Fatalf("a node that should not be there: %s", line)
		case n.RTTUS == 0:
			ts.Fatalf("no rtt_us: %s", line)
		}
		delete(want, n.PeerID)
	}
	for id := range want {
		ts.Fatalf("not found: %s", id)
	}
}

// TestUsage holds that help fits on a terminal.
func TestUsage(t *testing.T) {
	t.Parallel()
	help := newOptions(&cli.Invocation{Getenv: func(string) string { return "" }}).flags.Help()
	for line := range strings.SplitSeq(help, "\n") {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
	}
}
