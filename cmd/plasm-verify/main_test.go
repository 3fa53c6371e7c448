package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/rogpeppe/go-internal/testscript"

	"plasm/lib/cli"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"plasm-verify": main, "plasm-run": standIn})
}

// TestScripts runs the command as its users do.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			setup(t, env.WorkDir)
			env.Setenv("NODE", nodeKey().PeerID())
			env.Setenv("OTHER", otherKey().PeerID())
			env.Setenv("TMPDIR", env.WorkDir+"/tmp")
			return os.Mkdir(env.WorkDir+"/tmp", 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
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

// TestExamplesInUsage runs every example of the help as a shell would.
func TestExamplesInUsage(t *testing.T) {
	t.Parallel()
	examples := doc().Examples
	if len(examples) < 3 {
		t.Fatalf("no examples: %s", examples)
	}
	for _, example := range examples {
		dir := t.TempDir()
		setup(t, dir)
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", example)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s%v: %s", example, err, out)
		}
	}
}

// outcome is what a run of the command left.
type outcome struct {
	code           int
	stdout, stderr string
}

// verify runs the command in this process.
func verify(stdin []byte, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	code := run(&cli.Invocation{
		Args: args, Stdin: bytes.NewReader(stdin), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(string) string { return "" },
	})
	return outcome{code, stdout.String(), stderr.String()}
}

// TestEveryLineOnStderrIsOurs holds the shape of what people read.
func TestEveryLineOnStderrIsOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	setup(t, dir)
	for _, args := range [][]string{
		{"--signer", nodeKey().PeerID(), dir + "/receipt.json"},
		{"--signer", otherKey().PeerID(), dir + "/receipt.json"},
		{dir + "/receipt.json"},
		{dir + "/none.json"},
		{"--signer", "nobody", dir + "/receipt.json"},
		{"--no-such-flag"},
	} {
		for line := range strings.Lines(verify(nil, args...).stderr) {
			if !strings.HasPrefix(line, "plasm-verify: ") || strings.HasSuffix(line, ".\n") {
				t.Errorf("%q: line %q", args, line)
			}
		}
	}
}

// broken is a stdout that somebody has closed, or a disk that is full.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestStdoutThatTakesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	setup(t, dir)
	for _, flags := range [][]string{{"--print", "stdout"}, {"--print", "statement"}, {"--json"}} {
		for err, code := range map[error]int{syscall.EPIPE: cli.ExitPipe, syscall.ENOSPC: cli.ExitPlasm} {
			got := run(&cli.Invocation{
				Args:  append(flags, "--signer", nodeKey().PeerID(), dir+"/result.json"),
				Stdin: strings.NewReader(""), Stdout: broken{err}, Stderr: io.Discard,
				Getenv: func(string) string { return "" },
			})
			if got != code {
				t.Errorf("%v, %v: exit code %d, want %d", flags, err, got, code)
			}
		}
	}
}

// TestReceiptThatBreaksOff reads from something that fails.
func TestReceiptThatBreaksOff(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"at once": "", "in an envelope": `{"payload":"`, "in a document": `{"stdout":"` + strings.Repeat("AAAA", 1<<19),
	} {
		in := io.MultiReader(strings.NewReader(head), iotest.ErrReader(syscall.EIO))
		var stdout, stderr bytes.Buffer
		code := run(&cli.Invocation{
			Args: []string{"--signer", nodeKey().PeerID()}, Stdin: in, Stdout: &stdout, Stderr: &stderr,
			Getenv: func(string) string { return "" },
		})
		if code != cli.ExitPlasm || stdout.Len() > 0 ||
			!strings.Contains(stderr.String(), "standard input: input/output error") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %s", name, code, &stdout, &stderr)
		}
	}
}

// TestSignalEndsRerun ends the command while the job runs again: plasm-run is
// told, and nothing is left behind.
func TestSignalEndsRerun(t *testing.T) {
	t.Parallel()
	dir, temp := t.TempDir(), t.TempDir()
	setup(t, dir)
	ready := filepath.Join(dir, "ready")
	if err := syscall.Mkfifo(ready, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "plasm-verify", "--signer", nodeKey().PeerID(), "--rerun", "--print",
		"stdout",
		"--module", "job.wasm", "--stdin", "in.txt", "result.json")
	var stdout bytes.Buffer
	cmd.Dir, cmd.Stdout = dir, &stdout
	cmd.Env = append(os.Environ(), "STANDIN=wait", "STANDIN_READY="+ready, "TMPDIR="+temp)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(ready); err != nil { // returns when the stand-in is there
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 128+15 || stdout.Len() > 0 {
		t.Errorf("%v, stdout %q", err, &stdout)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestLargeDocumentInLittleMemory streams a document of which nothing is kept.
func TestLargeDocumentInLittleMemory(t *testing.T) { // alone: it looks at the process's memory
	const size = 24 << 20
	zeros := io.LimitReader(zero{}, size)
	digest := newDigester(io.Discard)
	if _, err := io.Copy(digest, io.LimitReader(zero{}, size)); err != nil {
		t.Fatal(err)
	}
	envelope := sign(t, func(s *receipt.Statement) {
		s.Stdout, s.Outcome.StdoutBytes = digest.content().Digest, size
		s.Stderr, s.Outcome.StderrBytes = job.EmptyDigest, 0
	})
	r, w := io.Pipe()
	go func() {
		_ = w.CloseWithError(job.WriteResult(w, &job.Result{Envelope: envelope}, zeros, strings.NewReader(""), nil))
	}()
	var stdout, stderr bytes.Buffer
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	code := run(&cli.Invocation{
		Args: []string{"--signer", nodeKey().PeerID()}, Stdin: r, Stdout: &stdout, Stderr: &stderr,
		Getenv: func(string) string { return "" },
	})
	runtime.ReadMemStats(&after)
	if code != 0 || stdout.Len() > 0 {
		t.Errorf("exit code %d, stdout %q, stderr %s", code, &stdout, &stderr)
	}
	if grown := after.Sys - before.Sys; grown > size/2 {
		t.Errorf("took %d MB for a document of %d", grown>>20, size*4/3>>20)
	}
}

// zero is an endless reader of zeros.
type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
