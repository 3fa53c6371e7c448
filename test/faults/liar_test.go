//go:build linux

package faults_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"plasm/lib/job"
	"plasm/test/netlab"
)

// lies are what a lying node does (test/faults/liar), and what a command says that
// knows no other: the exit code, and of the node.
var lies = []struct {
	name string
	code int
	says string
}{
	{"truncated", 125, "stdout: the receipt is about"},
	{"forged", 125, "untrusted"},
	{"requester", 125, "requester: the receipt is about a job of"},
	{"manifest", 125, "manifest: "},
	{"replay", 125, "manifest: "},
	{"bytes", 125, "stdout: the receipt is about"},
	{"endless", 125, "more output than the manifest allows"},
	{"silent-offer", 127, "has not answered the offer in time"},
	{"silent-accept", 125, "has not started the job in time"},
	{"silent-started", 125, "has not ended the job in its time"},
	{"silent-output", 125, "has not ended the job in its time"},
	{"garbage", 125, "protocol broken (kind)"},
	{"hangup", 125, "lost after it had accepted the job"},
}

var buildLiar = sync.OnceValue(func() error {
	out, err := exec.CommandContext(context.Background(), "go", "build", "-o", programs+"/", "./liar").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
})

// TestLiars: a node lies. Beside another the right answer comes from that, alone a
// clear error that names it; in no case another answer.
func TestLiars(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	if err := buildLiar(); err != nil {
		t.Fatal(err)
	}
	machines := l.LAN("user", "liars", "honest")
	u := newUser(t, machines[0])
	honest := u.serve(machines[2])
	type asked struct {
		name, id      string
		liar          *netlab.Process
		beside, alone *submission
	}
	var all []asked
	flags := []string{"--retries", "1", "--attempt-timeout", "5s", "--deadline", "80s"}
	for i, lie := range lies {
		addr := fmt.Sprintf("/ip4/%s/tcp/%d", machines[1].Addr, 7000+i)
		p := machines[1].Start(nil, programs+"/liar", addr, lie.name)
		line := p.Line(patience, func(line []byte) bool { return line[0] == '/' })
		_, id, _ := strings.Cut(string(line), "/p2p/")
		liar := (&node{id: id}).peer(addr)
		work := func() *work {
			return u.work("hello", []byte("abc"), []byte("cba"), func(m *job.Manifest) { m.TimeoutMS = 2000 })
		}
		if lie.name == "replay" {
			work().submit(machines[0], liar).answers(&node{id: id})
		}
		all = append(all, asked{
			lie.name, id, p,
			work().submitWith(machines[0], flags, liar, honest.peer(honest.addr("tcp"))),
			work().submitWith(machines[0], append(flags, "--retries", "0"), liar),
		})
	}
	for i, lie := range lies {
		t.Logf("%s", lie.name)
		all[i].beside.answers(honest)
		if n := strings.Count(string(all[i].liar.Stderr()), "offered"); n < 2 {
			t.Errorf("%s: the liar was asked %d times", lie.name, n)
		}
		all[i].alone.fails(lie.code, all[i].id, lie.says)
	}
	honest.settle()
	if pids := machines[0].Pids(); len(pids) > 0 {
		t.Errorf("processes of the user's are left: %v", pids)
	}
}
