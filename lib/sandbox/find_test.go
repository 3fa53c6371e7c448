package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plasm/lib/job"
)

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
		{"file for all", func(dir string) error { return os.Chmod(filepath.Join(dir, "plasm-engine-x"), 0o757) }, "can be written by others"},
		{"file for the group", func(dir string) error { return os.Chmod(filepath.Join(dir, "plasm-engine-x"), 0o775) }, "can be written by others"},
		{"no program", func(dir string) error { return os.Chmod(filepath.Join(dir, "plasm-engine-x"), 0o600) }, "not an executable file"},
		{"folder for all", func(dir string) error { return os.Chmod(dir, 0o777) }, "can be written by others"},
		{"sticky folder", func(dir string) error { return os.Chmod(dir, 0o777|os.ModeSticky) }, ""},
		{"somebody else's", func(dir string) error { return chown(filepath.Join(dir, "plasm-engine-x")) }, "belongs to somebody else"},
		{"somebody else's folder", chown, "belongs to somebody else"},
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
			got, err := FindEngine("x", t.TempDir(), dir)
			if test.want == "" {
				if err != nil || filepath.Base(got) != "plasm-engine-x" {
					t.Errorf("%q, %v", got, err)
				}
				return
			}
			if e, ok := errors.AsType[*job.Error](err); !ok || got != "" || !strings.Contains(e.Message, test.want) {
				t.Errorf("%q, %v; want %s", got, err, test.want)
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
	if got, err := FindEngine("x", dir); err != nil || filepath.Base(got) != "engine" {
		t.Errorf("%q, %v", got, err)
	}
	if err := os.Chmod(far, 0o777); err != nil {
		t.Fatal(err)
	}
	if got, err := FindEngine("x", dir); err == nil {
		t.Errorf("started %s, which everybody can replace", got)
	}
}

var errNotRoot = errors.New("only root can give files away")

func chown(path string) error {
	if os.Geteuid() != 0 {
		return errNotRoot
	}
	return os.Chown(path, 65534, 65534)
}
