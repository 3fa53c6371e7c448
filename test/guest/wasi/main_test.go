//go:build linux

package wasi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"plasm/test/bin"
	"plasm/test/need"
)

// builtDir is where TestMain has put the commands, and where a user lives that all tests
// share: a module is compiled once.
var builtDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if builtDir, err = os.MkdirTemp("", "wasi-test-"); err == nil {
			defer func() { _ = os.RemoveAll(builtDir) }()
			err = bin.Build(context.Background(), builtDir, "plasm-run")
		}
		if err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

var buildEngines = sync.OnceValue(func() error { return bin.BuildEngines(context.Background(), builtDir) })

// engines are the engines that each program runs on.
var engines = []string{"wazero", "wasmtime"}

// needEngine skips the test where the engine cannot be built.
func needEngine(tb testing.TB, engine string) {
	tb.Helper()
	if engine != "wazero" { // which is in plasm-run
		need.Compiler(tb)
		must(tb, buildEngines())
	}
}

// job is one run of plasm-run.
type job struct {
	module string
	args   []string // the program's
	flags  []string // plasm-run's
	stdin  string
}

// result is what came of it.
type result struct {
	stdout, stderr string
	code           int
}

// command is plasm-run with the job, but for its streams, for the user who lives in builtDir.
func (j job) command(tb testing.TB, engine string) *exec.Cmd {
	tb.Helper()
	args := slices.Concat([]string{"--engine", engine, "--engines", builtDir, "--timeout", "10m"}, j.flags,
		[]string{j.module}, j.args)
	cmd := exec.CommandContext(tb.Context(), filepath.Join(builtDir, "plasm-run"), args...)
	cmd.Env = append(bin.Env(), "HOME="+builtDir, "PATH="+os.Getenv("PATH"))
	return cmd
}

// run runs the job on an engine.
func (j job) run(tb testing.TB, engine string) result {
	tb.Helper()
	cmd := j.command(tb, engine)
	cmd.Stdin = strings.NewReader(j.stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		tb.Fatal(err)
	}
	return result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
}

// succeeds runs the job, which must end well, and returns what it wrote.
func (j job) succeeds(tb testing.TB, engine string) string {
	tb.Helper()
	r := j.run(tb, engine)
	if r.code != 0 || r.stderr != "" {
		tb.Errorf("exit code %d, stderr %q, stdout %.500q", r.code, r.stderr, r.stdout)
	}
	return r.stdout
}

var compiled sync.Map // of compile: the source to func() (string, error)

// compile makes a module of a C source in testdata, once, and returns its path.
func compile(tb testing.TB, source string) string {
	tb.Helper()
	clang := need.Clang(tb)
	once, _ := compiled.LoadOrStore(source, sync.OnceValues(func() (string, error) {
		module := filepath.Join(builtDir, strings.ReplaceAll(source, "/", "-")+".wasm")
		cmd := exec.CommandContext(context.Background(), clang, "--target=wasm32-wasi", "-std=gnu11", "-O1",
			"-Wall", "-Wextra", "-Werror", "-o", module, filepath.Join("testdata", source))
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
		return module, nil
	}))
	module, err := once.(func() (string, error))() //nolint:errcheck,forcetypeassert // what is stored above
	must(tb, err)
	return module
}

// compileNative makes a program of this machine of a C source in testdata, and returns its
// path.
func compileNative(tb testing.TB, source string) string {
	tb.Helper()
	need.Compiler(tb)
	program := filepath.Join(tb.TempDir(), "program")
	cmd := exec.CommandContext(tb.Context(), "sh", "-euc", `"${CC:-$(go env CC)}" -static -std=gnu11 -O1 -o "$1" "$2"`,
		"sh", program, filepath.Join("testdata", source))
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%v: %s", err, out)
	}
	return program
}

// fixture lays out files in a new folder: their contents by their paths below it. A path
// that ends in a slash is an empty folder.
func fixture(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			must(tb, os.MkdirAll(path, 0o700))
			continue
		}
		must(tb, os.MkdirAll(filepath.Dir(path), 0o700))
		must(tb, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
