package bin

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
)

// BuildGuest compiles a program in Go for WASI, as `make examples` does, and writes the
// module to a file.
func BuildGuest(ctx context.Context, pkg, file string) error {
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file, pkg)
	build.Env = append(build.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}
