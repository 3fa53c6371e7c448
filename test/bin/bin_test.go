package bin_test

import (
	"os/exec"
	"path/filepath"
	"strings"
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

func TestBuildOfNothing(t *testing.T) {
	t.Parallel()
	err := bin.Build(t.Context(), t.TempDir(), "plasm-nothing")
	if err == nil || !strings.Contains(err.Error(), "plasm-nothing") {
		t.Errorf("plasm-nothing was built: %v", err)
	}
}
