//go:build linux

package faults_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/test/netlab"
)

// setting is what most tests begin with: a user, a node that something happens to,
// and another one that is well.
type setting struct {
	lab           *netlab.Lab
	u             *user
	machines      []*netlab.Machine // the user's, and those of the nodes
	first, second *node
}

func newSetting(t *testing.T) *setting {
	t.Helper()
	l := netlab.New(t)
	machines := l.LAN("user", "first", "second")
	u := newUser(t, machines[0])
	return &setting{lab: l, u: u, machines: machines, first: u.serveStopping(machines[1]), second: u.serve(machines[2])}
}

// both are the nodes in the order in which they are tried.
func (s *setting) both() []*job.Node {
	return []*job.Node{s.first.peer(s.first.addr("tcp")), s.second.peer(s.second.addr("tcp"))}
}

// over checks that nothing is left of what went wrong.
func (s *setting) over() {
	s.u.t.Helper()
	s.first.settle()
	s.second.settle()
	if pids := s.u.machine.Pids(); len(pids) > 0 {
		s.u.t.Errorf("processes of the user's are left: %v", pids)
	}
}

// ticks is a program that has something to do for a second, and writes meanwhile.
func (u *user) ticks() *work {
	return u.work("tick", nil, bytes.Repeat([]byte("tick\n"), 20), func(m *job.Manifest) { m.Deterministic = false })
}

// heavy is a job with a module and an input that are long on the way.
func (u *user) heavy() *work {
	u.t.Helper()
	module, err := os.ReadFile("../../examples/hello/hello.wasm")
	if err != nil {
		u.t.Fatal(err)
	}
	const padding = 3 << 20 // in a custom section, named x: 1 MiB and the more of it
	section := append([]byte{0, 0x82, 0x80, 0xc0, 0x01, 1, 'x'}, make([]byte, padding)...)
	return u.workOf(append(module, section...), bytes.Repeat([]byte("ab"), 1<<19), bytes.Repeat([]byte("ba"), 1<<19))
}

// points are the moments at which a node dies, each with a job for which it comes.
var points = map[point]func(*user) *work{
	offered: (*user).ticks, accepted: (*user).ticks, halfway: (*user).heavy,
	running: (*user).ticks, output: (*user).ticks, written: (*user).ticks,
}

// TestNodeKilled: a node is killed and stays away. The job is done by another.
func TestNodeKilled(t *testing.T) {
	t.Parallel()
	for at, work := range points {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			s := newSetting(t)
			w := work(s.u)
			s.first.stopAt(at)
			got := w.submit(s.machines[0], s.both()...)
			s.first.stopped()
			s.first.kill()
			got.answers(s.second)
			if n := s.second.ran(w.manifest.ID); n != 1 {
				t.Errorf("it ran %d times on the second node", n)
			}
			s.first.ready()
			s.over()
		})
	}
}

// TestNodeKilledAlone: a node is killed and stays away, and there is no other. That
// is said.
func TestNodeKilledAlone(t *testing.T) {
	t.Parallel()
	for at, work := range points {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			machines := l.LAN("user", "node")
			u := newUser(t, machines[0])
			n := u.serveStopping(machines[1])
			w := work(u)
			n.stopAt(at)
			got := w.submitWith(machines[0], []string{"--deadline", "30s"}, n.peer(n.addr("tcp")))
			n.stopped()
			n.kill()
			if at == offered {
				got.fails(127, "no node was found that is trusted and fits", n.id)
			} else {
				got.fails(125, "lost after it had accepted the job", n.id)
			}
			n.ready()
			n.settle()
		})
	}
}

// TestNodeKilledAndBack: a node is killed and comes back at once. The command
// attaches to the job again, which runs anew, unless its result was on disk.
func TestNodeKilledAndBack(t *testing.T) {
	t.Parallel()
	for at, work := range points {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			s := newSetting(t)
			w := work(s.u)
			s.first.stopAt(at)
			got := w.submit(s.machines[0], s.both()...)
			s.first.stopped()
			s.first.kill()
			s.first.start()
			got.answers(s.first, s.second)
			runs := s.first.ran(w.manifest.ID) + s.second.ran(w.manifest.ID)
			if want := map[bool]int{true: 0, false: 1}[at == written]; runs != want {
				t.Errorf("it ran %d times more, want %d", runs, want)
			}
			s.over()
		})
	}
}

// TestResultOutlivesKill: once a result is on disk, the job has that outcome: the
// same receipt, to the byte, however often the node is killed, and also if it never
// said so before.
func TestResultOutlivesKill(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("user", "node")
	u := newUser(t, machines[0])
	n := u.serveStopping(machines[1])
	w := u.heavy()
	peer := n.peer(n.addr("tcp"))

	n.stopAt(written)
	lost := w.submitWith(machines[0], []string{"--deadline", "60s"}, peer)
	n.stopped()
	lost.Signal(9)
	if code := lost.code(); code != 128+9 {
		t.Errorf("exit %d", code)
	}
	n.kill()

	var first []byte
	for range 3 {
		n.start()
		for range 2 {
			got := w.submit(machines[0], peer).answers(n)
			if first == nil {
				first = got
			}
			if !bytes.Equal(got, first) {
				t.Errorf("another receipt:\n%s\n%s", got, first)
			}
		}
		if n.ran(w.manifest.ID) != 0 {
			t.Error("it ran again")
		}
		n.kill()
	}
	n.ready()
	other := u.heavy()
	other.manifest.ID = w.manifest.ID
	other.manifest.Seed = 7
	other.args[1] = u.write("other.json", other.manifest.Encode())
	other.submit(machines[0], peer).fails(125, "conflict", "another manifest")
	n.settle()
}

// TestRunIsOver: a node that dies while a job runs has no outcome of it, and a later
// submission of the same job runs it.
func TestRunIsOver(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	machines := l.LAN("user", "node")
	u := newUser(t, machines[0])
	n := u.serveStopping(machines[1])
	w := u.ticks()
	peer := n.peer(n.addr("tcp"))
	n.stopAt(output)
	lost := w.submitWith(machines[0], []string{"--deadline", "60s"}, peer)
	n.stopped()
	n.kill()
	lost.Signal(9)
	lost.code()
	n.start()
	if strings.Contains(string(n.Stderr()), w.manifest.ID) {
		t.Error("it runs by itself")
	}
	receipt := w.submit(machines[0], peer).answers(n)
	if again := w.submit(machines[0], peer).answers(n); !bytes.Equal(again, receipt) {
		t.Errorf("another receipt:\n%s\n%s", again, receipt)
	}
	if runs := n.ran(w.manifest.ID); runs != 1 {
		t.Errorf("it ran %d times", runs)
	}
}
