// Package variant builds a command with a few lines of its source changed, or for
// another processor: what tests and benchmarks hold the product against. So the
// product has no switch that only they would use, and that somebody else could
// find.
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
)

// Edit changes one file of the source for one build; the file itself stays as it
// is. Edits of one file come one after the other.
type Edit struct {
	File string // its path below the module's root; it need not exist when Old is ""
	Old  string // what New takes the place of, in the file exactly once; "": all of it
	New  string
}

// Build builds plasm-run, static, as the file out. arch is a GOARCH, "" for this
// machine's. It must be called in a folder of the module, as tests are.
func Build(ctx context.Context, out, arch string, edits ...Edit) error {
	return BuildCommand(ctx, "plasm-run", out, arch, edits...)
}

// BuildCommand is Build for any command of cmd/.
func BuildCommand(ctx context.Context, command, out, arch string, edits ...Edit) error {
	env := append(os.Environ(), "CGO_ENABLED=0")
	if arch != "" {
		env = append(env, "GOARCH="+arch)
	}
	return build(ctx, env, ".", "plasm/cmd/"+command, out, edits)
}

// BuildEngine builds the executable of an engine, for this machine, into the folder
// dir.
func BuildEngine(ctx context.Context, engine, dir string, edits ...Edit) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	env := append(os.Environ(), "CGO_ENABLED=1")
	return build(ctx, env, filepath.Join(root, "engines", engine), "./plasm-engine-"+engine,
		dir+string(filepath.Separator), edits)
}

// build builds a package, as the go command names it in the folder within.
func build(ctx context.Context, env []string, within, pkg, out string, edits []Edit) error {
	scratch, err := os.MkdirTemp("", "plasm-variant-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	overlay, err := replace(ctx, scratch, edits)
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-overlay", overlay, "-o", out,
		pkg)
	build.Env, build.Dir = env, within
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// replace writes the changed files into scratch, and beside them the list that go
// build wants; it returns the list's path.
func replace(ctx context.Context, scratch string, edits []Edit) (string, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return "", err
	}
	list := struct{ Replace map[string]string }{map[string]string{}}
	for i, e := range edits {
		source := filepath.Join(root, filepath.FromSlash(e.File))
		changed, again := list.Replace[source]
		if !again {
			changed = filepath.Join(scratch, fmt.Sprintf("%d.go", i))
			list.Replace[source] = changed
		} else if e.Old == "" {
			return "", fmt.Errorf("%s: all of it takes the place of another edit", e.File)
		}
		before := source
		if again {
			before = changed
		}
		text, err := e.apply(before)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(scratch, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// moduleRoot returns the folder of the module that this folder is in.
func moduleRoot(ctx context.Context) (string, error) {
	goMod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(goMod))), nil
}

// apply returns the text of the file source with the change in it.
func (e Edit) apply(source string) (string, error) {
	if e.Old == "" {
		return e.New, nil
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), e.Old); n != 1 {
		return "", fmt.Errorf("%s: %q is there %d times, not once", e.File, e.Old, n)
	}
	return strings.Replace(string(text), e.Old, e.New, 1), nil
}
