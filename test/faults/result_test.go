//go:build linux

package faults_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"plasm/test/netlab"
)

// TestDamagedResult: a stored result comes to harm on the node's disk. It is not sent:
// the job runs again, and the node says what it found.
func TestDamagedResult(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("user", "node")
	u := newUser(t, machines[0])
	n := u.serve(machines[1])
	for i, file := range []string{"receipt", "stdout", "manifest"} {
		w := u.work("hello", []byte("abc"), []byte("cba"))
		peer := n.peer(n.addr("tcp"))
		first := w.submit(machines[0], peer).answers(n)
		if again := w.submit(machines[0], peer).answers(n); !bytes.Equal(first, again) {
			t.Fatalf("%s: the result is not kept", file)
		}
		eventually(t, "nobody has the result open", func() string { return strings.Join(n.hold().busy, ", ") })
		path := filepath.Join(n.dir, "data", "jobs", u.id, w.manifest.ID, file)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		w.submit(machines[0], peer).answers(n)
		if runs := n.ran(w.manifest.ID); runs != 2 {
			t.Errorf("%s: it ran %d times", file, runs)
		}
		seen := 0
		n.Event(patience, "damaged result removed", func(map[string]any) bool { seen++; return seen > i })
	}
	n.settle()
}

// TestDrained: a node that ends has no time for a job that runs. What it signed about
// that is not lost with it.
func TestDrained(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("user", "node")
	u := newUser(t, machines[0])
	n := u.node(machines[1])
	n.env = []string{"PLASMD_DRAIN=1s"}
	n.ready()
	w := u.work("hang", nil, nil)
	got := w.submit(machines[0], n.peer(n.addr("tcp")))
	got.Event(patience, "job.started", nil)
	if err := n.Stop(syscall.SIGTERM, patience); err != nil {
		t.Errorf("the node ends with %v", err)
	}
	if code, words := got.code(), got.words(); code != 125 ||
		!strings.Contains(words, "by the node "+n.id+": the node is shutting down") {
		t.Errorf("exit %d: %s", code, words)
	}
	if envelope, err := os.ReadFile(got.receipt); err != nil || len(envelope) == 0 {
		t.Errorf("no receipt: %v", err)
	}
}

// TestUnlistedOnAnIdleNode: nobody else wants the node, so one who may submit only
// because all may waits for nothing, however many jobs come after each other.
func TestUnlistedOnAnIdleNode(t *testing.T) {
	t.Parallel()
	const jobs = 30 // more than a burst
	l := netlab.New(t)
	machines := l.LAN("user", "node")
	u := newUser(t, machines[0])
	n := u.node(machines[1])
	n.u = &user{t: t, id: "any"} // the word in place of a requester
	n.start()
	u.each(n, jobs, 1)
	offered := 0
	for _, e := range n.events() {
		switch e.Name {
		case "job.offered":
			offered++
		case "job.rejected":
			t.Error("a job is rejected")
		}
	}
	if offered != jobs {
		t.Errorf("%d jobs were offered %d times", jobs, offered)
	}
	n.Event(patience, "job.offered", func(event map[string]any) bool { return event["listed"] == false })
}
