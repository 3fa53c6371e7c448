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
	"plasm/test/guest"
)

func TestMain(m *testing.M) {
	bin.HeedSignals(func() { os.Exit(1) })
	testscript.Main(m, map[string]func(){"plasm-submit": main})
}

// TestScripts runs the command as its users do, against nodes of the test's own:
// what they run is what hello.wasm does, and does in no time.
func TestScripts(t *testing.T) {
	t.Parallel()
	module, err := guest.Module("exit-0")
	if err != nil {
		t.Fatal(err)
	}
	verify := t.TempDir()
	if err := bin.Build(t.Context(), verify, "plasm-verify"); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir+"/home")
			env.Setenv("PATH", verify+":"+env.Getenv("PATH"))
			env.Setenv("RUNTIME_DIRECTORY", env.WorkDir+"/run")
			v := &fakeNodes{}
			env.Values[fakeNodesKey{}] = v
			env.Defer(v.close)
			return errors.Join(os.MkdirAll(env.WorkDir+"/home", 0o700),
				os.WriteFile(env.WorkDir+"/job.wasm", module, 0o600), bin.Shown(env.WorkDir+"/shown"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "node": node, "refused": refusedWith, "offers": offers,
		},
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

// refused CODE [NAME REASON]… checks that stdout has just one error document, with
// that code, and for each of these nodes and no other a reason.
func refusedWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args)%2 != 1 {
		ts.Fatalf("usage: refused CODE [NAME REASON]...")
	}
	e, err := job.DecodeError([]byte(ts.ReadFile("stdout")))
	if err != nil {
		ts.Fatalf("%v", err)
	}
	want := map[string]string{}
	for i := 1; i < len(args); i += 2 {
		want[ts.Getenv(args[i]+"_ID")] = args[i+1]
	}
	if string(e.Code) != args[0] || len(e.Nodes) != len(want) {
		ts.Fatalf("%s: %v %+v", e.Code, e, e.Nodes)
	}
	for _, n := range e.Nodes {
		if want[n.PeerID] != string(n.Rejection.Code) {
			ts.Fatalf("%+v", n)
		}
	}
}

// TestUsage holds that help fits on a terminal.
func TestUsage(t *testing.T) {
	t.Parallel()
	help := newOptions(&cli.Invocation{Getenv: func(string) string { return "" }}).flags.Help()
	for line := range strings.SplitSeq(help, "\n") {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("a line of %d characters: %s", utf8.RuneCountInString(line), line)
		}
	}
}

func TestQuoted(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"/home/u/.config/plasm/trust": "/home/u/.config/plasm/trust",
		"a b":                         "'a b'",
		"it's":                        `'it'\''s'`,
		"-x":                          "'-x'",
		"$HOME":                       "'$HOME'",
	} {
		if got := quoted(file); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
}
