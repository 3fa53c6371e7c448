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
	_, here, _, _ := runtime.Caller(0)
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", abs, "./plasm-engine-wasmtime")
	cmd.Dir = filepath.Join(filepath.Dir(here), "..", "..", "engines", "wasmtime")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("engines: %w: %s", err, out)
	}
	return nil
}
