package wazero

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/test/guest"
)

// compiled compiles a module and returns the folder and the one file in it.
func compiled(t *testing.T, module []byte) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	must(t, Engine{}.Compile(t.Context(), module, dir))
	file, err := onlyFile(dir)
	must(t, err)
	folders, err := os.ReadDir(dir)
	must(t, err)
	if len(folders) != 1 {
		t.Errorf("compiling has left %v", folders)
	}
	return dir, file
}

// TestCachedIsTheSame runs each guest that ends from its compiled module, and
// from the module alone.
func TestCachedIsTheSame(t *testing.T) {
	t.Parallel()
	for name, module := range guest.All() {
		if guest.Bad(name) || guest.Endless(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, file := compiled(t, module)
			before, err := os.ReadFile(file)
			must(t, err)
			host := func() engine.Host {
				return engine.Host{Args: []string{"a"}, Env: []string{"A=b"}, Stdin: inputFile(t, "input\n"), StdinKnown: true}
			}
			want := play(t, module, "", host())
			for range 2 {
				if diff := cmp.Diff(want, play(t, module, dir, host())); diff != "" {
					t.Errorf("cached (-without +with):\n%s", diff)
				}
			}
			after, err := os.ReadFile(file)
			must(t, err)
			if !bytes.Equal(before, after) {
				t.Error("running has changed the compiled module")
			}
		})
	}
}

// TestCachedIsUsed runs one module with the code of another, which only the
// supervisor's key and digest prevent: so the code does come from the cache.
func TestCachedIsUsed(t *testing.T) {
	t.Parallel()
	module := named(t, "exit-3")
	dir, file := compiled(t, module)
	_, other := compiled(t, named(t, "exit-255"))
	data, err := os.ReadFile(other)
	must(t, err)
	must(t, os.WriteFile(file, data, 0o600))
	if got := play(t, module, dir, engine.Host{}); got.Result.ExitCode != 255 {
		t.Errorf("%+v: the module was compiled again", got)
	}
}

// TestCacheDamaged damages what Compile has left in each way that wazero or this
// package can see. The guest must run all the same: never its skeleton, which
// would trap.
func TestCacheDamaged(t *testing.T) {
	t.Parallel()
	module := named(t, "args")
	write := func(t *testing.T, file string, data []byte) {
		t.Helper()
		must(t, os.WriteFile(file, data, 0o600))
	}
	type damage func(t *testing.T, dir, file string, data []byte)
	tests := map[string]damage{
		"empty":           func(t *testing.T, _, file string, _ []byte) { t.Helper(); write(t, file, nil) },
		"other magic":     func(t *testing.T, _, file string, data []byte) { t.Helper(); data[0]++; write(t, file, data) },
		"other version":   func(t *testing.T, _, file string, data []byte) { t.Helper(); data[7]++; write(t, file, data) },
		"version too far": func(t *testing.T, _, file string, data []byte) { t.Helper(); data[6] = 255; write(t, file, data) },
		"code changed":    func(t *testing.T, _, file string, data []byte) { t.Helper(); data[len(data)/2]++; write(t, file, data) },
		"longer":          func(t *testing.T, _, file string, data []byte) { t.Helper(); write(t, file, append(data, 1)) },
		"gone":            func(t *testing.T, _, file string, _ []byte) { t.Helper(); must(t, os.Remove(file)) },
		"all gone":        func(t *testing.T, dir, _ string, _ []byte) { t.Helper(); must(t, os.RemoveAll(dir)) },
		"a folder": func(t *testing.T, _, file string, _ []byte) {
			t.Helper()
			must(t, os.Remove(file))
			must(t, os.Mkdir(file, 0o700))
		},
		"a dangling link": func(t *testing.T, _, file string, _ []byte) {
			t.Helper()
			must(t, os.Remove(file))
			must(t, os.Symlink("nowhere", file))
		},
		"a second file": func(t *testing.T, _, file string, data []byte) { t.Helper(); write(t, file+"2", data) },
		"another module": func(t *testing.T, _, file string, _ []byte) {
			t.Helper()
			must(t, os.Rename(file, filepath.Join(filepath.Dir(file), strings.Repeat("0", len(filepath.Base(file))))))
		},
		"another processor": func(t *testing.T, dir, file string, _ []byte) {
			t.Helper()
			must(t, os.Rename(filepath.Dir(file), filepath.Join(dir, "wazero-v0-pdp11-plan9")))
		},
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, file := compiled(t, module)
			data, err := os.ReadFile(file)
			must(t, err)
			damage(t, dir, file, data)
			for range 2 { // what the first run leaves must not harm the second
				if diff := cmp.Diff(exited(0, "module\x00"), play(t, module, dir, engine.Host{})); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// TestCacheTruncated cuts the file behind many of its bytes.
func TestCacheTruncated(t *testing.T) {
	t.Parallel()
	module := named(t, "exit-3")
	dir, file := compiled(t, module)
	data, err := os.ReadFile(file)
	must(t, err)
	for n := range data {
		if n > 64 && n < len(data)-64 && n%37 > 0 {
			continue
		}
		must(t, os.RemoveAll(dir))
		must(t, os.MkdirAll(filepath.Dir(file), 0o700))
		must(t, os.WriteFile(file, data[:n], 0o600))
		if got := play(t, module, dir, engine.Host{}); got.Result.ExitCode != 3 {
			t.Errorf("with %d of %d bytes: %+v", n, len(data), got)
		}
	}
}

// TestCompileNeedsAFolder cannot write.
func TestCompileNeedsAFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if err := (Engine{}).Compile(t.Context(), named(t, "nothing"), file); codeOf(err) != job.CodeIO {
		t.Errorf("compiled into a file: %v", err)
	}
}
