//go:build linux

package faults_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"plasm/lib/job"
	"plasm/test/bin"
	"plasm/test/netlab"
)

// node is a plasmd, alone on its machine, that can be ended and started again.
type node struct {
	*netlab.Process
	t       *testing.T
	machine *netlab.Machine
	program string
	dir     string // home, data, run and tmp
	env     []string
	slots   int
	memory  int // MB
	id      string
	u       *user    // who may submit
	before  holdings // what it held when it had nothing to do
}

// serve starts a node on a machine to which u may submit, and has it run a job, so
// that all is there that stays.
func (u *user) serve(m *netlab.Machine) *node {
	u.t.Helper()
	n := u.node(m)
	n.ready()
	return n
}

// ready starts the node, and has it run a job.
func (n *node) ready() {
	n.t.Helper()
	n.start()
	n.before = n.rested(holdings{goroutines: 1 << 20, descriptors: 1 << 20, processes: 1 << 20})
}

// node prepares a node that isn't started.
func (u *user) node(m *netlab.Machine) *node {
	u.t.Helper()
	n := &node{t: u.t, machine: m, program: programs + "/plasmd", dir: u.t.TempDir(), u: u, slots: 2, memory: 512}
	if err := os.Mkdir(n.dir+"/tmp", 0o700); err != nil {
		u.t.Fatal(err)
	}
	return n
}

// start starts the node, at the address that it always has.
func (n *node) start() {
	n.t.Helper()
	args := []string{
		"serve", "--data-dir", n.dir + "/data", "--runtime-dir", n.dir + "/run", "--log-format", "json",
		"--listen", "/ip4/" + n.machine.Addr + "/tcp/7527", "--listen", "/ip4/" + n.machine.Addr + "/udp/7527/quic-v1",
		"--mdns=false", "--metrics", "127.0.0.1:9464", "--allow", n.u.id,
		"--memory", strconv.Itoa(n.memory), "--slots", strconv.Itoa(n.slots),
	}
	env := slices.Concat(bin.Env(), n.env, []string{"HOME=" + n.dir, "TMPDIR=" + n.dir + "/tmp"})
	n.Process = n.machine.Start(env, n.program, args...)
	first := n.Line(patience, func(line []byte) bool { return bytes.HasPrefix(line, []byte("/")) })
	_, n.id, _ = strings.Cut(string(first), "/p2p/")
	n.Event(patience, "node.ready", nil)
}

// kill ends the node as kill -9 does, and waits until nothing of it runs.
func (n *node) kill() {
	n.t.Helper()
	if err := n.Stop(syscall.SIGKILL, patience); err == nil {
		n.t.Error("a killed node ends with 0")
	}
	eventually(n.t, "a killed node's workers are gone", func() string {
		if pids := n.machine.Pids(); len(pids) > 0 {
			return fmt.Sprintf("%v run", pids)
		}
		return ""
	})
}

// addr is where the node is reached, over tcp or udp.
func (n *node) addr(transport string) string {
	addr := "/ip4/" + n.machine.Addr + "/" + transport + "/7527"
	if transport == "udp" {
		addr += "/quic-v1"
	}
	return addr
}

// peer is a candidate for the node at that address.
func (n *node) peer(addr string) *job.Node {
	return &job.Node{
		PeerID: n.id, Addrs: []string{addr + "/p2p/" + n.id}, Version: "test", OS: "linux", Arch: "amd64", CPUCores: 1,
		MemoryMB: 512,
		Engines:  []job.NodeEngine{{Name: "wazero", Version: "v1"}}, Slots: job.Slots{Total: 16, Free: 1},
		Limits: job.NodeLimits{
			MemoryMB: 512, TimeoutMS: job.MaxTimeout, ModuleBytes: 1 << 30, InputBytes: 1 << 30,
			OutputBytes: 1 << 30,
		},
	}
}

// workers returns the processes that the node has started.
func (n *node) workers() []int {
	n.t.Helper()
	return slices.DeleteFunc(n.machine.Pids(), func(pid int) bool { return pid == n.Pid() })
}

// ran returns how often a job has run to its end on the node since its start.
func (n *node) ran(id string) int { return n.ended()[id] }

// ended returns how often each job of the user's has run to its end on the node
// since its start.
func (n *node) ended() map[string]int {
	ids := map[string]int{}
	for line := range bytes.Lines(n.Stderr()) {
		_, rest, found := bytes.Cut(line, fmt.Appendf(nil, `"msg":"job.finished","requester":%q,"job":"`, n.u.id))
		if id, _, whole := bytes.Cut(rest, []byte(`"`)); found && whole {
			ids[string(id)]++
		}
	}
	return ids
}

// holdings is what a node holds.
type holdings struct {
	goroutines, descriptors, processes int
	busy                               []string // all that has to do with a job or a peer
}

// metrics returns the node's metrics.
func (n *node) metrics() map[string]int {
	n.t.Helper()
	values, err := n.read(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	return values
}

// read reads the node's metrics.
func (n *node) read(ctx context.Context) (map[string]int, error) {
	page, err := n.machine.Get(ctx, "http://127.0.0.1:9464/metrics")
	if err != nil {
		return nil, err
	}
	values := map[string]int{}
	for lines := bufio.NewScanner(bytes.NewReader(page)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if number, err := strconv.ParseFloat(value, 64); err == nil {
			values[name] = int(number)
		}
	}
	return values, nil
}

// hold reads what the node holds.
func (n *node) hold() holdings {
	n.t.Helper()
	gauges := n.metrics()
	h := holdings{processes: len(n.workers())}
	h.goroutines, h.descriptors = gauges["go_goroutines"], gauges["process_open_fds"]
	for name, idle := range map[string]int{
		"plasm_peers": 0, "plasm_jobs_running": 0, "plasm_jobs_queued": 0, "plasm_slots_free": n.slots,
		"plasm_memory_held_megabytes": 0,
	} {
		if value, ok := gauges[name]; !ok || value != idle {
			h.busy = append(h.busy, fmt.Sprintf("%s %d", name, value))
		}
	}
	for _, dir := range []string{"data/unfinished", "data/cache/staging", "tmp"} {
		names, err := filepath.Glob(filepath.Join(n.dir, dir, "*"))
		if err != nil {
			n.t.Fatal(err)
		}
		h.busy = append(h.busy, names...)
	}
	return h
}

// settle checks that the node still works, and in the end holds no more than it
// did before.
func (n *node) settle() {
	n.t.Helper()
	n.rested(n.before)
}

// rested has the node run a job, waits until it is idle and holds at most that,
// and returns what it holds. The job makes what it holds comparable: a worker
// that waits for the next job, for one.
func (n *node) rested(most holdings) holdings {
	n.t.Helper()
	w := n.u.work("hello", []byte("abc"), []byte("cba"))
	w.submit(n.u.machine, n.peer(n.addr("tcp"))).answers(n)
	var h holdings
	eventually(n.t, "a node has nothing left to do", func() string {
		h = n.hold()
		if len(h.busy) > 0 || h.goroutines > most.goroutines || h.descriptors > most.descriptors ||
			h.processes > most.processes {
			return fmt.Sprintf("it holds %+v, and held %+v", h, most)
		}
		return ""
	})
	return h
}

// eventually waits until why returns nothing.
func eventually(t *testing.T, what string, why func() string) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	late := time.After(2 * patience)
	for {
		reason := why()
		if reason == "" {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: not so: %s", what, reason)
		}
	}
}
