package bin

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// BuildEngines builds the engines that are executables of their own into dir, as
// they are shipped. It takes a C compiler.
func BuildEngines(ctx context.Context, dir string) error {
	return shared(dir, []string{"plasm-engine-wasmtime"},
		func(dir string, _ []string) error { return BuildEnginesWith(ctx, dir) })
}

// BuildEnginesWith is BuildEngines with more in the environment, such as another
// GOARCH and the C compiler for it.
func BuildEnginesWith(ctx context.Context, dir string, env ...string) error {
	_, here, _, _ := runtime.Caller(0)
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", abs, "./plasm-engine-wasmtime") //nolint:gosec // the folder is the caller's own
	cmd.Dir = filepath.Join(filepath.Dir(here), "..", "..", "engines", "wasmtime")
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=1"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("engines: %w: %s", err, out)
	}
	return nil
}
