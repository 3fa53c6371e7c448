package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"plasm/test/bin"
	"plasm/test/hostile"
	"plasm/test/need"
)

func TestSlowWriterIsSeenSlowly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "cat")
	c := start(t, dir, "cat.wasm")
	for i := range 5 {
		line := fmt.Sprintf("line %d\n", i)
		c.send(line)
		c.receive(line)
	}
	_ = c.stdin.Close()
	if rest := c.ends(0); rest != "" {
		t.Errorf("stdout goes on: %q", rest)
	}
}

// TestConstantMemory lets more through a pipe than may be held.
func TestConstantMemory(t *testing.T) {
	t.Parallel()
	const size, most = 256 << 20, 30 << 10 // bytes, KiB
	dir := t.TempDir()
	put(t, dir, "cat")
	c := start(t, dir, "--receipt", "r.json", "--output-limit", fmt.Sprint(size), "cat.wasm")
	_ = c.stdout.SetReadDeadline(time.Time{}) // it may take its time
	in, out := sha256.New(), sha256.New()
	written := make(chan error, 1)
	go func() {
		block := []byte(strings.Repeat("0123456789abcde\n", 64<<10))
		var err error
		for n := 0; n < size && err == nil; n += len(block) {
			block[n/len(block)]++ // no two alike
			in.Write(block)
			_, err = c.stdin.Write(block)
		}
		written <- err
	}()
	if _, err := io.CopyN(out, c.stdout, size); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if peak := peakMemory(t, c.Process.Pid); peak > most {
		t.Errorf("the supervisor took %d KiB, more than %d", peak, most)
	}
	_ = c.stdin.Close()
	c.ends(0)
	want := fmt.Sprintf("sha256:%x", in.Sum(nil))
	if got := fmt.Sprintf("sha256:%x", out.Sum(nil)); got != want {
		t.Errorf("what came out is %s, what went in %s", got, want)
	}
	if got := outcome(t, filepath.Join(dir, "r.json"))["stdin_hash"]; got != want {
		t.Errorf("stdin_hash is %v, want %s", got, want)
	}
}

// peakMemory returns the most memory that a process has had at once, in KiB.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var peak int
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &peak); n == 1 {
			return peak
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

func TestKilledCommandLeavesNoWorker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "hang")
	c := start(t, dir, "--receipt", "r.json", "--stdout", "/dev/stdout", "hang.wasm")
	c.receive("ready\n")
	worker := c.worker() // of the one that compiled nothing is left, not even a zombie
	if s := state(worker); s == "Z" || s == "" {
		t.Fatalf("the worker's state is %q", s)
	}
	c.signal(syscall.SIGKILL)
	if status := c.wait(); status.Signal() != syscall.SIGKILL {
		t.Errorf("ended with %v", status)
	}
	eventually(t, "the worker is gone", func() bool { return gone(worker) })
}

func TestKilledWorkerIsEngineFailed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "hang")
	c := start(t, dir, "--receipt", "r.json", "hang.wasm")
	c.receive("ready\n")
	if err := syscall.Kill(c.worker(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.ends(125)
	o := outcome(t, filepath.Join(dir, "r.json"))
	if o["status"] != "engine_failed" || o["exit_code"] != nil || o["stdout_bytes"] != 6.0 {
		t.Errorf("the receipt says %v", o)
	}
	words := c.stderr.String()
	// a worker's that is to be covered
	words = strings.Replace(words, ": warning: GOCOVERDIR not set, no coverage data emitted", "", 1)
	if words != "plasm-run: the engine failed: the worker was killed: signal 9 (killed)\n" {
		t.Errorf("stderr says %q", words)
	}
}

// putHostile writes a hostile module into dir as NAME.wasm.
func putHostile(t *testing.T, dir, name string) {
	t.Helper()
	module, err := hostile.Module(name)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".wasm"), module, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestWorkersKilledWhileTheyCompile kills every worker of a command whose module takes
// long to compile. That is not the module's fault, nor a limit.
func TestWorkersKilledWhileTheyCompile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	putHostile(t, dir, "ifs-10000")
	c := start(t, dir, "--no-cache", "--receipt", "r.json", "ifs-10000.wasm")
	over, killed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(killed)
		for {
			for _, worker := range children(c.Process.Pid) {
				_ = syscall.Kill(worker, syscall.SIGKILL)
			}
			select {
			case <-over:
				return
			default:
				runtime.Gosched()
			}
		}
	}()
	_, err := io.Copy(io.Discard, c.stdout) // to its end, when it may still be reaped
	close(over)
	<-killed
	if err != nil {
		t.Fatal(err)
	}
	c.ends(125)
	if words := c.stderr.String(); !strings.Contains(words, "killed") || strings.Contains(words, "compil") {
		t.Errorf("stderr says %q", words)
	}
	if _, err := os.Stat(filepath.Join(dir, "r.json")); err == nil {
		t.Error("there is a receipt of a job that has not started")
	}
}

// TestMachineOutOfMemory runs a command in a control group that has less memory than its
// job may take: the kernel's word for that is in the status, and in what is said.
func TestMachineOutOfMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	putHostile(t, dir, "grow-and-fill")
	script := filepath.Join(dir, "script")
	text := fmt.Sprintf("set -e\n%sexec %s \"$@\"\n", need.MemoryGroup(t, 96<<20).Join,
		filepath.Join(programs, "plasm-run"))
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "/bin/sh", script, "--memory", "256", "--receipt", "r.json",
		"grow-and-fill.wasm")
	c.Dir, c.Env = dir, append(bin.Env(), "HOME="+dir, "TMPDIR="+dir, "PATH="+os.Getenv("PATH"))
	out, err := c.CombinedOutput()
	exit, ended := errors.AsType[*exec.ExitError](err)
	if !ended || exit.ExitCode() != 137 {
		t.Fatalf("%v: %s", err, out)
	}
	if got := outcome(t, filepath.Join(dir, "r.json"))["status"]; got != "out_of_memory" {
		t.Errorf("status %v", got)
	}
	for _, words := range []string{
		"for want of memory: the kernel has killed the worker",
		"hint: this machine, or the control group of this process, is out of memory",
	} {
		if !strings.Contains(string(out), words) {
			t.Errorf("not said: %q: %s", words, out)
		}
	}
}

// TestSignalBeforeStart interrupts the command where it waits for somebody else.
func TestSignalBeforeStart(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"manifest from stdin":    {"--manifest", "-", "nothing.wasm"},
		"job from stdin":         {"--job", "-"},
		"module from stdin":      {"-"},
		"module from a pipe":     {"fifo"},
		"input from a pipe":      {"--stdin", "fifo", "nothing.wasm"},
		"receipt, then no input": {"--receipt", "r.json", "--stdin", "fifo", "nothing.wasm"},
	}
	for name, args := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := fifo(t)
			c := start(t, dir, append([]string{"--json"}, args...)...)
			worker := c.worker() // by then the signals are caught
			c.signal(syscall.SIGINT)
			if code := errorCode(t, c.ends(130)); code != "cancelled" {
				t.Errorf("error code %q", code)
			}
			if words := c.stderr.String(); words != "plasm-run: cancelled before the job started: stopped by signal "+
				"2 (interrupt)\n" {
				t.Errorf("stderr says %q", words)
			}
			eventually(t, "the worker is gone", func() bool { return gone(worker) })
		})
	}
	t.Run("output to a pipe", func(t *testing.T) {
		t.Parallel()
		dir := fifo(t)
		c := start(t, dir, "--stderr", "err", "--stdout", "fifo", "nothing.wasm")
		c.worker()
		c.signal(syscall.SIGTERM)
		c.ends(143)
		if _, err := os.Stat(filepath.Join(dir, "err")); err == nil {
			t.Error("the other output has appeared")
		}
	})
}

// fifo returns a folder with the guest nothing and a named pipe that nobody has
// opened.
func fifo(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "nothing")
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestSignalWithJSON: the one document on stdout is the result of the job.
func TestSignalWithJSON(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "cat")
	c := start(t, dir, "--json", "--receipt", "r.json", "cat.wasm")
	// more than pipes hold: so the job has started; and no more than is written in no time
	c.send(strings.Repeat("x", 512<<10))
	c.signal(syscall.SIGTERM)
	if doc := c.ends(143); !strings.HasPrefix(doc, `{"receipt":{`) || strings.Count(doc, "\n") != 1 {
		t.Errorf("stdout has %.100q", doc)
	}
	if o := outcome(t, filepath.Join(dir, "r.json")); o["status"] != "cancelled" {
		t.Errorf("the receipt says %v", o)
	}
}

// TestReaderWhoDoesNotRead does not hold up the end of a job.
func TestReaderWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	t.Run("out of time", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		put(t, dir, "write-100000000")
		c := start(t, dir, "--timeout", "1s", "--output-limit", "100000000", "--receipt", "r.json",
			"write-100000000.wasm")
		if status := c.wait(); status.ExitStatus() != 124 {
			t.Errorf("ended with %v; stderr: %s", status, c.stderr.String())
		}
		if o := outcome(t, filepath.Join(dir, "r.json")); o["status"] != "timeout" || o["truncated"] != true {
			t.Errorf("the receipt says %v", o)
		}
	})
	t.Run("stopped", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		put(t, dir, "yes")
		c := start(t, dir, "--receipt", "r.json", "yes.wasm")
		c.receive("y\n")
		c.signal(syscall.SIGTERM)
		if status := c.wait(); status.ExitStatus() != 143 {
			t.Errorf("ended with %v; stderr: %s", status, c.stderr.String())
		}
		o := outcome(t, filepath.Join(dir, "r.json"))
		rest, err := io.ReadAll(c.stdout)
		if got := float64(2 + len(rest)); err != nil || o["status"] != "cancelled" || o["stdout_bytes"] != got {
			t.Errorf("%v bytes came, %v; the receipt says %v", got, err, o)
		}
	})
	t.Run("when all is over", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		put(t, dir, "write-1000000")
		c := start(t, dir, "--json", "write-1000000.wasm")
		c.receive(`{"receipt"`) // the rest does not fit into the pipe
		c.signal(syscall.SIGINT)
		if status := c.wait(); !status.Signaled() || status.Signal() != syscall.SIGINT {
			t.Errorf("ended with %v", status)
		}
	})
}

// TestSocketThatIsNotRead: a socket's reader can hold up a write for good, and the
// first signal ends the command all the same.
func TestSocketThatIsNotRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "yes")
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ends := [2]*os.File{os.NewFile(uintptr(fds[0]), "socket"), os.NewFile(uintptr(fds[1]), "socket")}
	defer func() { _ = ends[0].Close() }()
	c := startOn(t, dir, ends, "yes.wasm")
	c.receive("y\n")
	c.signal(syscall.SIGINT)
	if status := c.wait(); status.ExitStatus() != 128+int(syscall.SIGINT) {
		t.Errorf("ended with %v; stderr: %s", status, c.stderr.String())
	}
}

// TestInputThatChanges while it is fed is not the input of the manifest.
func TestInputThatChanges(t *testing.T) {
	t.Parallel()
	const size = 16 << 20 // much more than all pipes on the way hold
	dir := t.TempDir()
	put(t, dir, "cat")
	name := filepath.Join(dir, "input")
	if err := os.WriteFile(name, []byte(strings.Repeat("x", size)), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, dir, "--stdin", "input", "--receipt", "r.json", "cat.wasm")
	c.receive("x") // it has been hashed
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("y"), size-1); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	c.ends(125)
	if o := outcome(t, filepath.Join(dir, "r.json")); o["status"] != "cancelled" {
		t.Errorf("the receipt says %v", o)
	}
	if words := c.stderr.String(); !strings.Contains(words, "the input is not what was hashed before the job started") {
		t.Errorf("stderr says %q", words)
	}
}
