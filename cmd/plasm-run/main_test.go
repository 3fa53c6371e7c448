package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"plasm/test/bin"
	"plasm/test/need"
)

// programs is the folder with the commands under test.
var programs = filepath.Join(os.TempDir(), fmt.Sprintf("plasm-run-test-%d", os.Getpid()))

// engines is the folder with the engines that are executables of their own.
var engines = filepath.Join(programs, "engines")

func TestMain(m *testing.M) {
	bin.HeedSignals(func() { os.Exit(1) })
	os.Exit(func() int {
		defer func() { _ = os.RemoveAll(programs) }()
		// Everybody may look in: some tests run the command as somebody else.
		if err := os.Mkdir(programs, 0o755); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if err := bin.Build(context.Background(), programs, "plasm-run", "plasm-verify"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		code := m.Run()
		for deadline := time.After(time.Minute); len(strays()) > 0; {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-deadline:
				fmt.Fprintln(os.Stderr, "processes left behind:", strays())
				return 1
			}
		}
		return code
	}())
}

// strays lists the processes that still run one of the commands under test.
func strays() []string {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	return slices.DeleteFunc(links, func(link string) bool {
		exe, err := os.Readlink(link) // none: the process is gone, or somebody else's
		return err != nil || !strings.HasPrefix(exe, programs+"/")
	})
}

// TestScripts runs the command as its users do.
func TestScripts(t *testing.T) {
	t.Parallel()
	all, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	runScripts(t, all, "")
}

// TestScriptsOnWasmtime runs them once more with the other engine: limits, ends,
// streams, folders, clocks, the cache, signals, all is the same but its name.
func TestScriptsOnWasmtime(t *testing.T) {
	t.Parallel()
	need.Time(t)
	need.Compiler(t)
	if err := errors.Join(os.Mkdir(engines, 0o755), bin.BuildEngines(t.Context(), engines)); err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	aboutEngines := func(name string) bool { return filepath.Base(name) == "unsupported.txtar" }
	runScripts(t, slices.DeleteFunc(all, aboutEngines), engines)
}

// runScripts runs scripts, with the engines in a folder.
func runScripts(t *testing.T, scripts []string, engines string) {
	t.Helper()
	work := filepath.Join(programs, "work-"+rand.Text()) // t.TempDir is for this user alone
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files:               scripts,
		WorkdirRoot:         work,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ENGINE", "wazero")
			if engines != "" {
				env.Setenv("PLASM_ENGINES", engines)
				env.Setenv("ENGINE", "wasmtime")
			}
			return errors.Join(setup(t, env), bin.Shown(env.WorkDir+"/shown"))
		},
		Condition: condition,
		Cmds:      commands,
	})
}

// setup gives a script a user's home of its own, and looks at its end for what
// should not be left there.
func setup(t *testing.T, env *testscript.Env) error {
	t.Helper()
	env.Setenv("PATH", programs+":"+env.Getenv("PATH"))
	env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
	env.Vars = append(env.Vars, bin.Env()...)
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		return err
	}
	env.Setenv("EXAMPLES", examples)
	env.Setenv("SHARED_CACHE", filepath.Join(programs, "cache"))
	env.Defer(func() {
		for _, left := range leftovers(env.WorkDir) {
			t.Errorf("%s: left behind: %s", filepath.Base(env.WorkDir), left)
		}
	})
	return os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700)
}

// leftovers lists temporary files and staging folders below dir.
func leftovers(dir string) []string {
	var left []string
	for _, pattern := range []string{
		".tmp/*", // TMPDIR
		".plasm-*", "*/.plasm-*", "*/*/.plasm-*",
		"home/.local/share/plasm/.key-*",
	} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			found = []string{err.Error()}
		}
		left = append(left, found...)
	}
	_, staged := cached(filepath.Join(dir, "home", ".cache", "plasm", "modules"))
	return append(left, staged...)
}

// cached lists what is in a compile cache: its entries, and the staging folders.
func cached(dir string) (entries, staged []string) {
	all, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range all {
		if key := filepath.Base(name); len(key) == 2*sha256.Size && strings.Trim(key, "0123456789abcdef") == "" {
			entries = append(entries, name)
			continue
		}
		within, _ := filepath.Glob(filepath.Join(name, "*"))
		staged = append(staged, within...)
	}
	return entries, staged
}

// condition is what scripts may ask for: [root], and [mount], which is to be
// allowed to mount.
func condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "mount":
		return need.MayMount(), nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}
