//go:build linux

package faults_test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plasm/lib/receipt"
	"plasm/test/bin"
	"plasm/test/netlab"
)

// soak is for how long TestLoad goes on; without it, for loadJobs jobs.
var soak = flag.Duration("soak", 0, "go on submitting for so long, and tell figures")

const (
	loadJobs   = 1000
	submitters = 20 // at once
	loadSlots  = 4  // of each node
	loadMemory = 64 // MB, of each job: as much as a slot's share
)

// TestLoad: twenty commands at a time, all of one user on one machine, have three
// nodes do a thousand jobs. Each is answered once, and rightly; no node takes more
// than it may; none grows.
func TestLoad(t *testing.T) {
	l := newLoad(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var watching sync.WaitGroup
	for _, n := range l.nodes {
		watching.Go(func() { l.watch(ctx, n) })
	}
	began := time.Now()
	l.submitAll(began)
	took := time.Since(began)
	stop()
	watching.Wait()
	l.tell(took)
	l.once()
	l.flat()
	for _, n := range l.nodes {
		n.settle()
	}
	if pids := l.u.machine.Pids(); len(pids) > 0 {
		t.Errorf("processes of the user's are left: %v", pids)
	}
}

// load is what TestLoad does and sees.
type load struct {
	t     *testing.T
	u     *user
	nodes []*node
	peers []string

	mu      sync.Mutex
	begun   int
	answers []answer
	samples map[*node][]map[string]int
}

// answer is what came of one job.
type answer struct {
	took time.Duration
	v    *receipt.Verified
}

func newLoad(t *testing.T) *load {
	t.Helper()
	lab := netlab.New(t)
	machines := lab.LAN("user", "one", "two", "three")
	l := &load{t: t, u: newUser(t, machines[0]), samples: map[*node][]map[string]int{}}
	for i, m := range machines[1:] {
		n := l.u.node(m)
		n.slots, n.memory = loadSlots, loadSlots*loadMemory
		n.ready()
		l.nodes = append(l.nodes, n)
		l.peers = append(l.peers, "--peer", n.addr([]string{"tcp", "udp"}[i%2])+"/p2p/"+n.id)
	}
	return l
}

// submitAll keeps so many commands going until there were enough jobs.
func (l *load) submitAll(began time.Time) {
	var all sync.WaitGroup
	for range submitters {
		all.Go(func() {
			for i, more := l.next(began); more; i, more = l.next(began) {
				if err := l.job(i); err != nil {
					l.t.Errorf("job %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func (l *load) next(began time.Time) (i int, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if *soak > 0 && time.Since(began) > *soak || *soak == 0 && l.begun == loadJobs {
		return 0, false
	}
	l.begun++
	return l.begun, true
}

// job has one job done and checks what comes of it. One of ten has a megabyte to
// move.
func (l *load) job(i int) error {
	dir, err := os.MkdirTemp(l.u.dir, "job-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	stdin := fmt.Appendf(nil, "job %d", i)
	program, stdout := "hello", slices.Clone(stdin)
	slices.Reverse(stdout)
	if i%10 == 0 {
		program, stdin = "cat", bytes.Repeat(stdin, 1<<20/len(stdin))
		stdout = stdin
	}
	if err := os.WriteFile(dir+"/in", stdin, 0o600); err != nil {
		return err
	}
	args := slices.Concat([]string{
		"--key", l.u.key, "--receipt", dir + "/receipt", "--mdns=false", "--stdin", dir + "/in",
		"--memory", fmt.Sprint(loadMemory), "--retries", "0",
	}, l.peers, []string{fmt.Sprintf("../../examples/%s/%[1]s.wasm", program), fmt.Sprint(i)})
	cmd := l.u.machine.Command(l.t.Context(), programs+"/plasm-submit", args...)
	cmd.Env = append(bin.Env(), "PATH="+os.Getenv("PATH"), "HOME="+l.u.dir, "TMPDIR="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	began := time.Now()
	out, err := cmd.Output()
	took := time.Since(began)
	if err != nil || !bytes.Equal(out, stdout) || stderr.Len() > 0 {
		return fmt.Errorf("%w, %d bytes, want %d: %.100q\n%s", err, len(out), len(stdout), out, &stderr)
	}
	v, err := l.verify(dir+"/receipt", program, stdin, stdout, fmt.Sprint(i))
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = append(l.answers, answer{took, v})
	return nil
}

// verify checks a receipt by the keys of the nodes, and nothing that the command says.
func (l *load) verify(file, program string, stdin, stdout []byte, arg string) (*receipt.Verified, error) {
	module, err := os.ReadFile(fmt.Sprintf("../../examples/%s/%[1]s.wasm", program))
	if err != nil {
		return nil, err
	}
	envelope, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	v, err := receipt.Verify(envelope, keysOf(l.t, l.nodes))
	if err != nil {
		return nil, err
	}
	err = v.Check(&receipt.Expect{
		Module: contentOf(module).Digest, ExitCodes: []uint32{0},
		Stdin: []receipt.Content{contentOf(stdin)}, Stdout: []receipt.Content{contentOf(stdout)},
	})
	if err == nil && (v.Requester != l.u.id || !slices.Equal(v.Manifest.Args, []string{arg})) {
		err = fmt.Errorf("for %s, of %q", v.Requester, v.Manifest.Args)
	}
	return v, err
}

// watch looks at a node's metrics again and again.
func (l *load) watch(ctx context.Context, n *node) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		now, err := n.read(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			l.t.Errorf("metrics: %v", err)
			return
		}
		running, held := now["plasm_jobs_running"], now["plasm_memory_held_megabytes"]
		if running > loadSlots || held > loadSlots*loadMemory || now["plasm_slots_free"] < 0 {
			l.t.Errorf("a node of %d slots and %d MB has %d jobs with %d MB", loadSlots, loadSlots*loadMemory, running,
				held)
		}
		l.mu.Lock()
		l.samples[n] = append(l.samples[n], now)
		l.mu.Unlock()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// once checks that each job ran once on one node, and that no node ran more at a
// time than it has slots: by the nodes' own counters, their events, and receipts.
func (l *load) once() {
	l.t.Helper()
	ran := 0
	for _, n := range l.nodes {
		now := n.metrics()
		for name, value := range now {
			if strings.HasPrefix(name, "plasm_jobs_total") {
				if value > 0 && name != `plasm_jobs_total{status="exit"}` {
					l.t.Errorf("%s %d", name, value)
				}
				ran += value
			}
		}
		ran-- // the one before all of these
	}
	ids := map[string]int{}
	perNode := map[string][]*receipt.Verified{}
	for _, a := range l.answers {
		ids[a.v.Manifest.ID]++
		perNode[a.v.Node.PeerID] = append(perNode[a.v.Node.PeerID], a.v)
	}
	if ran != l.begun || len(ids) != l.begun || len(l.answers) != l.begun {
		l.t.Errorf("%d jobs were submitted, %d ran, %d were answered, %d different ones", l.begun, ran, len(l.answers),
			len(ids))
	}
	for _, n := range l.nodes {
		if most := atATime(perNode[n.id]); most > loadSlots {
			l.t.Errorf("by its receipts a node of %d slots ran %d jobs at a time", loadSlots, most)
		}
		ended := n.ended()
		for _, v := range perNode[n.id] {
			if count := ended[v.Manifest.ID]; count != 1 {
				l.t.Errorf("job %s ended %d times", v.Manifest.ID, count)
			}
		}
	}
}

// atATime returns how many of the jobs ran at the same time, at most.
func atATime(jobs []*receipt.Verified) int {
	changes := map[int64]int{}
	for _, v := range jobs { // one that ended within a millisecond has made room for the next
		changes[v.StartedAt.UnixMilli()]++
		changes[v.FinishedAt.UnixMilli()]--
	}
	most, now := 0, 0
	for _, at := range slices.Sorted(maps.Keys(changes)) {
		now += changes[at]
		most = max(most, now)
	}
	return most
}

// flat checks that no node has more memory at the end than it had when it was
// warm, but for what it keeps of each result.
func (l *load) flat() {
	l.t.Helper()
	const tolerance = 24 << 20
	for _, n := range l.nodes {
		s := l.samples[n]
		if len(s) < 8 {
			l.t.Errorf("only %d samples", len(s))
			continue
		}
		early, late := middle(s[len(s)/4:len(s)/2], resident), middle(s[3*len(s)/4:], resident)
		if late > early+tolerance {
			l.t.Errorf("a node has grown from %d to %d MiB", early>>20, late>>20)
		}
	}
}

const resident = "process_resident_memory_bytes"

// middle returns the median of one metric.
func middle(samples []map[string]int, name string) int {
	values := make([]int, 0, len(samples))
	for _, s := range samples {
		values = append(values, s[name])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// most returns the highest value of one metric.
func most(samples []map[string]int, name string) int {
	value := 0
	for _, s := range samples {
		value = max(value, s[name])
	}
	return value
}

// tell logs the figures.
func (l *load) tell(took time.Duration) {
	slices.SortFunc(l.answers, func(a, b answer) int { return cmp.Compare(a.took, b.took) })
	if len(l.answers) == 0 {
		return
	}
	at := func(percent int) time.Duration {
		return l.answers[(len(l.answers)-1)*percent/100].took.Round(time.Millisecond)
	}
	l.t.Logf("%d jobs in %v, %.1f/s; half within %v, 95 %% within %v, 99 %% within %v, all within %v",
		len(l.answers), took.Round(time.Second), float64(len(l.answers))/took.Seconds(), at(50), at(95), at(99),
		at(100))
	for _, n := range l.nodes {
		s := l.samples[n]
		if len(s) < 8 {
			continue
		}
		first, last := s[:len(s)/4], s[3*len(s)/4:]
		l.t.Logf("a node: resident %d MiB in the first quarter, %d in the last, at most %d; goroutines %d, %d; "+
			"descriptors %d, %d; at most %d jobs, %d MB, %d waiting; busy %d, rate_limited %d",
			middle(first, resident)>>20, middle(last, resident)>>20, most(s, resident)>>20,
			middle(first, "go_goroutines"), middle(last, "go_goroutines"), middle(first, "process_open_fds"),
			middle(last, "process_open_fds"),
			most(s, "plasm_jobs_running"), most(s, "plasm_memory_held_megabytes"), most(s, "plasm_jobs_queued"),
			most(s, `plasm_offers_total{outcome="busy"}`), most(s, `plasm_offers_total{outcome="rate_limited"}`))
	}
}
