package wazero

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// buildGuest compiles the program in testdata/name, and returns the module.
func buildGuest(t *testing.T, name string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), name+".wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, "./testdata/"+name)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	return []byte(readHost(t, out))
}

// TestFolders runs a real program on two folders, one of them read-only, and
// looks at what it leaves.
func TestFolders(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	rw, ro, outside := filepath.Join(base, "rw"), filepath.Join(base, "ro"), filepath.Join(base, "outside")
	for _, dir := range []string{rw, ro, outside} {
		must(t, os.Mkdir(dir, 0o700))
	}
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("outside"), 0o600))
	must(t, os.WriteFile(filepath.Join(ro, "file"), []byte("read me"), 0o600))
	for name, target := range map[string]string{
		"ro/link": "file", "rw/leak": "../outside", "rw/absleak": outside, "rw/magic": "/proc/self/root",
		"rw/secretleak": "../outside/secret",
	} {
		must(t, os.Symlink(target, filepath.Join(base, name)))
	}
	before := []map[string]string{snapshot(t, outside), snapshot(t, ro)}

	got := play(t, buildGuest(t, "folders"), nil, engine.Host{Real: true, Dirs: []engine.Dir{
		{Host: rw, Dir: job.Dir{Guest: "/rw"}}, {Host: ro, Dir: job.Dir{Guest: "/ro", ReadOnly: true}},
	}})
	if strings.Contains(got.Stdout, "FAIL") || strings.Count(got.Stdout, "ok ") != 19 {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(before, []map[string]string{snapshot(t, outside), snapshot(t, ro)}); diff != "" {
		t.Errorf("what may not change did:\n%s", diff)
	}
	if got := readHost(t, rw, "log"); got != "ONE,two,three,four" {
		t.Errorf("log: got %q", got)
	}
	if _, err := os.Lstat(filepath.Join(rw, "stolen")); err == nil {
		t.Error("the secret came in")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func readHost(t *testing.T, elem ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elem...))
	must(t, err)
	return string(text)
}

// snapshot describes everything below dir but the times of access.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		all[path] = fs.FormatFileInfo(info) + info.ModTime().String()
		if e.Type().IsRegular() {
			all[path] += readHost(t, path)
		}
		return nil
	}))
	return all
}
