package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"plasm/test/bin"
	"plasm/test/guest"
)

// TestBatchKilledAtAnyMoment kills a batch again and again, when so much has been logged
// as chance has it, and resumes it: in the end each file is there, and whole.
func TestBatchKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	const items, kills = 120, 20
	dir := t.TempDir()
	module, err := guest.Module("cat")
	if err != nil {
		t.Fatal(err)
	}
	var list bytes.Buffer
	for i := range items {
		fmt.Fprintf(&list,
			"{\"stdin\":\"text %d\\n\",\"stdout_file\":\"out%d\",\"stderr_file\":\"err%d\",\"receipt_file\":\"r%d\"}\n",
			i, i, i, i)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "cat.wasm"), module, 0o600),
		os.WriteFile(filepath.Join(dir, "list"), list.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	for range kills {
		if batchUntil(t, dir, rand.N(items*40)) {
			break
		}
	}
	for !batchUntil(t, dir, -1) {
	}
	for i := range items {
		out, err := os.ReadFile(filepath.Join(dir, fmt.Sprint("out", i)))
		if want := fmt.Sprintf("text %d\n", i); err != nil || string(out) != want {
			t.Errorf("item %d: %q, %v", i, out, err)
		}
		for _, name := range []string{"err", "r"} {
			if _, err := os.Stat(filepath.Join(dir, fmt.Sprint(name, i))); err != nil {
				t.Error(err)
			}
		}
	}
}

// batchUntil runs the batch in dir until its log has grown by so many bytes, and kills it
// then; with -1 to its end. It reports whether the batch ended by itself.
func batchUntil(t *testing.T, dir string, more int) (ended bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, filepath.Join(programs, "plasm-run"), "--batch", "list", "--joblog", "log",
		"--resume", "cat.wasm")
	var stderr bytes.Buffer
	c.Dir, c.Env, c.Stderr = dir, append(bin.Env(), "HOME="+dir), &stderr
	size := func() int {
		info, err := os.Stat(filepath.Join(dir, "log"))
		if err != nil {
			return 0
		}
		return int(info.Size())
	}
	before := size()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("%v: %s", err, &stderr)
			}
			return true
		case <-tick.C:
			if more >= 0 && size() >= before+more {
				_ = c.Process.Kill()
				return <-done == nil // it may have ended just now
			}
		}
	}
}
