package serve

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"plasm/test/bin"
)

// built is the folder with the plasm-run that the tests use as worker. TestMain
// sets it, before any test runs.
var built string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	complain := func(err error) int {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "serve-test-")
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

// belongings counts goroutines, open descriptors and child processes. Where there
// is no /proc only the first.
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
			if n > before[what]+allowance(what) {
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

// allowance is what libraries keep for as long as the process lives.
func allowance(what string) int {
	if what == "goroutines" || what == "descriptors" {
		return 4
	}
	return 0
}
