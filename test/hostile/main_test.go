//go:build linux

package hostile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"plasm/test/bin"
)

// builtDir names the variable by which TestMain tells the tests where the
// commands are.
const builtDir = "PLASM_TEST_HOSTILE"

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "hostile-test-")
		if err == nil {
			defer func() { _ = os.RemoveAll(dir) }()
			err = errors.Join(build(dir), os.Setenv(builtDir, dir))
		}
		if err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// build builds plasm-run as it is shipped, and the runner.
func build(dir string) error {
	ctx := context.Background()
	// Counters of coverage take memory, and a worker without variables complains of
	// them on the stream that tells what it died of.
	if err := os.Unsetenv(bin.CoverDir); err != nil {
		return err
	}
	if err := bin.Build(ctx, dir, "plasm-run"); err != nil {
		return err
	}
	if err := bin.BuildEngines(ctx, dir); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", dir, "./runner")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// built returns the path of a command.
func built(name string) string { return filepath.Join(os.Getenv(builtDir), name) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
