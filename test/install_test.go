package test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"plasm/test/bin"
	"plasm/test/need"
)

// TestInstall has `make install` put everything below a folder, and looks for it there.
func TestInstall(t *testing.T) {
	t.Parallel()
	need.Found(t, "make")
	programs, dest := t.TempDir(), filepath.Join(t.TempDir(), "a folder")
	commands := []string{"plasm-run", "plasm-submit", "plasm-discover", "plasm-verify", "plasmd"}
	if err := bin.Build(t.Context(), programs, commands...); err != nil {
		t.Fatal(err)
	}
	// What build makes is there: it is not made again.
	install := exec.CommandContext(t.Context(), "make", "--old-file=build", "install", "OUT="+programs, "DESTDIR="+dest,
		"PREFIX=/opt/plasm", "VERSION=1.2.3")
	install.Dir = root
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	prefix := filepath.Join(dest, "opt", "plasm")
	var missing []string
	for _, name := range commands {
		missing = append(missing, "bin/"+name, "share/bash-completion/completions/"+name,
			"share/zsh/site-functions/_"+name, "share/fish/vendor_completions.d/"+name+".fish")
	}
	missing = append(missing, "share/man/man1/plasm-run.1", "share/man/man8/plasmd.8", "share/man/man8/plasmd-serve.8",
		"share/man/man5/plasmd.toml.5")
	err := filepath.WalkDir(prefix, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(prefix, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		missing = slices.DeleteFunc(missing, func(m string) bool { return m == name })
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := os.FileMode(0o644)
		if filepath.Dir(name) == "bin" {
			want = 0o755
		}
		if info.Mode() != want {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
		return nil
	})
	if err != nil || len(missing) > 0 {
		t.Errorf("%v; not installed: %q", err, missing)
	}
	if out, err := exec.CommandContext(t.Context(), filepath.Join(prefix, "bin", "plasm-run"),
		"--version").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
