package main

import (
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// startJob starts plasm-run as a shell starts a job that it can stop and continue, with
// a guest that goes on for ever, and waits until the guest runs.
func startJob(t *testing.T, timeout string) (c *command, worker int) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "hang")
	c = startWith(t, dir, pipe(t), &syscall.SysProcAttr{Setpgid: true}, "--timeout", timeout, "--receipt", "r.json",
		"-n", "hang.wasm")
	c.receive("ready\n")
	worker = c.worker()
	return c, worker
}

// stopped waits until a child is stopped.
func stopped(t *testing.T, pid int) {
	t.Helper()
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			t.Fatal(err)
		}
	}
	if s := state(pid); s != "T" {
		t.Fatalf("its state is %q", s)
	}
}

// TestTerminalStop is Ctrl-Z, then fg: the guest stops with the command and goes on
// with it, twice.
func TestTerminalStop(t *testing.T) {
	t.Parallel()
	c, worker := startJob(t, "1h")
	for range 2 {
		c.signal(syscall.SIGTSTP)
		stopped(t, c.Process.Pid)
		eventually(t, "the worker is stopped", func() bool { return state(worker) == "T" })
		c.signal(syscall.SIGCONT)
		eventually(t, "the worker runs", func() bool { s := state(worker); return s == "R" || s == "S" })
	}
	c.signal(syscall.SIGTERM)
	c.ends(143)
	if o := outcome(t, filepath.Join(c.dir, "r.json")); o["status"] != "cancelled" {
		t.Errorf("the receipt says %v", o)
	}
}

// TestStoppedBeyondItsTime: the guest's time goes on while the command is stopped, and
// the kernel ends the worker, whether it was stopped too or not.
func TestStoppedBeyondItsTime(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGTSTP} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			t.Parallel()
			c, worker := startJob(t, "2s")
			c.signal(sig)
			stopped(t, c.Process.Pid)
			eventually(t, "the worker is gone", func() bool { return gone(worker) })
			c.signal(syscall.SIGCONT)
			c.ends(124)
			if o := outcome(t, filepath.Join(c.dir, "r.json")); o["status"] != "timeout" {
				t.Errorf("the receipt says %v", o)
			}
		})
	}
}

// TestStopInOrphanedGroup: where no shell could continue it, the kernel does not stop a
// command, and its guest goes on too.
func TestStopInOrphanedGroup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "cat")
	c := startWith(t, dir, pipe(t), &syscall.SysProcAttr{Setsid: true}, "cat.wasm")
	c.send("before\n")
	c.receive("before\n")
	c.signal(syscall.SIGTSTP)
	c.send("after\n")
	c.receive("after\n")
	_ = c.stdin.Close()
	c.ends(0)
}
