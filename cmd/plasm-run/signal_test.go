package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// prepare makes a program of a script ready to be started by hand.
func prepare(ts *testscript.TestScript, args []string) *exec.Cmd {
	c := exec.Command(args[0], args[1:]...)
	if path := filepath.Join(programs, args[0]); exists(path) {
		c.Path, c.Err = path, nil
	}
	c.Dir, c.Env, c.Stderr = ts.MkAbs("."), environment(ts), ts.Stderr()
	return c
}

// finish waits for a program that must end by itself, with code.
func finish(ts *testscript.TestScript, c *exec.Cmd, code string) {
	err := c.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		ts.Check(err)
	} else if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		ts.Fatalf("ended by %v", status.Signal())
	}
	if got := c.ProcessState.ExitCode(); strconv.Itoa(got) != code {
		ts.Fatalf("exit code %d, want %s", got, code)
	}
}

// signalled SIGNAL CODE PROGRAM [ARG…] runs a program, sends it a signal once it
// has written a line to stdout, and checks that it ends by itself with that code.
// Its stdin brings the line "ready" and stays open.
func signalled(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) < 3, "signalled SIGNAL CODE PROGRAM [ARG...]")
	c := prepare(ts, args[2:])
	hold, err := c.StdinPipe()
	ts.Check(err)
	defer func() { _ = hold.Close() }()
	r, w, err := os.Pipe()
	ts.Check(err)
	defer func() { _ = r.Close() }()
	c.Stdout = w
	ts.Check(c.Start())
	_ = w.Close()
	_, _ = io.WriteString(hold, "ready\n") // an error would show: nothing comes back
	out := bufio.NewReader(r)
	line, err := out.ReadString('\n')
	if err != nil {
		ts.Fatalf("no line came: %v", err)
	}
	ts.Check(c.Process.Signal(unix.SignalNum("SIG" + args[0])))
	rest, err := io.ReadAll(out)
	ts.Check(err)
	_, _ = io.WriteString(ts.Stdout(), line+string(rest))
	finish(ts, c, args[1])
}

// unread CODE PROGRAM [ARG…] runs a program whose stdout is a pipe that nobody
// reads any more, and checks that it ends by itself with that code.
func unread(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) < 2, "unread CODE PROGRAM [ARG...]")
	c := prepare(ts, args[1:])
	r, w, err := os.Pipe()
	ts.Check(err)
	ts.Check(r.Close())
	c.Stdout = w
	ts.Check(c.Start())
	_ = w.Close()
	finish(ts, c, args[0])
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// environment returns the variables of a script that the commands look at.
func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOCOVERDIR"} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
