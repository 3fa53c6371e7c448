package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

// TestFault keeps what is known to be faulty from being chosen. When a version of
// Wasmtime has both of its mends for arm64, this changes with docs/security.md.
func TestFault(t *testing.T) {
	t.Parallel()
	for _, e := range OtherEngines() {
		for arch, want := range map[string]string{"amd64": "", "arm64": "for arm64"} {
			if got := e.Fault(arch); (got == "") != (want == "") || !strings.Contains(got, want) {
				t.Errorf("%s on %s: %q", e.Name, arch, got)
			}
		}
	}
}

// TestFindEngine finds an engine where nobody else can have put it.
func TestFindEngine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(dir string) error
		want string // of the error; "" finds it
	}{
		{"sound", func(string) error { return nil }, ""},
		{"none", func(dir string) error { return os.Remove(filepath.Join(dir, "plasm-engine-x")) }, "is not here"},
		{
			"file for all", func(dir string) error { return os.Chmod(filepath.Join(dir, "plasm-engine-x"), 0o757) },
			"can be written by others",
		},
		{
			"file for the group",
			func(dir string) error { return os.Chmod(filepath.Join(dir, "plasm-engine-x"), 0o775) },
			"can be written by others",
		},
		{
			"no program", func(dir string) error { return os.Chmod(filepath.Join(dir, "plasm-engine-x"), 0o600) },
			"not an executable file",
		},
		{"folder for all", func(dir string) error { return os.Chmod(dir, 0o777) }, "can be written by others"},
		{
			"folder above for all", func(dir string) error { return os.Chmod(filepath.Dir(dir), 0o777) },
			"can be written by others",
		},
		{"sticky folder", func(dir string) error { return os.Chmod(dir, 0o777|os.ModeSticky) }, ""},
		{
			"somebody else's", func(dir string) error { return chown(filepath.Join(dir, "plasm-engine-x")) },
			"belongs to another user",
		},
		{"somebody else's folder", chown, "belongs to another user"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "engines")
			file := filepath.Join(dir, "plasm-engine-x")
			err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(file, nil, 0o755))
			if err = errors.Join(err, test.make(dir)); errors.Is(err, errNotRoot) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := FindEngine("v", EngineInfo{Name: "x", Version: "1"}, t.TempDir(), dir)
			if test.want == "" {
				want := &Backend{
					[]string{filepath.Join(dir, "plasm-engine-x"), "--worker"},
					EngineInfo{Name: "x", Version: "1"},
					"v",
				}
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("%v\n%s", err, diff)
				}
				return
			}
			if errors.Is(err, ErrNoEngine) != (test.name == "none") {
				t.Errorf("%v: ErrNoEngine is of an engine that is not installed, and of no other", err)
			}
			if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeUnsupported || got != nil ||
				!strings.Contains(e.Message, test.want) {
				t.Errorf("%v, %v; want %s", got, err, test.want)
			}
		})
	}
}

// TestFindEngineBehindLink looks at where a link leads.
func TestFindEngineBehindLink(t *testing.T) {
	t.Parallel()
	dir, far := t.TempDir(), t.TempDir()
	file := filepath.Join(far, "engine")
	err := errors.Join(os.WriteFile(file, nil, 0o755), os.Symlink(file, filepath.Join(dir, "plasm-engine-x")))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := FindEngine("", EngineInfo{Name: "x"}, dir); err != nil || filepath.Base(got.Worker[0]) != "engine" {
		t.Errorf("%v, %v", got, err)
	}
	if err := os.Chmod(far, 0o777); err != nil {
		t.Fatal(err)
	}
	if got, err := FindEngine("", EngineInfo{Name: "x"}, dir); err == nil {
		t.Errorf("found %v, which everybody can replace", got)
	}
}

var errNotRoot = errors.New("only root can give files away")

func chown(path string) error {
	if os.Geteuid() != 0 {
		return errNotRoot
	}
	return os.Chown(path, 65534, 65534)
}

// TestOtherBuild: a worker that says that it is not what it should be gets no job.
func TestOtherBuild(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ version, engine, want string }{
		"engine": {"", "2", "is of plasm  with fake 1, and should be of  with 2"},
		"plasm":  {"1.0", "1", "is of plasm  with fake 1, and should be of 1.0 with 1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := fakeConfig(t, "ready=process good")
			cfg.CacheDir, cfg.Version, cfg.Engine.Version = t.TempDir(), test.version, test.engine
			report, err := supervisor(t, cfg).Run(t.Context(), described(t, "nothing"))
			e, ok := errors.AsType[*job.Error](err)
			if !ok || report != nil || e.Code != job.CodeUnsupported || !errors.Is(err, ErrNoWorker) ||
				!strings.Contains(e.Message, test.want) {
				t.Errorf("%+v, %v", report, err)
			}
		})
	}
}
