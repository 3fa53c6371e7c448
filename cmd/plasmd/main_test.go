package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"plasm/test/bin"
	"plasm/test/need"
)

// programs is the folder with the commands under test.
var programs = filepath.Join(os.TempDir(), fmt.Sprintf("plasmd-test-%d", os.Getpid()))

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == bareArgument {
		os.Exit(bareWorker(os.Args[2:]))
	}
	bin.HeedSignals(func() { os.Exit(1) })
	os.Exit(func() int {
		defer func() { _ = os.RemoveAll(programs) }()
		// Everybody may look in: some tests run the command as somebody else.
		if err := os.Mkdir(programs, 0o755); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if err := bin.Build(context.Background(), programs, "plasmd", "plasm-run", "plasm-submit"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// TestScripts runs the command as its users do.
func TestScripts(t *testing.T) {
	t.Parallel()
	// Short, as the path of a socket must be, and for everybody to look in.
	work := filepath.Join(programs, "w"+rand.Text()[:6])
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		WorkdirRoot:         work,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               func(env *testscript.Env) error { return setup(t, env) },
		Condition:           condition,
		Cmds:                scriptCommands,
	})
}

// setup gives a script the environment of a service: folders of its own, so that
// no node of this machine's is met.
func setup(t *testing.T, env *testscript.Env) error {
	t.Helper()
	env.Setenv("PATH", programs+":"+env.Getenv("PATH"))
	env.Setenv("PROGRAMS", programs)
	packaged, err := filepath.Abs("../../packaging")
	if err != nil {
		return err
	}
	env.Setenv("PACKAGED", packaged)
	env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
	env.Setenv("STATE_DIRECTORY", filepath.Join(env.WorkDir, "state"))
	env.Setenv("RUNTIME_DIRECTORY", filepath.Join(env.WorkDir, "run"))
	env.Vars = append(env.Vars, bin.Env()...)
	env.Values[nodesKey{}] = &nodes{running: map[string]*daemon{}}
	env.Defer(func() {
		for _, left := range leftovers(env.WorkDir) {
			t.Errorf("%s: left behind: %s", filepath.Base(env.WorkDir), left)
		}
	})
	if err := bareScript(env.WorkDir); err != nil {
		return err
	}
	return os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700)
}

// leftovers lists temporary files below dir.
func leftovers(dir string) []string {
	var left []string
	for _, pattern := range []string{"*/.allow-*", "*/.key-*", "*/.addrs-*", "*/.s[0-9]*", ".tmp/*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			found = []string{err.Error()}
		}
		left = append(left, found...)
	}
	return left
}

// condition is what scripts may ask for.
func condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "mount":
		return need.MayMount(), nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// What stands on stdout are addresses: without a network there are none, and no line.
func TestLines(t *testing.T) {
	t.Parallel()
	for want, values := range map[string][]string{"": nil, "a\n": {"a"}, "a\nb\n": {"a", "b"}} {
		if got := string(lines(values)); got != want {
			t.Errorf("%q: %q, want %q", values, got, want)
		}
	}
}
