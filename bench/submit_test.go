package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"plasm/lib/cli"
	"plasm/lib/exchange/submit"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/test/bin"
)

// BenchmarkSubmit compares a warm hello on a node of this machine, by a
// plasm-submit that is given its address or has to find it, with a warm
// `plasm-run hello.wasm`, in turn. Each figure has the start of the process in it.
func BenchmarkSubmit(b *testing.B) {
	for _, test := range []struct {
		name   string
		target float64
		where  func(addr string) []string
	}{
		{"peer", 3, func(addr string) []string { return []string{"--peer", addr} }},
		{"discovery", 10, func(addr string) []string { return []string{"--bootstrap", addr, "--trust", "any"} }},
	} {
		b.Run(test.name, func(b *testing.B) {
			h := buildSubmit(b)
			n := h.serve(b, "--allow", h.identity(b))
			local := func() time.Duration { return took(b, h.command(h.run, "--no-stdin", example("hello"))) }
			remote := func() time.Duration { return took(b, h.submit(example("hello"), test.where(n.addr)...)) }
			local()
			remote()
			var times, ratios []float64
			for b.Loop() {
				there := remote()
				times = append(times, ms(there))
				ratios = append(ratios, float64(there)/float64(local()))
			}
			b.ReportMetric(median(times), "ms")
			atMost(b, median(ratios), "x-plasm-run", test.target)
		})
	}
}

// BenchmarkSubmitAgain sends a module of 5 MB a second time, which should take next
// to no bytes and not much longer than hello.
func BenchmarkSubmitAgain(b *testing.B) {
	h := buildSubmit(b)
	n := h.serve(b, "--allow", h.identity(b))
	hello, err := os.ReadFile(example("hello"))
	if err != nil {
		b.Fatal(err)
	}
	large := h.module(b, "large", padded(hello, 5_000_000))
	b.Run("bytes", func(b *testing.B) {
		addr, sent := counted(b, n.addr)
		send := func() { // without the node's other addresses from last time
			cmd := h.submit(large, "--peer", addr)
			cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+b.TempDir())
			took(b, cmd)
		}
		send()
		if first := sent.Load(); first < 5_000_000 {
			b.Fatalf("the first submission sends %d bytes", first)
		}
		var figures []float64
		for b.Loop() {
			before := sent.Load()
			send()
			figures = append(figures, float64(sent.Load()-before))
		}
		atMost(b, median(figures), "bytes-sent", 8_000)
	})
	b.Run("time", func(b *testing.B) {
		one := func(module string) float64 { return ms(took(b, h.submit(module, "--peer", n.addr))) }
		one(large)
		one(example("hello"))
		var ratios []float64
		for b.Loop() {
			ratios = append(ratios, one(large)/one(example("hello")))
		}
		atMost(b, median(ratios), "x-hello", 1.2)
	})
}

// padded is a module with so many bytes that no engine looks at.
func padded(module []byte, size int) []byte {
	name := "\x07padding"
	section := binary.AppendUvarint([]byte{0}, uint64(len(name)+size))
	return append(append(append(bytes.Clone(module), section...), name...), make([]byte, size)...)
}

// counted returns an address that leads to addr, and counts what is sent there.
func counted(b *testing.B, addr string) (string, *atomic.Int64) {
	b.Helper()
	parts := strings.Split(addr, "/") // "", ip4, IP, tcp, PORT, p2p, ID
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	sent := &atomic.Int64{}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go forward(near, net.JoinHostPort(parts[2], parts[4]), sent)
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return fmt.Sprintf("/ip4/127.0.0.1/tcp/%s/p2p/%s", port, parts[6]), sent
}

// forward connects near with an address, and counts what near sends.
func forward(near net.Conn, to string, sent *atomic.Int64) {
	defer func() { _ = near.Close() }()
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(near, far)
		_ = near.Close()
	})
	_, _ = io.Copy(far, countingReader{near, sent})
	_ = far.Close()
	both.Wait()
}

type countingReader struct {
	r io.Reader
	n *atomic.Int64
}

func (c countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// BenchmarkNodeJobs compares how many hellos a second a node runs for one user, who
// has as many under way as the node has slots, with the same through plasm-run, one
// after the other.
func BenchmarkNodeJobs(b *testing.B) {
	const batch = 50
	h := buildSubmit(b)
	key := identity.Generate()
	n := h.serve(b, "--slots", "2", "--allow", key.PeerID()) // listed: the others have 2 offers a second
	client := newSubmitter(b, key, n.addr, example("hello"))
	client.jobs(b, 2, 4)
	local := h.command(h.run, "--no-stdin", example("hello"))
	took(b, local)
	var rates, ratios []float64
	for b.Loop() {
		began := time.Now()
		client.jobs(b, 2, batch)
		there := time.Since(began)
		began = time.Now()
		for range batch {
			took(b, h.command(h.run, "--no-stdin", example("hello")))
		}
		rates = append(rates, batch/there.Seconds())
		ratios = append(ratios, float64(there)/float64(time.Since(began)))
	}
	b.ReportMetric(median(rates), "jobs/s")
	atMost(b, median(ratios), "x-plasm-run-loop", 1)
}

// submitter submits jobs from this process.
type submitter struct {
	cfg    submit.Config
	peer   peer.AddrInfo
	module []byte
}

func newSubmitter(b *testing.B, key *identity.Key, addr, file string) *submitter {
	b.Helper()
	module, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	infos, err := network.ParseAddrs([]string{addr})
	if err != nil {
		b.Fatal(err)
	}
	return &submitter{
		cfg: submit.Config{
			Host: join(b, network.Config{}), Key: key, Trusted: func(string) bool { return true },
			Spool: func() submit.Spool { return &cli.Spool{} },
		},
		peer: infos[0], module: module,
	}
}

// jobs submits so many jobs, some at a time.
func (s *submitter) jobs(b *testing.B, atATime, jobs int) {
	b.Helper()
	left := make(chan struct{}, jobs)
	for range jobs {
		left <- struct{}{}
	}
	close(left)
	var all sync.WaitGroup
	for range atATime {
		all.Go(func() {
			for range left {
				if err := s.one(b.Context()); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func (s *submitter) one(ctx context.Context) error {
	m := job.NewManifest()
	m.ID, m.ModuleHash, m.StdinHash = job.NewID(), job.Sum(s.module), job.EmptyDigest
	r, err := submit.Run(ctx, s.cfg, &submit.Job{Manifest: m, Module: s.module},
		func(_ context.Context, found func(submit.Candidate)) error {
			found(submit.Candidate{Info: s.peer})
			return nil
		})
	if err != nil {
		return err
	}
	r.Close()
	return nil
}

// BenchmarkRemotePipe compares 256 MiB through a remote cat and back with the same
// bytes through a plain stream, by the same transport, one way.
func BenchmarkRemotePipe(b *testing.B) {
	const size = 256 << 20
	h := buildSubmit(b)
	n := h.serve(b, "--allow", h.identity(b))
	data := filepath.Join(h.dir, "input")
	if err := os.WriteFile(data, bytes.Repeat([]byte("0123456789abcdef"), size/16), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, transport := range []string{"tcp", "udp"} {
		b.Run(transport, func(b *testing.B) {
			addr := n.by(b, transport)
			var speeds, ratios []float64
			for b.Loop() {
				cmd := h.submit(example("cat"), "--peer", addr, "--stdin", data, "--stdout", os.DevNull,
					"--output-limit", strconv.Itoa(size))
				// without the other transport's address from last time
				cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+b.TempDir())
				cat := took(b, cmd)
				speeds = append(speeds, size/1e6/cat.Seconds())
				ratios = append(ratios, float64(cat)/float64(raw(b, transport, size)))
			}
			b.ReportMetric(median(speeds), "MB/s")
			atMost(b, median(ratios), "x-raw-stream", 4)
		})
	}
}

// raw returns how long so many bytes take from one host to another.
func raw(b *testing.B, transport string, size int64) time.Duration {
	b.Helper()
	const proto = protocol.ID("/bench/raw")
	listen := map[string]string{"tcp": "/ip4/127.0.0.1/tcp/0", "udp": "/ip4/127.0.0.1/udp/0/quic-v1"}[transport]
	from, to := join(b, network.Config{Listen: []string{listen}}), join(b, network.Config{Listen: []string{listen}})
	done := make(chan int64, 1)
	to.SetStreamHandler(proto, func(s p2p.Stream) {
		n, _ := io.Copy(io.Discard, s)
		done <- n
	})
	ctx := b.Context()
	if err := from.Connect(ctx, peer.AddrInfo{ID: to.ID(), Addrs: to.LocalAddrs()}); err != nil {
		b.Fatal(err)
	}
	s, err := from.NewStream(ctx, to.ID(), proto)
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	buf := make([]byte, 64<<10)
	for left := size; left > 0; left -= int64(len(buf)) {
		if _, err := s.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	_ = s.Close()
	if n := <-done; n != size {
		b.Fatalf("%d bytes of %d", n, size)
	}
	return time.Since(began)
}

// buildSubmit is buildNetwork, and plasm-submit beside the others.
func buildSubmit(b *testing.B) *house {
	b.Helper()
	h := buildNetwork(b)
	if err := bin.Build(b.Context(), h.dir, "plasm-submit"); err != nil {
		b.Fatal(err)
	}
	if err := bin.Install(filepath.Join(h.dir, "plasm-submit")); err != nil {
		b.Fatal(err)
	}
	return h
}

// identity is the peer ID of who submits.
func (h *house) identity(b *testing.B) string {
	b.Helper()
	id, err := h.command(filepath.Join(h.dir, "plasm-submit"), "--identity").Output()
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(string(id))
}

// submit is a plasm-submit of a module, without input and without mDNS.
func (h *house) submit(module string, flags ...string) *exec.Cmd {
	args := append([]string{"--mdns=false"}, flags...)
	if !strings.Contains(strings.Join(flags, " "), "--stdin") {
		args = append(args, "--no-stdin")
	}
	return h.command(filepath.Join(h.dir, "plasm-submit"), append(args, module)...)
}
