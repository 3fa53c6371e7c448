package main

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"plasm/lib/sandbox"
	"plasm/test/need"
)

// TestBuiltWithC: who builds with plain go build, where there is a C compiler,
// learns at once why that does not work, as a user and as a node.
func TestBuiltWithC(t *testing.T) {
	t.Parallel()
	need.Compiler(t)
	command := filepath.Join(t.TempDir(), "plasm-run")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", command, ".")
	build.Env = append(build.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	const want = "plasm-run: this program was built with cgo, and its workers would die of their own system-call " +
		"filter\nplasm-run: hint: build it with `make build`, or with CGO_ENABLED=0\n"
	for _, args := range [][]string{{"../../examples/hello/hello.wasm"}, {workerFlag}, {engineInfoFlag}} {
		run := exec.CommandContext(t.Context(), command, args...)
		var stdout, stderr bytes.Buffer
		run.Stdout, run.Stderr = &stdout, &stderr
		exit, ok := errors.AsType[*exec.ExitError](run.Run())
		if !ok || exit.ExitCode() != 125 || stdout.Len() > 0 || stderr.String() != want {
			t.Errorf("%v: %v\n%s%s", args, exit, &stdout, &stderr)
		}
	}
	_, err := sandbox.AskBuild(t.Context(), command) // as plasmd does
	if err == nil || !strings.Contains(err.Error(), "built with cgo") {
		t.Errorf("a node is told %v", err)
	}
}
