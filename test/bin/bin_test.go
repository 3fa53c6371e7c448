package bin_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"plasm/test/bin"
)

func TestBuild(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := bin.Build(t.Context(), dir, "plasm-run"); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), filepath.Join(dir, "plasm-run"), "--version")
	command.Env = bin.Env()
	out, err := command.Output()
	if err != nil || !strings.HasPrefix(string(out), "plasm-run ") {
		t.Errorf("plasm-run --version: %q, %v", out, err)
	}
}

// TestBuildOnce builds into a folder that others share, and then takes what is there.
func TestBuildOnce(t *testing.T) {
	built, first, second := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "new")
	t.Setenv(bin.BuiltDir, built)
	t.Setenv(bin.CoverDir, "")
	if err := bin.Build(t.Context(), first, "plasm-verify"); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), filepath.Join(first, "plasm-verify"),
		"--version").Output(); err != nil {
		t.Errorf("plasm-verify --version: %q, %v", out, err)
	}
	const other = "built by another"
	if err := os.WriteFile(filepath.Join(built, "plasm-verify"), []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := bin.Build(t.Context(), second, "plasm-verify"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(second, "plasm-verify")); err != nil || string(got) != other {
		t.Errorf("the second time: %q, %v", got, err)
	}
	t.Setenv(bin.CoverDir, t.TempDir()) // with coverage it is another
	if err := bin.Build(t.Context(), second, "plasm-verify"); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), filepath.Join(second, "plasm-verify"), "--version")
	command.Env = bin.Env()
	if out, err := command.Output(); err != nil {
		t.Errorf("plasm-verify --version, with coverage: %q, %v", out, err)
	}
	if err := bin.Build(t.Context(), second, "plasm-nothing"); err == nil ||
		!strings.Contains(err.Error(), "plasm-nothing") {
		t.Errorf("plasm-nothing was built: %v", err)
	}
}

func TestBuildOfNothing(t *testing.T) {
	t.Parallel()
	err := bin.Build(t.Context(), t.TempDir(), "plasm-nothing")
	if err == nil || !strings.Contains(err.Error(), "plasm-nothing") {
		t.Errorf("plasm-nothing was built: %v", err)
	}
}

// TestScript starts scripts while others are written, as tests in parallel do.
func TestScript(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 20 {
				path := filepath.Join(dir, fmt.Sprintf("%d-%d", i, j))
				if err := bin.Script(path, "echo $1"); err != nil {
					t.Error(err)
					return
				}
				if out, err := exec.CommandContext(t.Context(), path, "said").Output(); err != nil ||
					string(out) != "said\n" {
					t.Errorf("%s: %q, %v", path, out, err)
				}
			}
		})
	}
	group.Wait()
}
