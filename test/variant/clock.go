package variant

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// realNow is the line of time.Now, in the standard library, that reads the clock.
const realNow = "\tsec, nsec, mono := runtimeNow()\n\tif mono == 0 {\n\t\treturn Time{uint64(nsec), sec + " +
	"unixToInternal, Local}"

// BuildOff builds a command, by its import path, as the file out, for which the
// time of day is off by ahead; timers and durations are as they are. It writes what
// it needs into the folder scratch.
//
// A program in Go asks the kernel for the time without any library that could be
// replaced, so time.Now itself is changed. To build everything that depends on it
// would take minutes. But the change is within one function that is never
// inlined, so packages that were compiled against the real one fit, which the
// linker checks: it is given theirs as they are, and the changed package time.
func BuildOff(ctx context.Context, scratch, command, out string, ahead time.Duration) error {
	root, err := goRoot(ctx, scratch)
	if err != nil {
		return err
	}
	overlay, err := clockOverlay(root, scratch, ahead)
	if err != nil {
		return err
	}
	const export = "{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}"
	packages, err := list(ctx, root, "-deps", "-f", export, command)
	if err != nil {
		return err
	}
	changed, err := list(ctx, root, "-overlay", overlay, "-f", export, "time")
	if err != nil {
		return err
	}
	var config, program string
	for line := range strings.Lines(packages) {
		name, file, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "packagefile ")), "=")
		switch name {
		case "time":
			line = changed
		case command:
			program = file
		}
		config += line
	}
	importcfg := filepath.Join(scratch, "importcfg")
	if err := os.WriteFile(importcfg, []byte(config), 0o600); err != nil {
		return err
	}
	_, err = static(ctx, root, "tool", "link", "-importcfg", importcfg, "-buildmode=exe", "-s", "-w", "-o", out,
		program)
	return err
}

// clockOverlay writes the standard library's time.go with the change, and returns
// the path of the list that tells the go command of it.
func clockOverlay(root, scratch string, ahead time.Duration) (string, error) {
	source := filepath.Join(root, "src", "time", "time.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), realNow); n != 1 {
		return "", fmt.Errorf("%s: the line that reads the clock is there %d times, not once", source, n)
	}
	first, rest, _ := strings.Cut(realNow, "\n")
	// On the same line: line numbers are part of what other packages were
	// compiled against.
	off := fmt.Sprintf("%s; sec += %d\n%s", first, int64(ahead.Seconds()), rest)
	changed := filepath.Join(scratch, "time.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), realNow, off, 1)), 0o600); err != nil {
		return "", err
	}
	index, err := json.Marshal(map[string]map[string]string{"Replace": {source: changed}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(scratch, "overlay.json")
	return overlay, os.WriteFile(overlay, index, 0o600)
}

// goRoot returns another path of Go's own folder. A toolchain that the go command has
// fetched lies among the modules, and there it lets no file be replaced.
func goRoot(ctx context.Context, scratch string) (string, error) {
	real, err := static(ctx, "", "env", "GOROOT")
	if err != nil {
		return "", err
	}
	root := filepath.Join(scratch, "go")
	return root, os.Symlink(strings.TrimSpace(real), root)
}

// list compiles packages and tells of them.
func list(ctx context.Context, root string, args ...string) (string, error) {
	return static(ctx, root, append([]string{"list", "-export", "-trimpath", "-buildvcs=false"}, args...)...)
}

// static runs the go command as bin.Build does, that in Go's folder root where one is
// named, and returns its stdout.
func static(ctx context.Context, root string, args ...string) (string, error) {
	program := "go"
	if root != "" {
		program = filepath.Join(root, "bin", "go")
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if root != "" {
		cmd.Env = append(cmd.Env, "GOROOT="+root, "GOTOOLCHAIN=local")
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return string(out), nil
}
