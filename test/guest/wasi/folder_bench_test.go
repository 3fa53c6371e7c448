//go:build linux

package wasi_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// BenchmarkFolder reads the 10,000 files of 4 KiB of a folder five times, as a job with that
// folder and in a loop of Go's, and tells the processor time of the job for a file, and what
// that is of the loop's.
func BenchmarkFolder(b *testing.B) {
	const rounds, files, size = 5, 10_000, 4 << 10
	dir, module := b.TempDir(), compile(b, "posix/reads.c")
	for i := range files {
		must(b, os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), make([]byte, size), 0o600))
	}
	for _, engine := range engines {
		b.Run(engine, func(b *testing.B) {
			needEngine(b, engine)
			var guest, native time.Duration
			n := 0
			for b.Loop() {
				cmd := job{module: module, flags: []string{"--no-stdin", "--dir", dir + "::/"}}.command(b, engine)
				out, err := cmd.Output()
				must(b, err)
				if string(out) != strconv.Itoa(rounds*files*size) {
					b.Fatalf("read %s bytes", out)
				}
				guest += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
				native += processorTime(b, func() {
					for i := range rounds * files {
						_, err := os.ReadFile(filepath.Join(dir, strconv.Itoa(i%files)))
						must(b, err)
					}
				})
				n += rounds * files
			}
			b.ReportMetric(float64(guest.Microseconds())/float64(n), "µs/file")
			b.ReportMetric(float64(guest)/float64(native), "of-native")
		})
	}
}

// processorTime is what this process has of processors for do.
func processorTime(tb testing.TB, do func()) time.Duration {
	tb.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		must(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	do()
	return used() - before
}

// BenchmarkGigabyte writes 1 GiB to a file of a folder that travels, and reads it back, as a
// job and with cat, in one file system: how much a second that is of each, and what the job's
// time is of cat's.
func BenchmarkGigabyte(b *testing.B) {
	const size = 1 << 30
	module := compile(b, "posix/gigabyte.c")
	for _, engine := range engines {
		b.Run(engine, func(b *testing.B) {
			needEngine(b, engine)
			var guest, native time.Duration
			n := 0
			for b.Loop() {
				dir := b.TempDir()
				flags := []string{"--no-stdin", "--disk", "1025", "--out", "/out::" + filepath.Join(dir, "out")}
				cmd := job{module: module, flags: flags}.command(b, engine)
				cmd.Env = append(cmd.Env, "TMPDIR="+dir)
				begun := time.Now()
				out, err := cmd.Output()
				must(b, err)
				guest += time.Since(begun)
				if string(out) != strconv.Itoa(size) {
					b.Fatalf("read %s bytes", out)
				}
				must(b, os.WriteFile(filepath.Join(dir, "zeros"), nil, 0o600))
				must(b, os.Truncate(filepath.Join(dir, "zeros"), size)) // no disk is read for it
				cat := exec.CommandContext(b.Context(), "sh", "-c", "cat zeros >file && cat file >/dev/null")
				cat.Dir = dir
				begun = time.Now()
				must(b, cat.Run())
				native += time.Since(begun)
				must(b, os.Remove(filepath.Join(dir, "file")))
				n++
			}
			b.ReportMetric(float64(n)*2*size/1e9/guest.Seconds(), "GB/s")
			b.ReportMetric(float64(n)*2*size/1e9/native.Seconds(), "GB/s-of-cat")
			b.ReportMetric(float64(guest)/float64(native), "of-cat")
		})
	}
}
