//go:build linux

package faults_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"plasm/test/netlab"
	"plasm/test/variant"
)

// point is a moment in the life of a job on a node.
type point string

// The moments at which a node can be made to stop.
const (
	offered  point = "offered"  // the offer is read and verified, and not answered
	accepted point = "accepted" // the requester knows, and its first bytes have come
	halfway  point = "halfway"  // half of the module has come
	running  point = "running"  // the program's first instruction may have run
	output   point = "output"   // some of the output was sent
	written  point = "written"  // the result is on disk, and was not sent
)

// stopVariable names the file that says at which point the changed plasmd stops. It
// takes the file away, and so stops once.
const stopVariable = "PLASM_STOP"

// stopSource is added to the changed plasmd. The process stops itself, and so all
// its threads are where they are while the test does what it wants: the moment is
// exact. What the process is killed with is the real thing.
const stopSource = `package serve

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

func stopAt(point string) {
	file := os.Getenv("` + stopVariable + `")
	if at, err := os.ReadFile(file); err != nil || string(at) != point || os.Remove(file) != nil {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fmt.Fprintln(os.Stderr, "{\"msg\":\"stops\"}")
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
}
`

// stops are the changes that make a plasmd that stops.
func stops() []variant.Edit {
	const dir = "lib/exchange/serve/"
	in := func(file, old, changed string) variant.Edit {
		return variant.Edit{File: dir + file, Old: old, New: changed}
	}
	return []variant.Edit{
		{File: dir + "stop_linux.go", New: stopSource},
		in("admit.go", "k := jobKey{x.offer.Requester, x.manifest.ID}\n",
			`stopAt("offered"); k := jobKey{x.offer.Requester, x.manifest.ID}`+"\n"),
		in("speak.go", "x.s.cfg.Observe.Moved(kind.String(), len(p))\n", `stopAt("output")`+"\n"),
		in("session.go", "x.module += int64(len(p))\n",
			`if x.module == 0 { stopAt("accepted") }; if x.module += int64(len(p)); x.module > `+
				`x.offer.ModuleBytes/2 { stopAt("halfway") }`+"\n"),
		in("live.go", "waited := t.started.Sub(t.offered)\n",
			`waited := t.started.Sub(t.offered); stopAt("running")`+"\n"),
		in("live.go", "	return ending{receipt: envelope, trace: trace}\n}\n\n// kept",
			`	stopAt("written"); return ending{receipt: envelope, trace: trace}`+"\n}\n\n// kept"),
	}
}

// stopping returns the plasmd that can stop, in a folder with the other commands.
var stopping = sync.OnceValues(func() (string, error) {
	folder := filepath.Join(programs, "stopping")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return "", err
	}
	if err := os.Link(programs+"/plasm-run", folder+"/plasm-run"); err != nil {
		return "", err
	}
	return folder + "/plasmd", variant.BuildCommand(context.Background(), "plasmd", folder+"/plasmd", "", stops()...)
})

// serveStopping is serve with a plasmd that can stop.
func (u *user) serveStopping(m *netlab.Machine) *node {
	u.t.Helper()
	n := u.nodeStopping(m)
	n.ready()
	return n
}

// nodeStopping is node with a plasmd that can stop.
func (u *user) nodeStopping(m *netlab.Machine) *node {
	u.t.Helper()
	program, err := stopping()
	if err != nil {
		u.t.Fatal(err)
	}
	n := u.node(m)
	n.program = program
	n.env = []string{stopVariable + "=" + n.dir + "/stop"}
	return n
}

// stopAt has the node stop at the next job that comes to that point.
func (n *node) stopAt(p point) {
	n.t.Helper()
	file := n.dir + "/stop"
	if err := os.WriteFile(file+".new", []byte(p), 0o600); err != nil {
		n.t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		n.t.Fatal(err)
	}
}

// stopped waits until the node has stopped.
func (n *node) stopped() {
	n.t.Helper()
	n.stoppedFor(1)
}

// stoppedFor waits until the node has stopped for so many times since its start.
func (n *node) stoppedFor(times int) {
	n.t.Helper()
	seen := 0
	n.Event(patience, "stops", func(map[string]any) bool { seen++; return seen == times })
	eventually(n.t, "the node has stopped", func() string {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n.Pid()))
		if err != nil {
			n.t.Fatal(err)
		}
		_, state, _ := strings.Cut(string(stat), ") ")
		if strings.HasPrefix(state, "T") {
			return ""
		}
		return state
	})
}

// resume lets a stopped node go on.
func (n *node) resume() { n.Signal(syscall.SIGCONT) }
