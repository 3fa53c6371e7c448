package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"plasm/test/bin"
	"plasm/test/guest"
)

// soon is how long a test waits for what should happen at once, on a machine that
// has much else to do.
const soon = 2 * time.Minute

// command is a plasm-run that a test holds in its hands.
type command struct {
	*exec.Cmd
	t      *testing.T
	dir    string // its working folder; home and TMPDIR are below it
	stdin  *os.File
	stdout *os.File
	stderr bytes.Buffer
}

// start starts plasm-run in dir with pipes for stdin and stdout.
func start(t *testing.T, dir string, args ...string) *command {
	t.Helper()
	return startOn(t, dir, pipe(t), args...)
}

// startOn starts plasm-run in dir with out, its two ends, for stdout.
func startOn(t *testing.T, dir string, out [2]*os.File, args ...string) *command {
	t.Helper()
	return startWith(t, dir, out, nil, args...)
}

// startWith is startOn, with attributes of the process.
func startWith(t *testing.T, dir string, out [2]*os.File, attr *syscall.SysProcAttr, args ...string) *command {
	t.Helper()
	c := &command{Cmd: exec.CommandContext(t.Context(), filepath.Join(programs, "plasm-run"), args...), t: t, dir: dir}
	for _, name := range []string{"home", ".tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c.Dir, c.SysProcAttr = dir, attr
	c.Env = append(bin.Env(), "HOME="+filepath.Join(dir, "home"), "TMPDIR="+filepath.Join(dir, ".tmp"),
		"PATH="+os.Getenv("PATH"))
	in := pipe(t)
	c.Stdin, c.Stdout, c.Stderr = in[0], out[1], &c.stderr
	c.stdin, c.stdout = in[1], out[0]
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = in[0].Close(), out[1].Close()
	_ = c.stdout.SetReadDeadline(time.Now().Add(soon))
	t.Cleanup(func() {
		_ = c.Process.Kill()
		for _, left := range leftovers(dir) {
			t.Errorf("left behind: %s", left)
		}
	})
	return c
}

func pipe(t *testing.T) [2]*os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return [2]*os.File{r, w}
}

// send writes to its stdin.
func (c *command) send(text string) {
	c.t.Helper()
	if _, err := c.stdin.WriteString(text); err != nil {
		c.t.Fatal(err)
	}
}

// receive reads exactly want from its stdout.
func (c *command) receive(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c.stdout, got); err != nil || string(got) != want {
		c.t.Fatalf("stdout: %q, %v; want %q; stderr: %s", got[:n], err, want, c.stderr.String())
	}
}

// signal sends it a signal.
func (c *command) signal(s os.Signal) {
	c.t.Helper()
	if err := c.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// ends waits for its end, which must be by itself with code, and returns the rest
// of stdout.
func (c *command) ends(code int) string {
	c.t.Helper()
	rest, err := io.ReadAll(c.stdout)
	if err != nil {
		c.t.Fatalf("stdout: %v", err)
	}
	if status := c.wait(); status.Signaled() || status.ExitStatus() != code {
		c.t.Fatalf("ended with %d, signal %v, want %d; stderr: %s", status.ExitStatus(), status.Signal(), code,
			c.stderr.String())
	}
	return string(rest)
}

// wait waits for its end, however it ends.
func (c *command) wait() syscall.WaitStatus {
	c.t.Helper()
	timer := time.AfterFunc(soon, func() { _ = c.Process.Kill() })
	defer timer.Stop()
	err := c.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		c.t.Fatal(err)
	}
	status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		c.t.Fatal("no wait status")
	}
	return status
}

// worker waits until it has exactly one worker, and returns its process ID.
func (c *command) worker() int {
	c.t.Helper()
	var found []int
	eventually(c.t, "it has one worker", func() bool {
		found = children(c.Process.Pid)
		return len(found) == 1
	})
	return found[0]
}

// children lists the processes that a process has started, zombies included.
func children(pid int) []int {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var found []int
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // a thread that has ended meanwhile has none
		for word := range strings.FieldsSeq(string(text)) {
			if n, err := strconv.Atoi(word); err == nil {
				found = append(found, n)
			}
		}
	}
	return found
}

// state returns the state of a process as /proc has it, "" when it is gone.
func state(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return after[:1]
}

// gone reports whether a process runs no more. One that nobody has reaped yet
// counts: that is up to whoever inherited it.
func gone(pid int) bool { return state(pid) == "" || state(pid) == "Z" }

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(soon)
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		if holds() {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("in vain waited: %s", what)
		}
	}
}

// put writes a guest into dir as NAME.wasm.
func put(t *testing.T, dir, name string) {
	t.Helper()
	module, err := guest.Module(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".wasm"), module, 0o600); err != nil {
		t.Fatal(err)
	}
}

// outcome reads the outcome from a receipt.
func outcome(t *testing.T, file string) map[string]any {
	t.Helper()
	var envelope struct{ Payload string }
	var statement struct {
		Predicate struct{ Outcome map[string]any }
	}
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &envelope)
	}
	if err == nil {
		data, err = base64.StdEncoding.DecodeString(envelope.Payload)
	}
	if err == nil {
		err = json.Unmarshal(data, &statement)
	}
	if err != nil {
		t.Fatal(err)
	}
	return statement.Predicate.Outcome
}

// errorCode reads the code from an error document.
func errorCode(t *testing.T, document string) string {
	t.Helper()
	var doc struct{ Error struct{ Code string } }
	if err := json.Unmarshal([]byte(document), &doc); err != nil {
		t.Fatalf("%q: %v", document, err)
	}
	return doc.Error.Code
}
