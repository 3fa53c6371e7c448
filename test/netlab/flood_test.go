package netlab_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"plasm/test/bin"
	"plasm/test/netlab"
)

// What one stranger's machine can make a node hold, beyond what it holds anyway.
// docs/network.md says where the numbers come from.
const (
	floodMemory      = 96 << 20 // bytes of resident memory
	floodConns       = 128      // of one address
	floodDescriptors = floodConns + 16
)

// abandoned is how long a node may hold what its peer left without a word: until
// the muxers' and QUIC's own signs of life have failed.
const abandoned = 2 * time.Minute

// TestFlood: whatever one machine opens and abandons, another one's question is
// answered, what the node holds is bounded, and in the end it holds what it held
// before.
func TestFlood(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	buildFlood(t)
	machines := l.LAN("node", "user", "silence", "strangers", "streams")
	n := serve(t, machines[0], "--mdns=false", "--metrics", "127.0.0.1:9464")
	known := n.at(t, "/ip4/"+machines[0].Addr+"/tcp")
	ask(t, machines[1], n, known) // once before, so that all that stays is there
	before := settled(t, machines[0], sample{peers: 0, goroutines: 1 << 20, descriptors: 1 << 20})
	t.Logf("before: %+v", before)

	held := before
	for i, how := range []string{"silence", "strangers", "streams"} { // each from an address of its own
		p := machines[2+i].Start(nil, programs+"/flood", how, known, "2000")
		meanwhile := ask(t, machines[1], n, known)
		var got map[string]int
		if err := json.Unmarshal(p.Line(abandoned, func(line []byte) bool { return len(line) > 0 && line[0] == '{' }),
			&got); err != nil {
			t.Fatal(err)
		}
		after := ask(t, machines[1], n, known)
		now := measure(t, machines[0])
		t.Logf("%s: %v; answers in %v and %v; %+v", how, got, meanwhile, after, now)
		if got["got"] == 0 {
			t.Errorf("%s: it is no flood: %v", how, got)
		}
		if more := now.memory - held.memory; more > floodMemory {
			t.Errorf("%s: %d MiB more memory", how, more>>20)
		}
		if more := now.descriptors - held.descriptors; more > floodDescriptors {
			t.Errorf("%s: %d more descriptors", how, more)
		}
		if more := now.peers - held.peers; more > floodConns {
			t.Errorf("%s: %d more peers", how, more)
		}
		held = now
	}

	for _, m := range machines[2:] {
		m.Set("link set eth0 down") // no word of farewell
	}
	began := time.Now()
	last := settled(t, machines[0], before)
	t.Logf("all is over after %v: %+v", time.Since(began), last)
}

// What strangers with any number of addresses can make a node hold.
const (
	crowdMemory = 512 << 20
	crowdConns  = 2560
)

// TestCrowd: strangers at many addresses, each of which takes all it can, do not
// keep the node from answering another one's question within a second, and what
// it holds is bounded.
func TestCrowd(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	buildFlood(t)
	machines := l.LAN("node", "user", "crowd")
	for i := range 29 {
		machines[2].Set("addr add 10.1.0.%d/24 dev eth0", 100+i)
	}
	n := serve(t, machines[0], "--mdns=false", "--metrics", "127.0.0.1:9464")
	known := n.at(t, "/ip4/"+machines[0].Addr+"/tcp")
	ask(t, machines[1], n, known)
	before := measure(t, machines[0])

	p := machines[2].Start(nil, programs+"/flood", "crowd", known, "128")
	meanwhile := ask(t, machines[1], n, known)
	var got map[string]int
	if err := json.Unmarshal(p.Line(abandoned, func(line []byte) bool { return len(line) > 0 && line[0] == '{' }),
		&got); err != nil {
		t.Fatal(err)
	}
	after := ask(t, machines[1], n, known)
	now := measure(t, machines[0])
	t.Logf("%v; answers in %v and %v; before %+v, now %+v", got, meanwhile, after, before, now)
	if got["got"] < crowdConns/2 {
		t.Errorf("it is no crowd: %v", got)
	}
	if more := now.memory - before.memory; more > crowdMemory {
		t.Errorf("%d MiB more memory", more>>20)
	}
	if more := now.descriptors - before.descriptors; more > crowdConns+16 {
		t.Errorf("%d more descriptors", more)
	}
}

// offersHellos is how many jobs a listed requester runs beside a crowd.
const offersHellos = 8

// TestOffersThatNeverEnd: strangers at many addresses, each of which begins offers
// on as many streams as it may and opens what is dropped anew, keep no listed
// requester from running a job, from an address never seen either, and the node
// never has twice the memory that it has when idle.
func TestOffersThatNeverEnd(t *testing.T) {
	t.Parallel()
	const v4, v4s, v6, v6s = "10.1.0.2", "10.1.0.%d/24", "fd00:70:2::2", "fd00:70:0:%d00::1/32"
	for _, test := range []struct{ name, node, crowd, kind, over, flood string }{
		{"IPv4, TCP", v4, v4s, "/ip4/", "/tcp", "offers"},
		{"IPv4, TCP, with bytes", v4, v4s, "/ip4/", "/tcp", "loads"},
		{"IPv4, QUIC", v4, v4s, "/ip4/", "/udp", "offers"},
		{"IPv4, QUIC, with bytes", v4, v4s, "/ip4/", "/udp", "loads"},
		{"IPv6, a 48, TCP", v6, v6s, "/ip6/", "/tcp", "offers"},
		{"IPv6, a 48, TCP, with bytes", v6, v6s, "/ip6/", "/tcp", "loads"},
		{"IPv6, a 48, QUIC", v6, v6s, "/ip6/", "/udp", "offers"},
		{"IPv6, a 48, QUIC, with bytes", v6, v6s, "/ip6/", "/udp", "loads"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := netlab.New(t)
			buildFlood(t)
			machines := l.LAN("node", "user", "crowd", "neighbour")
			if test.kind == "/ip6/" {
				machines[0].Set("addr add %s/32 dev eth0 nodad", test.node)
				machines[1].Set("addr add fd00:70:1::3/32 dev eth0 nodad")
				machines[3].Set("addr add fd00:70:1::4/32 dev eth0 nodad")
			}
			for i := range 64 {
				option := ""
				if test.kind == "/ip6/" {
					option = "nodad"
				}
				machines[2].Set("addr add "+test.crowd+" dev eth0 %s", 10+i, option)
			}
			home := t.TempDir()
			env := append(bin.Env(), "HOME="+home)
			user := machines[1].Start(env, programs+"/plasm-submit", "--identity")
			requester := string(user.Line(time.Minute, func(line []byte) bool { return len(line) > 0 }))
			n := serve(t, machines[0], "--mdns=false", "--metrics", "127.0.0.1:9464", "--allow", requester)
			known := n.at(t, test.kind+test.node+test.over)
			hello := func(m *netlab.Machine, when string) time.Duration {
				began := time.Now()
				p := m.Start(env, programs+"/plasm-submit",
					"--mdns=false", "--no-stdin", "--memory", "64", "--peer", known,
					"../../examples/wordcount/wordcount.wasm")
				if err := p.End(5 * time.Minute); err != nil || string(p.Stdout()) != "0 0 0\n" {
					t.Errorf("%s: %v, %q\n%s", when, err, p.Stdout(), p.Stderr())
				}
				return time.Since(began)
			}
			for range 5 { // so that all that stays is there
				hello(machines[3], "alone")
				discover(t, machines[3], "--mdns=false", "--limit", "1", "--bootstrap", known)
			}
			idle := measure(t, machines[0])
			forgetMost(t, n.Pid())
			flood := machines[2].Start(nil, programs+"/flood", test.flood, known, "64")
			var got map[string]int
			if err := json.Unmarshal(flood.Line(5*time.Minute,
				func(line []byte) bool { return len(line) > 0 && line[0] == '{' }), &got); err != nil {
				t.Fatal(err)
			}
			var took []time.Duration
			for i := range offersHellos {
				took = append(took, hello(machines[1], fmt.Sprint("job ", i)))
			}
			n.Event(time.Minute, "streams without an offer are dropped: too many at a time", nil)
			now, most := measure(t, machines[0]), most(t, n.Pid())
			t.Logf("%v; jobs took %v; idle %+v, now %+v, at most %d MiB", got, took, idle, now, most>>20)
			if got["got"]+got["refused"] < 64*64 {
				t.Errorf("it is no crowd: %v", got)
			}
			// on a machine that is busy otherwise it tells most
			if fastest := slices.Min(took); fastest > 2*time.Second {
				t.Errorf("a listed requester's job took %v at least", fastest)
			}
			if most >= 2*idle.memory {
				t.Errorf("%d MiB of memory, idle it is %d", most>>20, idle.memory>>20)
			}
		})
	}
}

// forgetMost has most count from here on.
func forgetMost(t *testing.T, pid int) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
}

// most returns the most memory that a process has been resident with.
func most(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	var kib int64
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(after, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// ask has plasm-discover ask the node three times, each from a cold start and for as long
// as it does by itself, and returns how long the fastest took, for the log.
func ask(t *testing.T, m *netlab.Machine, n *node, known string) time.Duration {
	t.Helper()
	fastest := patience
	for range 3 {
		found, took := discover(t, m, "--mdns=false", "--limit", "1", "--bootstrap", known)
		if found[n.id] == nil {
			t.Errorf("found %v, want %s", found, n.id)
		}
		fastest = min(fastest, took)
	}
	return fastest
}

// TestOffice: twenty users behind one address are served at once, and one more.
func TestOffice(t *testing.T) {
	t.Parallel()
	l := netlab.New(t)
	buildFlood(t)
	internet := l.Internet()
	n := serve(t, internet.Host("node"), "--mdns=false", "--reachability", "public")
	known := n.at(t, "/ip4/192.0.0.65/tcp")
	office := internet.Site(netlab.Cone, "office")[0]
	p := office.Start(nil, programs+"/flood", "users", known, "20")
	line := p.Line(time.Minute, func(line []byte) bool { return len(line) > 0 && line[0] == '{' })
	if got := string(line); got != `{"got":20,"refused":0}` {
		t.Errorf("of twenty users: %s", got)
	}
	if found, _ := discover(t, office, "--mdns=false", "--bootstrap", known); found[n.id] == nil {
		t.Errorf("the next user found %v, want %s", found, n.id)
	}
}

// buildFlood builds the misbehaving peer.
func buildFlood(t *testing.T) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", programs+"/", "./flood").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
}

// sample is what a node holds.
type sample struct{ memory, descriptors, goroutines, peers int64 }

// measure reads a node's metrics.
func measure(t *testing.T, m *netlab.Machine) sample {
	t.Helper()
	page, err := m.Command(t.Context(), programs+"/flood", "metrics").Output()
	if err != nil {
		t.Fatal(err)
	}
	var s sample
	fields := map[string]*int64{
		"process_resident_memory_bytes": &s.memory, "process_open_fds": &s.descriptors,
		"go_goroutines": &s.goroutines, "plasm_peers": &s.peers,
	}
	for lines := bufio.NewScanner(bytes.NewReader(page)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		field := fields[name]
		if field == nil {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		*field = int64(number)
		delete(fields, name)
	}
	if len(fields) > 0 {
		t.Fatalf("metrics lack %v:\n%s", fields, page)
	}
	return s
}

// settled waits until the node has no peers and holds no more than it did.
func settled(t *testing.T, m *netlab.Machine, before sample) sample {
	t.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	late := time.After(abandoned)
	for {
		now := measure(t, m)
		if now.peers == 0 && now.goroutines <= before.goroutines && now.descriptors <= before.descriptors {
			return now
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("the node still holds %+v, before it was %+v", now, before)
		}
	}
}
