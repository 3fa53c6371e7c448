package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"plasm/lib/job"
	"plasm/test/bin"
	"plasm/test/guest"
)

// The test program is also a worker that lies (fake_test.go), a supervisor to be
// killed (supervise), and what starts a worker that may make no memory executable
// (host_linux_test.go): the first argument says so.
const (
	fakeMode      = "fake"
	superviseMode = "supervise"
	noCodeMode    = "no-code"
)

// built is the folder with the plasm-run that the tests use as worker. TestMain
// sets it, before any test runs.
var built string

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == fakeMode {
		os.Exit(fake(os.Args[2]))
	}
	if len(os.Args) > 2 && os.Args[1] == superviseMode {
		os.Exit(supervise(os.Args[2:]))
	}
	if len(os.Args) > 2 && os.Args[1] == noCodeMode {
		os.Exit(noCode(os.Args[2:]))
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	complain := func(err error) int {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "sandbox-test-")
	if err != nil {
		return complain(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := bin.Build(context.Background(), dir, "plasm-run"); err != nil {
		return complain(err)
	}
	built = dir
	before := belongings()
	code := m.Run()
	if err := leaks(before); err != nil && code == 0 {
		return complain(err)
	}
	return code
}

// supervise is a supervisor in a process of its own, to be killed: it runs a
// guest that says when it is there, with the worker and cache folder given.
func supervise(args []string) int {
	module, err := guest.Module("hang")
	if err != nil {
		return 1
	}
	m := job.NewManifest()
	m.ModuleHash = job.Sum(module)
	cfg := realConfig()
	if slices.Contains(args, fakeMode) {
		cfg.Engine, cfg.Version = fakeEngine, ""
	}
	cfg.CacheDir, cfg.Worker = args[0], args[1:]
	s := New(cfg)
	s.OpenCache()
	_, _ = s.Run(context.Background(), &Job{Manifest: m, Module: module, Stdout: os.Stdout})
	return 0
}

// belongings counts goroutines, open descriptors and child processes, dead ones
// that nobody has waited for too. Where there is no /proc only the first.
func belongings() map[string]int {
	all := map[string]int{"goroutines": runtime.NumGoroutine()}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		all["descriptors"] = len(open)
	}
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, task := range tasks {
		children, _ := os.ReadFile(task) // a thread may have ended meanwhile
		all["children"] += len(strings.Fields(string(children)))
	}
	return all
}

// leaks waits until nothing is left of the tests, and says what is.
func leaks(before map[string]int) error {
	deadline := time.After(time.Minute)
	for {
		now := belongings()
		var left []string
		for what, n := range now {
			if n > before[what] {
				left = append(left, fmt.Sprintf("%d %s where there were %d", n, what, before[what]))
			}
		}
		if len(left) == 0 {
			return nil
		}
		select {
		case <-deadline:
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
			return fmt.Errorf("left behind: %s", strings.Join(left, ", "))
		case <-time.After(10 * time.Millisecond):
		}
	}
}
