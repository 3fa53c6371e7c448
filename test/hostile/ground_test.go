//go:build linux

package hostile_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// ground is a user's home and all that a hostile guest could leave traces in.
type ground struct {
	dir   string // all of the below
	cache string // where compiled modules are kept
}

// secret is what no guest may ever read or change.
const secret = "not theirs"

// newGround lays out what climbers expects.
func newGround(t *testing.T) *ground {
	t.Helper()
	g := &ground{dir: t.TempDir()}
	g.cache = g.path("home/.cache/plasm/modules")
	for _, dir := range []string{"home/.cache", "tmp", "cwd", "rw/sub", "ro/sub", "outside"} {
		must(t, os.MkdirAll(g.path(dir), 0o700))
	}
	for _, name := range []string{"rw/file", "rw/sub/file", "ro/file"} {
		must(t, os.WriteFile(g.path(name), []byte("theirs"), 0o600))
	}
	must(t, os.WriteFile(g.path("outside/secret"), []byte(secret), 0o600))
	for name, target := range map[string]string{
		"out": "../outside", "abs": g.path("outside"),
		"root": "/proc/self/root",
	} {
		must(t, os.Symlink(target, g.path("rw/"+name)))
	}
	must(t, os.WriteFile(g.path("key.pem"), identity.Generate().MarshalPEM(), 0o600))
	must(t, syscall.Mkfifo(g.path("rw/fifo"), 0o600))
	return g
}

func (g *ground) path(name string) string { return filepath.Join(g.dir, name) }

// env is the environment of a user who lives here.
func (g *ground) env() []string {
	return []string{"HOME=" + g.path("home"), "TMPDIR=" + g.path("tmp"), "PATH=/usr/bin:/bin"}
}

// state tells everything that is here but in the writable folder and the cache:
// kinds, modes, and of files times and contents.
func (g *ground) state(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(g.dir, func(path string, entry fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, g.dir)
		switch {
		case err != nil:
			return err
		case name == "/rw", name == "/home/.cache":
			return fs.SkipDir
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		all[name] = info.Mode().String()
		if info.Mode().IsRegular() {
			all[name] += fmt.Sprint(" ", info.ModTime().UnixNano())
			data, err := os.ReadFile(path)
			all[name] += " " + string(job.Sum(data))
			return err
		}
		return nil
	}))
	return all
}

// unchanged checks that a guest has changed nothing that it was not given, and that
// nothing is left of how its module was compiled.
func (g *ground) unchanged(t *testing.T, before map[string]string) {
	t.Helper()
	if diff := cmp.Diff(before, g.state(t)); diff != "" {
		t.Errorf("what is not the guest's changed:\n%s", diff)
	}
	if staged := g.staged(t); len(staged) > 0 {
		t.Errorf("left in the cache: %v", staged)
	}
}

// staged lists what is in the cache besides finished entries.
func (g *ground) staged(t *testing.T) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(g.cache, "*", "*"))
	must(t, err)
	var staged []string
	for _, name := range left {
		if key := filepath.Base(filepath.Dir(name)); len(key) != 64 {
			staged = append(staged, name)
		}
	}
	return staged
}
