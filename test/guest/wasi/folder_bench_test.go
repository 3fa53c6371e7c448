//go:build linux

package wasi_test

import (
	"os"
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
