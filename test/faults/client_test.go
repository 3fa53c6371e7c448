//go:build linux

package faults_test

import (
	"bytes"
	"syscall"
	"testing"

	"plasm/test/netlab"
)

// TestClientKilled: the command is killed, and run again. The job ran once.
func TestClientKilled(t *testing.T) {
	t.Parallel()
	for at, work := range points {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			machines := l.LAN("user", "node")
			u := newUser(t, machines[0])
			n := u.serveStopping(machines[1])
			w := work(u)
			peer := n.peer(n.addr("tcp"))
			n.stopAt(at)
			killed := w.submit(machines[0], peer)
			n.stopped()
			killed.Signal(syscall.SIGKILL)
			if code := killed.code(); code != 128+9 {
				t.Errorf("exit %d", code)
			}
			n.resume()
			first := w.submit(machines[0], peer).answers(n)
			second := w.submit(machines[0], peer).answers(n)
			if !bytes.Equal(first, second) {
				t.Errorf("two receipts:\n%s\n%s", first, second)
			}
			if runs := n.ran(w.manifest.ID); runs != 1 {
				t.Errorf("it ran %d times", runs)
			}
			n.settle()
		})
	}
}

// TestTwoClients: the same job is submitted twice at once. It runs once, and both
// are told the same.
func TestTwoClients(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("user", "node")
	u := newUser(t, machines[0])
	n := u.serveStopping(machines[1])
	w := u.ticks()
	peer := n.peer(n.addr("tcp"))
	n.stopAt(output)
	one := w.submit(machines[0], peer)
	n.stopped()
	two := w.submit(machines[0], peer)
	n.resume()
	if !bytes.Equal(one.answers(n), two.answers(n)) {
		t.Error("two receipts of one job")
	}
	if runs := n.ran(w.manifest.ID); runs != 1 {
		t.Errorf("it ran %d times", runs)
	}
	n.settle()
}

// TestClientInterruptedBeforeTheStart: Ctrl-C ends a job that a node has accepted, and
// has not started. The node tells of that end, too.
func TestClientInterruptedBeforeTheStart(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("user", "node")
	u := newUser(t, machines[0])
	n := u.serveStopping(machines[1])
	w := u.heavy()
	n.stopAt(accepted)
	got := w.submit(machines[0], n.peer(n.addr("tcp")))
	got.Event(patience, "job.accepted", nil)
	n.stopped()
	got.Signal(syscall.SIGINT)
	got.Event(patience, "job.cancelled", nil)
	n.resume()
	if code := got.code(); code != 128+2 {
		t.Errorf("exit %d, want 130", code)
	}
	n.Event(patience, "job.cancelled", func(e map[string]any) bool {
		return e["job"] == w.manifest.ID && e["cause"] == "cancelled by its requester"
	})
	n.settle()
}

// TestClientInterrupted: Ctrl-C ends the job on the node too.
func TestClientInterrupted(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("user", "node")
	u := newUser(t, machines[0])
	n := u.serve(machines[1])
	w := u.work("hang", nil, nil)
	got := w.submit(machines[0], n.peer(n.addr("tcp")))
	got.Event(patience, "job.started", nil)
	got.Signal(syscall.SIGINT)
	if code := got.code(); code != 128+2 {
		t.Errorf("exit %d, want 130", code)
	}
	n.Event(patience, "job.cancelled", func(e map[string]any) bool { return e["job"] == w.manifest.ID })
	n.settle()
}
