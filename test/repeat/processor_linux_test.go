//go:build amd64

package repeat_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/test/bin"
	"plasm/test/need"
	"plasm/test/variant"
)

// arm64 builds plasm-run for arm64 and returns how it is started.
//
// Under the emulator /proc/self/exe is a program for arm64, which this machine's
// kernel cannot start. So this build starts its workers by a script, which starts
// the emulator again. That, and the time for compiling, which an emulator takes
// more of, is all that differs from the command as it is shipped.
func arm64(t *testing.T) []string {
	t.Helper()
	need.Found(t, bin.Emulator)
	qemu, err := exec.LookPath(bin.Emulator)
	must(t, err)
	dir := t.TempDir()
	program, script := filepath.Join(dir, "plasm-run-arm64"), filepath.Join(dir, "plasm-run")
	must(t, bin.Script(script, bin.Emulation(qemu, program)))
	must(t, variant.Build(t.Context(), program, "arm64",
		variant.Edit{File: "cmd/plasm-run/options.go", Old: `"/proc/self/exe"`, New: fmt.Sprintf("%q", script)},
		variant.Edit{File: "lib/sandbox/sandbox.go", Old: "= time.Minute", New: "= time.Hour"},
	))
	return []string{script}
}

// wasmtimeOnArm64 builds the other engine for arm64 and returns the flags with which
// plasm-run takes it: started by a script, which starts the emulator. The rest of
// plasm-run is this machine's, and so there is nothing in its cache for it.
func wasmtimeOnArm64(t *testing.T) []string {
	t.Helper()
	need.Found(t, bin.Emulator)
	need.Cross(t)
	qemu, err := exec.LookPath(bin.Emulator)
	must(t, err)
	dir, within := t.TempDir(), t.TempDir()
	must(t, bin.BuildEnginesWith(t.Context(), within, "GOARCH=arm64", "CC=aarch64-linux-gnu-gcc"))
	must(t, bin.Script(filepath.Join(dir, "plasm-engine-wasmtime"),
		bin.Emulation(qemu, filepath.Join(within, "plasm-engine-wasmtime"))))
	return []string{"--no-cache", "--engine", "wasmtime", "--engines", dir}
}

// TestAutoOnArm64 has an engine with a known fault at hand, and takes the one that is
// built in unless it is named.
func TestAutoOnArm64(t *testing.T) {
	t.Parallel()
	all := examples(t)
	job := run{&all[slices.IndexFunc(all, func(s subject) bool { return s.name == "example hello" })], false}
	flags := wasmtimeOnArm64(t)
	for engine, want := range map[string]string{"auto": "wazero", "wasmtime": "wasmtime"} {
		r := play(t, arm64(t), job, append(slices.Clone(flags), "--engine", engine)...)
		if got, _ := r.part("node")["engine"].(object); got["name"] != want {
			t.Errorf("--engine %s: %v, want %s\n%s", engine, got, want, r.Stderr)
		}
	}
}

// emulable reports whether a job is run on the other processor too: what starts, and
// compiles in a moment. A run takes a second there; so most are metered only, which
// says more.
func emulable(r run) bool {
	switch {
	case r.refused, r.bounded, r.endless:
		return false
	case r.example:
		return r.metered || !r.large
	}
	return r.metered && !r.large
}

// TestNaNs does without --canonical-nan, and must see a difference: or nothing here
// would show that the flag does anything, nor that a difference is seen.
func TestNaNs(t *testing.T) {
	t.Parallel()
	r := run{&subject{module: write(t, "nans", nans())}, false}
	native, other := play(t, here(), r), play(t, arm64(t), r, "--no-cache")
	if native.Error != nil || other.Error != nil || cmp.Equal(native.Subject, other.Subject) {
		t.Errorf("NaNs have the same bits on both processors: %v, %v", native, other)
	}
}
