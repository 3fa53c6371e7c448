package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/capability"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/test/bin"
)

// BenchmarkDiscover tells how long plasm-discover takes from the start of its
// process to its first line, with one bootstrap address on loopback, and compares
// that with a warm `plasm-run hello.wasm`, in turn.
func BenchmarkDiscover(b *testing.B) {
	h := buildNetwork(b)
	hello := func() float64 { return ms(took(b, h.command(h.run, "--no-stdin", example("hello")))) }
	hello()
	for _, nodes := range []int{1, 50} {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			known := h.serve(b).addr
			if nodes > 1 {
				known = startNodes(b, nodes)
			}
			var first, ratios []float64
			for b.Loop() {
				line := h.firstLine(b, "plasm-discover", "--bootstrap", known, "--mdns=false", "--limit", "1")
				first = append(first, ms(line))
				ratios = append(ratios, ms(line)/hello())
			}
			b.ReportMetric(median(ratios), "x-hello")
			atMost(b, median(first), "ms-to-first-line", 200)
		})
	}
}

// BenchmarkNodeStart compares how long plasmd takes to its first line, when it is
// there to be found, with a Go program that does nothing, in turn.
func BenchmarkNodeStart(b *testing.B) {
	h := buildNetwork(b)
	h.serve(b).stop(b) // makes its key
	var starts, ratios []float64
	for b.Loop() {
		n := h.serve(b)
		n.stop(b)
		starts = append(starts, ms(n.took))
		ratios = append(ratios, ms(n.took)/ms(took(b, h.command(h.empty))))
	}
	b.ReportMetric(median(ratios), "x-empty-program")
	atMost(b, median(starts), "ms-to-first-line", 500)
}

// BenchmarkNodeIdle tells what a node takes that has nothing to do: milliseconds
// of CPU a second, and resident memory in MB.
func BenchmarkNodeIdle(b *testing.B) {
	const watched = 10 * time.Second
	h := buildNetwork(b)
	for _, test := range []struct {
		peers       int
		cpu, memory float64
	}{{0, 10, 64}, {200, 50, 128}} {
		b.Run(fmt.Sprintf("peers=%d", test.peers), func(b *testing.B) {
			n := h.serve(b)
			infos, err := network.ParseAddrs([]string{n.addr})
			if err != nil {
				b.Fatal(err)
			}
			for range test.peers {
				<-join(b, network.Config{Bootstrap: infos}).Ready()
			}
			var cpu, memory []float64
			for b.Loop() {
				cpu = append(cpu, n.idle(b, watched))
				memory = append(memory, status(b, n.pid(), "VmRSS:"))
			}
			atMost(b, median(cpu), "cpu-ms/s", test.cpu)
			atMost(b, median(memory), "MB", test.memory)
		})
	}
}

// buildNetwork is build, and the commands of the network beside plasm-run.
func buildNetwork(b *testing.B) *house {
	b.Helper()
	h := build(b)
	names := []string{"plasmd", "plasm-discover"}
	if err := bin.Build(b.Context(), h.dir, names...); err != nil {
		b.Fatal(err)
	}
	for _, name := range names {
		if err := bin.Install(filepath.Join(h.dir, name)); err != nil {
			b.Fatal(err)
		}
	}
	return h
}

// server is a plasmd on loopback.
type server struct {
	cmd     *exec.Cmd
	addr    string        // its first
	addrs   []string      // all
	took    time.Duration // to that line
	stopped sync.Once
}

// serve starts a node and waits for its first line.
func (h *house) serve(b *testing.B, flags ...string) *server {
	b.Helper()
	runtime := filepath.Join(h.dir, "runtime")
	n := &server{cmd: h.command(filepath.Join(h.dir, "plasmd"), append([]string{
		"serve", "--mdns=false", "--log-level", "error",
		"--data-dir", filepath.Join(h.dir, "data"), "--runtime-dir", runtime,
		"--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1",
	}, flags...)...)}
	n.addr, n.took = begin(b, n.cmd)
	b.Cleanup(func() { n.stop(b) })
	addrs, err := os.ReadFile(filepath.Join(runtime, "addrs")) // there before the first line
	if err != nil {
		b.Fatal(err)
	}
	n.addrs = strings.Fields(string(addrs))
	return n
}

// by returns the node's address for a transport.
func (n *server) by(b *testing.B, transport string) string {
	b.Helper()
	for _, addr := range n.addrs {
		if strings.Contains(addr, "/"+transport+"/") {
			return addr
		}
	}
	b.Fatalf("no address by %s: %v", transport, n.addrs)
	return ""
}

// stop ends the node and waits.
func (n *server) stop(b *testing.B) {
	b.Helper()
	n.stopped.Do(func() {
		_ = n.cmd.Process.Signal(syscall.SIGTERM)
		if err := n.cmd.Wait(); err != nil {
			b.Errorf("plasmd ends with %v", err)
		}
	})
}

func (n *server) pid() int { return n.cmd.Process.Pid }

// idle watches the node for a while and returns the CPU time that it took, in
// milliseconds a second.
func (n *server) idle(b *testing.B, watched time.Duration) float64 {
	b.Helper()
	before := onCPU(b, n.pid())
	<-time.After(watched)
	return ms(onCPU(b, n.pid())-before) / watched.Seconds()
}

// firstLine runs a command that must succeed and returns how long it took from
// the start of its process to its first line.
func (h *house) firstLine(b *testing.B, name string, args ...string) time.Duration {
	b.Helper()
	cmd := h.command(filepath.Join(h.dir, name), args...)
	_, took := begin(b, cmd)
	if err := cmd.Wait(); err != nil {
		b.Fatalf("%v: %v", cmd.Args, err)
	}
	return took
}

// begin starts a command and waits for its first line. The others may fill a
// pipe's buffer and no more.
func begin(b *testing.B, cmd *exec.Cmd) (line string, took time.Duration) {
	b.Helper()
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	line, err = bufio.NewReader(stdout).ReadString('\n')
	took = time.Since(began)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		b.Fatalf("%v wrote %q: %v", cmd.Args, line, err)
	}
	return strings.TrimSpace(line), took
}

// startNodes starts nodes in this process, on loopback, and returns the address of
// one. All of them are announced.
func startNodes(b *testing.B, nodes int) string {
	b.Helper()
	hosts := make([]*network.Host, nodes)
	var first []peer.AddrInfo
	for i := range hosts {
		hosts[i] = join(b, network.Config{Server: true, Bootstrap: first})
		if i == 0 {
			first = []peer.AddrInfo{{ID: hosts[0].ID(), Addrs: hosts[0].LocalAddrs()}}
		}
	}
	announced(b, hosts)
	quiet(b)
	return first[0].Addrs[0].String() + "/p2p/" + first[0].ID.String()
}

// quiet waits until this process has next to nothing to do: nodes that have just
// joined fill their routing tables, and all of these share one machine.
func quiet(b *testing.B) {
	b.Helper()
	const look, little, patience = 250 * time.Millisecond, 25 * time.Millisecond, 2 * time.Minute
	tick := time.NewTicker(look)
	defer tick.Stop()
	late := time.After(patience)
	for before := onCPU(b, os.Getpid()); ; {
		select {
		case <-tick.C:
		case <-late:
			b.Fatalf("the nodes are still busy after %v", patience)
		}
		now := onCPU(b, os.Getpid())
		if now-before < little {
			return
		}
		before = now
	}
}

// join starts a host on loopback that ends with the benchmark.
func join(tb testing.TB, cfg network.Config) *network.Host {
	tb.Helper()
	if cfg.Listen == nil {
		cfg.Listen = []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}
	}
	h, err := network.Start(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = h.Close() })
	return h
}

// announced makes nodes of hosts: each answers, and is announced for the key that
// a search without needs looks up.
func announced(tb testing.TB, hosts []*network.Host) {
	tb.Helper()
	doc := job.Node{
		Version: "bench", OS: "linux", Arch: "amd64", CPUCores: 4, MemoryMB: 1024,
		Engines: []job.NodeEngine{{Name: "wazero", Version: "v1"}}, Slots: job.Slots{Total: 4, Free: 4},
		Limits: job.NodeLimits{MemoryMB: 1024, TimeoutMS: 1000, ModuleBytes: 1, InputBytes: 1, OutputBytes: 1},
	}
	var all sync.WaitGroup
	for _, h := range hosts {
		tb.Cleanup(capability.Serve(h, func() job.Node { return doc }, nil).Close)
		<-h.Ready()
		all.Go(func() {
			if err := h.Provide(tb.Context(), capability.Need{}.Key()); err != nil {
				tb.Error(err)
			}
		})
	}
	all.Wait()
}

// onCPU is how long the threads of a process have run.
func onCPU(b *testing.B, pid int) time.Duration {
	b.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		b.Skip("time on the CPU is read from /proc, which this system has not")
	}
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// status returns a size from a process's status, in MB.
func status(b *testing.B, pid int, field string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skipf("memory is read from /proc, which this system has not: %v", err)
	}
	words := strings.Fields(string(text))
	kb, err := strconv.ParseFloat(words[slices.Index(words, field)+1], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1000
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
