// Package bin builds the commands for the tests that run them, and keeps count
// of which statements such runs cover.
package bin

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// CoverDir names the variable that asks for coverage: a folder into which the
// commands that tests start write what they have run. Unset, nothing is counted.
const CoverDir = "PLASM_COVERDIR"

// Tags are the build tags of the commands, as the Makefile has them.
const Tags = "urfave_cli_no_docs"

// Build builds the named commands of cmd/ into dir as they are shipped: static.
// It must be called in a folder of the module, as tests are.
func Build(ctx context.Context, dir string, names ...string) error {
	return shared(dir, names, func(dir string, names []string) error { return build(ctx, dir, names) })
}

func build(ctx context.Context, dir string, names []string) error {
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags=" + Tags, "-o", dir + string(filepath.Separator)}
	if os.Getenv(CoverDir) != "" {
		args = append(args, "-cover", "-covermode=atomic", "-coverpkg=plasm/...")
	} else if runtime.GOOS == "linux" { // as the Makefile does; what runs before the runtime cannot be counted
		args = append(args, "-ldflags=-E plasm/lib/limit.entry")
	}
	for _, name := range names {
		args = append(args, "plasm/cmd/"+name)
	}
	build := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the folder is the caller's own
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// Env returns the variables that a command from Build is to have beside its
// test's own.
func Env() []string {
	if dir := os.Getenv(CoverDir); dir != "" {
		return []string{"GOCOVERDIR=" + dir}
	}
	return nil
}

// Worker returns the command line of a worker from the plasm-run that Build has
// put into dir. What it covers is not counted: a worker has no variables, and may
// write no files.
func Worker(dir string) []string {
	return []string{filepath.Join(dir, "plasm-run"), "--worker"}
}

// WorkerOf returns the command line of a worker with the named engine, from what Build
// and BuildEngines have put into dir.
func WorkerOf(dir, engine string) []string {
	if engine == "wazero" {
		return Worker(dir)
	}
	return []string{filepath.Join(dir, "plasm-engine-"+engine), "--worker"}
}

// Install writes a program anew, as installing it does. The pages of a file that the
// linker has just written are each by themselves in the kernel's cache, and to start it
// takes a third of a millisecond more.
func Install(program string) error {
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	if err := os.Remove(program); err != nil {
		return err
	}
	return os.WriteFile(program, data, 0o755) //nolint:gosec // a program
}

// Script writes a program for /bin/sh that the caller means to start at once, to a
// new file. No process is started meanwhile: one that began here while the file was
// open for writing would hold it open until its own exec, and to start the script
// would fail with ETXTBSY until then (Go issue 22315).
func Script(path, text string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700) //nolint:gosec // it is to be started, by its owner
}

// Shown writes a script for testscript that runs a command whose stderr is the
// terminal that ttyin gives it, and ends once all of that has been read.
//
// testscript (v1.16.0) closes its end of the terminal when the command has ended,
// and what it has not read by then is lost. So the script writes more than a terminal
// holds, of spaces: what came before them has been read by then.
func Shown(path string) error {
	return Script(path, `"$@" 2>/dev/tty
code=$?
head -c 262144 /dev/zero | tr '\0' ' ' >/dev/tty
exit $code`)
}

// Emulator runs a program for arm64, the whole process, without a kernel of its own.
// What the kernel is asked for that the emulator does not know (seccomp, Landlock,
// limits on memory) is missing there, and receipts say so.
const Emulator = "qemu-aarch64-static"

// Emulation is the text of a script that runs a program for arm64 by the emulator,
// which is found at the given path.
//
// QEMU up to 7.2 keeps what it has translated in a tree from GLib's own allocator. A
// process forked while another thread is in there waits for that thread for ever,
// and does not come to its exec (QEMU issue 285): one start of a node in 250. So GLib
// is told to use malloc, which is safe across a fork; the program is not.
func Emulation(emulator, program string) string {
	return fmt.Sprintf(`exec env G_SLICE=always-malloc %s -U G_SLICE %s "$@"`, emulator, program)
}
