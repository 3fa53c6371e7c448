package wazero

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
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

// TestDirFSGuest runs a real program on two folders, one of them read-only, and
// looks at what it leaves.
func TestDirFSGuest(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	rw, ro, outside := filepath.Join(base, "rw"), filepath.Join(base, "ro"), filepath.Join(base, "outside")
	for _, dir := range []string{rw, ro, outside} {
		must(t, os.Mkdir(dir, 0o700))
	}
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("outside"), 0o600))
	must(t, os.WriteFile(filepath.Join(ro, "file"), []byte("read me"), 0o600))
	for name, target := range map[string]string{
		"ro/link": "file", "rw/leak": "../outside", "rw/absleak": outside, "rw/magic": "/proc/self/root", "rw/secretleak": "../outside/secret",
	} {
		must(t, os.Symlink(target, filepath.Join(base, name)))
	}
	before := []map[string]string{snapshot(t, outside), snapshot(t, ro)}

	stdout, err := runGuest(t, buildGuest(t, "dirfs"), map[string]*dirFS{"/rw": openDir(t, rw, false), "/ro": openDir(t, ro, true)})
	if err != nil || strings.Contains(stdout, "FAIL") || strings.Count(stdout, "ok ") != 19 {
		t.Errorf("%v\n%s", err, stdout)
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

// runGuest runs module with dirs, in the order of /rw and /ro, and returns what
// it wrote.
func runGuest(t *testing.T, module []byte, dirs map[string]*dirFS) (string, error) {
	t.Helper()
	ctx := t.Context()
	r := wz.NewRuntime(ctx)
	defer func() { _ = r.Close(ctx) }()
	if _, err := wasi.Instantiate(ctx, r); err != nil {
		return "", err
	}
	mounts := wz.NewFSConfig()
	for _, guest := range []string{"/rw", "/ro"} {
		var ok bool
		if mounts, ok = withDir(mounts, dirs[guest], guest); !ok {
			t.Fatal("wazero takes no file systems of ours")
		}
	}
	var stdout bytes.Buffer
	cfg := wz.NewModuleConfig().WithStdout(&stdout).WithStderr(&stdout).WithFSConfig(mounts).WithSysWalltime().WithSysNanotime()
	_, err := r.InstantiateWithConfig(ctx, module, cfg)
	return stdout.String(), err
}

func withDir(cfg wz.FSConfig, dir *dirFS, guest string) (wz.FSConfig, bool) {
	if cfg, ok := cfg.(sysfs.FSConfig); ok {
		return cfg.WithSysFSMount(dir, guest), true
	}
	return nil, false
}
