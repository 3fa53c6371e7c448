package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"plasm/test/bin"
)

// TestParallelRunsOnAnEmptyCache all succeed and end with one entry.
func TestParallelRunsOnAnEmptyCache(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "both")
	var running []*command
	for range 4 {
		running = append(running, start(t, dir, "--cache-dir", "cache", "both.wasm"))
	}
	for _, c := range running {
		if out := c.ends(7); out != "out\n" || c.stderr.String() != "err\n" {
			t.Errorf("stdout %q, stderr %q", out, c.stderr.String())
		}
	}
	checkCache(t, filepath.Join(dir, "cache"), 1)
}

// checkCache checks that a compile cache has so many entries and no staging
// folder.
func checkCache(t *testing.T, dir string, want int) {
	t.Helper()
	if entries, staged := cached(dir); len(entries) != want || len(staged) > 0 {
		t.Errorf("the cache has %v, staging folders %v", entries, staged)
	}
}

// TestKilledWhileCompiling leaves nothing in the cache, and the next run compiles.
func TestKilledWhileCompiling(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := bin.BuildGuest(t.Context(), "plasm/examples/csvstat", filepath.Join(dir, "csvstat.wasm")); err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(dir, "cache")
	c := start(t, dir, "--cache-dir", "cache", "csvstat.wasm")
	var workers []int
	eventually(t, "the compiling worker, and the next one, have been started", func() bool {
		workers = children(c.Process.Pid)
		return len(workers) == 2
	})
	c.signal(syscall.SIGKILL)
	c.wait()
	for _, worker := range workers {
		eventually(t, "the workers are gone", func() bool { return gone(worker) })
	}
	checkCache(t, cache, 0)
	again := start(t, dir, "--cache-dir", "cache", "csvstat.wasm")
	again.send("n\n1\n")
	_ = again.stdin.Close()
	if out := again.ends(0); !strings.Contains(out, "n ") {
		t.Errorf("stdout has %q", out)
	}
	checkCache(t, cache, 1)
}
