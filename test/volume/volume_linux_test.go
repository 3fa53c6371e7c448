// Package volume sends much through a real node, and looks at what that takes at
// both ends.
package volume

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"plasm/test/bin"
)

// mostMemory is what plasm-submit and plasmd may take at any moment, in KiB,
// however much goes through them.
const mostMemory = 64 << 10

// TestMemory sends 256 MiB through a node and back, four times what each end may
// take of memory.
func TestMemory(t *testing.T) { through(t, 256<<20) }

// BenchmarkMemory does the same with 1 GiB, the most that a node takes and gives
// unless it is told otherwise, and tells the peaks and the speed.
func BenchmarkMemory(b *testing.B) {
	const size = 1 << 30
	var submit, node int
	var took time.Duration
	n := 0
	for b.Loop() {
		began := time.Now()
		s, d := through(b, size)
		took += time.Since(began)
		submit, node = max(submit, s), max(node, d)
		n++
	}
	b.ReportMetric(float64(submit)/1024, "MiB-submit")
	b.ReportMetric(float64(node)/1024, "MiB-plasmd")
	b.ReportMetric(float64(n)*size/1e6/took.Seconds(), "MB/s")
}

// through sends size bytes as the input of cat to a node, by a pipe, so that they
// are spooled at both ends; compares what comes back; and returns the most memory,
// in KiB, that plasm-submit and plasmd have had.
func through(tb testing.TB, size int64) (submit, node int) {
	tb.Helper()
	h := newHouse(tb)
	addr, plasmd := h.serve(tb)
	sent, got := sha256.New(), sha256.New()
	cmd := h.command("plasm-submit", "--mdns=false", "--peer", addr,
		"--output-limit", strconv.FormatInt(size, 10), filepath.Join("..", "..", "examples", "cat", "cat.wasm"))
	stdin, err := cmd.StdinPipe()
	must(tb, err)
	stdout, err := cmd.StdoutPipe()
	must(tb, err)
	must(tb, cmd.Start())
	defer func() { _ = cmd.Process.Kill() }() // if it has not ended by then
	fed := make(chan error, 1)
	go func() {
		random := rand.NewChaCha8([32]byte{1})
		_, err := io.CopyN(io.MultiWriter(stdin, sent), random, size)
		_ = stdin.Close() // it was a pipe to a process that has all of it, or is gone
		fed <- err
	}()
	const last = 1 << 20 // more than the pipe holds, so that it cannot have ended
	if _, err := io.CopyN(got, stdout, size-last); err != nil {
		tb.Errorf("output: %v", err)
	}
	must(tb, <-fed)
	submit, node = peak(tb, cmd.Process.Pid), peak(tb, plasmd)
	if n, err := io.Copy(got, stdout); n != last || err != nil {
		tb.Errorf("the last of the output: %d bytes, %v", n, err)
	}
	must(tb, cmd.Wait())
	if !bytes.Equal(sent.Sum(nil), got.Sum(nil)) {
		tb.Error("what came back is not what was sent")
	}
	tb.Logf("%d MiB: peaks of %d KiB in plasm-submit and %d KiB in plasmd", size>>20, submit, node)
	if submit > mostMemory || node > mostMemory {
		tb.Errorf("peaks of %d KiB in plasm-submit and %d KiB in plasmd, more than %d", submit, node, mostMemory)
	}
	for _, dir := range []string{h.temp, filepath.Join(h.data, "unfinished")} {
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			tb.Errorf("left in %s: %v, %v", dir, left, err)
		}
	}
	return submit, node
}

// house is where the commands are, and what they work with.
type house struct{ dir, temp, data string }

func newHouse(tb testing.TB) *house {
	tb.Helper()
	dir := tb.TempDir()
	h := &house{dir: dir, temp: filepath.Join(dir, "temp"), data: filepath.Join(dir, "data")}
	must(tb, os.Mkdir(h.temp, 0o700))
	must(tb, bin.Build(tb.Context(), dir, "plasmd", "plasm-submit", "plasm-run"))
	return h
}

func (h *house) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(h.dir, name), args...)
	cmd.Env = append(bin.Env(), "HOME="+h.dir, "TMPDIR="+h.temp)
	cmd.Stderr = os.Stderr
	return cmd
}

// serve starts a node that ends with the test, and returns its address and
// process.
func (h *house) serve(tb testing.TB) (addr string, pid int) {
	tb.Helper()
	cmd := h.command("plasmd", "serve", "--mdns=false", "--allow", "any", "--log-level", "warn",
		"--listen", "/ip4/127.0.0.1/tcp/0", "--data-dir", h.data, "--runtime-dir", filepath.Join(h.dir, "run"))
	stdout, err := cmd.StdoutPipe()
	must(tb, err)
	must(tb, cmd.Start())
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			tb.Errorf("plasmd ends with %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	must(tb, err)
	return strings.TrimSpace(line), cmd.Process.Pid
}

// peak returns the most memory that a process has had, in KiB.
func peak(tb testing.TB, pid int) int {
	tb.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	must(tb, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	must(tb, err)
	return kib
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
