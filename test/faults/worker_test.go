//go:build linux

package faults_test

import (
	"bytes"
	"syscall"
	"testing"

	"plasm/test/netlab"
)

// TestWorkerKilled: the process that runs the program is killed. That is no outcome
// of the job's: it is done by another node, and by the same one where there is no
// other.
func TestWorkerKilled(t *testing.T) {
	t.Parallel()
	for _, beside := range []bool{true, false} {
		t.Run(map[bool]string{true: "beside another", false: "alone"}[beside], func(t *testing.T) {
			t.Parallel()
			s := newSetting(t)
			w := s.u.ticks()
			s.first.stopAt(running)
			nodes, by := s.both(), s.second
			if !beside {
				nodes, by = nodes[:1], s.first
			}
			got := w.submit(s.machines[0], nodes...)
			s.first.stopped()
			workers := s.first.workers()
			if len(workers) == 0 {
				t.Fatal("no worker runs")
			}
			for _, pid := range workers { // also those that wait for the next job
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					t.Errorf("%d: %v", pid, err)
				}
			}
			s.first.resume()
			got.answers(by)
			if !bytes.Contains(s.first.Stderr(), []byte(`"status":"engine_failed"`)) {
				t.Error("the first node says nothing of its worker")
			}
			s.over()
		})
	}
}

// TestWorkersKilledAlways: whatever a node's workers are killed with, again and
// again, a command does not try for ever, and what it says in the end is verified.
func TestWorkersKilledAlways(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("user", "node")
	u := newUser(t, machines[0])
	n := u.serveStopping(machines[1])
	w := u.ticks()
	n.stopAt(running)
	got := w.submitWith(machines[0], []string{"--retries", "1", "--json"}, n.peer(n.addr("tcp")))
	for i := range 2 {
		n.stoppedFor(i + 1)
		for _, pid := range n.workers() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if i == 0 {
			n.stopAt(running)
		}
		n.resume()
	}
	if code := got.code(); code != 125 {
		t.Errorf("exit %d, want 125", code)
	}
	if out := got.Stdout(); !bytes.HasPrefix(out, []byte(`{"receipt":`)) {
		t.Errorf("no result document: %s", out)
	}
	n.settle()
}
