package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"plasm/lib/job"
	"plasm/test/bin"
	"plasm/test/guest"
)

// house is where a benchmark finds what it runs.
type house struct {
	dir, run, empty string
	env             []string
}

func build(b *testing.B) *house {
	b.Helper()
	dir := b.TempDir()
	h := &house{dir: dir, run: filepath.Join(dir, "plasm-run"), empty: filepath.Join(dir, "empty")}
	h.env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir}
	if err := bin.Build(b.Context(), dir, "plasm-run"); err != nil {
		b.Fatal(err)
	}
	source := filepath.Join(dir, "empty.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", h.empty, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	for _, program := range []string{h.run, h.empty} {
		if err := bin.Install(program); err != nil {
			b.Fatal(err)
		}
	}
	return h
}

func (h *house) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = h.env
	return cmd
}

// guest writes a module of the catalogue and returns its path.
func (h *house) guest(b *testing.B, name string) string {
	b.Helper()
	module, err := guest.Module(name)
	if err != nil {
		b.Fatal(err)
	}
	return h.module(b, name, module)
}

// module writes a module and returns its path.
func (h *house) module(b *testing.B, name string, module []byte) string {
	b.Helper()
	path := filepath.Join(h.dir, name+".wasm")
	if err := os.WriteFile(path, module, 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// example returns the path of an example's module.
func example(name string) string { return filepath.Join("..", "examples", name, name+".wasm") }

// took runs a command that must succeed, and returns its wall time.
func took(b *testing.B, cmd *exec.Cmd) time.Duration {
	b.Helper()
	begun := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %v: %s", cmd.Args, err, out)
	}
	return time.Since(begun)
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// atMost reports a figure and fails the benchmark when it is above its target.
func atMost(b *testing.B, figure float64, unit string, target float64) {
	b.Helper()
	b.ReportMetric(figure, unit)
	b.ReportMetric(0, "ns/op")
	if figure > target {
		b.Errorf("%.2f %s is a miss: the target is at most %v", figure, unit, target)
	}
}

// BenchmarkStart compares a warm `plasm-run hello.wasm` with a Go program that
// does nothing, in turn.
func BenchmarkStart(b *testing.B) {
	h := build(b)
	hello := func() *exec.Cmd { return h.command(h.run, "--no-stdin", example("hello")) }
	took(b, hello())
	var ratios []float64
	for b.Loop() {
		ratios = append(ratios, float64(took(b, hello()))/float64(took(b, h.command(h.empty))))
	}
	atMost(b, median(ratios), "x-empty-program", 3)
}

// BenchmarkPipe compares 256 MiB through a guest that copies with the same bytes
// through sha256sum: the supervisor digests what goes in and what comes out.
func BenchmarkPipe(b *testing.B) {
	const size = 256 << 20
	h := build(b)
	data := filepath.Join(h.dir, "data")
	if err := os.WriteFile(data, bytes.Repeat([]byte("0123456789abcdef"), size/16), 0o600); err != nil {
		b.Fatal(err)
	}
	through := func(command string) time.Duration { return took(b, h.command("sh", "-c", "cat "+data+" | "+command)) }
	var ratios, speeds []float64
	for b.Loop() {
		plasm := through(fmt.Sprintf("%s --output-limit %d %s >/dev/null", h.run, size, example("cat")))
		ratios = append(ratios, float64(plasm)/float64(through("sha256sum")))
		speeds = append(speeds, size/1e6/plasm.Seconds())
	}
	b.ReportMetric(median(speeds), "MB/s")
	if speed := median(speeds); speed < 300 {
		atMost(b, median(ratios), "x-sha256sum", 4)
	} else {
		b.ReportMetric(median(ratios), "x-sha256sum")
	}
}

// outcome takes the outcome out of a result document.
func outcome(b *testing.B, result []byte) *job.Outcome {
	b.Helper()
	var doc struct {
		Receipt struct{ Payload []byte }
	}
	var statement struct {
		Predicate struct{ Outcome job.Outcome }
	}
	if err := json.Unmarshal(result, &doc); err != nil {
		b.Fatalf("%v: %.200s", err, result)
	}
	if err := json.Unmarshal(doc.Receipt.Payload, &statement); err != nil {
		b.Fatal(err)
	}
	return &statement.Predicate.Outcome
}

// BenchmarkSupervisorMemory tells the most memory that the supervisor ever had
// while its guest moved 256 MiB, in MB. Its output is held up near the end, so
// that it is still there to be asked.
func BenchmarkSupervisorMemory(b *testing.B) {
	h := build(b)
	for name, args := range map[string][]string{"raw": nil, "json": {"--json"}} {
		b.Run(name, func(b *testing.B) {
			var peaks []float64
			for b.Loop() {
				peaks = append(peaks, peak(b, h, args))
			}
			atMost(b, slices.Max(peaks), "MB", 30)
		})
	}
}

func peak(b *testing.B, h *house, args []string) float64 {
	b.Helper()
	const size = 256 << 20
	cmd := h.command(h.run, append(args, "--output-limit", strconv.Itoa(2*size), example("cat"))...)
	stdin, _ := cmd.StdinPipe()
	stdout, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	raw := len(args) == 0
	fed := make(chan error, 1)
	go func() {
		_, err := io.CopyN(stdin, zeros{}, size)
		if !raw {
			_ = stdin.Close() // then the document comes, and waits for its reader
		}
		fed <- err
	}()
	if _, err := io.CopyN(io.Discard, stdout, map[bool]int64{true: size, false: 1}[raw]); err != nil {
		b.Fatal(err)
	}
	if err := <-fed; err != nil {
		b.Fatal(err)
	}
	high := highWater(b, cmd.Process.Pid)
	_ = stdin.Close()
	_, _ = io.Copy(io.Discard, stdout)
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	return high
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// highWater returns a process's peak resident memory in MB.
func highWater(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skipf("peak memory is read from /proc, which this system has not: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1000
		}
	}
	b.Fatal("no VmHWM")
	return 0
}
