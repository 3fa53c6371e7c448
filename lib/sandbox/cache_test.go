package sandbox

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"plasm/lib/job"
)

// cachedConfig is realConfig with a new cache folder.
func cachedConfig(t *testing.T) Config {
	t.Helper()
	cfg := realConfig()
	cfg.CacheDir = filepath.Join(t.TempDir(), "cache")
	return cfg
}

// entries lists the keys in a cache folder, and checks that nothing else is left
// there.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	var keys []string
	all, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range all {
		if e.Name() == stagingDir {
			left, err := os.ReadDir(filepath.Join(dir, stagingDir))
			must(t, err)
			if len(left) > 0 {
				t.Errorf("staging folders are left: %v", left)
			}
			continue
		}
		if !isKey(e.Name()) {
			t.Errorf("%s in the cache is no entry", e.Name())
		}
		keys = append(keys, e.Name())
	}
	return keys
}

// wantCached runs a guest that exits with 3 and checks where its code came from.
func wantCached(t *testing.T, s *Supervisor, cached bool) {
	t.Helper()
	r := play(t.Context(), t, s, described(t, "exit-3"))
	r.wantExit(t, 3)
	if o := r.Outcome; o.CompileCached != cached || (o.CompileTimeUS == 0) != cached {
		t.Errorf("cached %v, compile time %d µs; want cached %v", o.CompileCached, o.CompileTimeUS, cached)
	}
}

func TestCacheHit(t *testing.T) {
	t.Parallel()
	cfg := cachedConfig(t)
	s := supervisor(t, cfg)
	wantCached(t, s, false)
	wantCached(t, s, true)
	wantCached(t, supervisor(t, cfg), true)
	if keys := entries(t, cfg.CacheDir); len(keys) != 1 {
		t.Errorf("entries are %v", keys)
	}
	cfg.CacheDir = ""
	wantCached(t, supervisor(t, cfg), false)
}

// TestCacheModes checks that nobody else can read or change an entry.
func TestCacheModes(t *testing.T) {
	t.Parallel()
	cfg := cachedConfig(t)
	wantCached(t, supervisor(t, cfg), false)
	err := filepath.WalkDir(cfg.CacheDir, func(name string, d os.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		want := os.FileMode(0o400)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
		return nil
	})
	must(t, err)
}

// TestCacheTogether runs one module many times at once, with nothing in the
// cache at first, in supervisors of their own.
func TestCacheTogether(t *testing.T) {
	t.Parallel()
	cfg := cachedConfig(t)
	var all sync.WaitGroup
	for range 8 {
		s := supervisor(t, cfg)
		all.Go(func() {
			report, err := s.Run(t.Context(), described(t, "exit-3"))
			if err != nil || report.Outcome.Status != job.Exit || *report.Outcome.ExitCode != 3 {
				t.Errorf("%+v, %v", report, err)
			}
		})
	}
	all.Wait()
	if keys := entries(t, cfg.CacheDir); len(keys) != 1 {
		t.Errorf("entries are %v", keys)
	}
	wantCached(t, supervisor(t, cfg), true)
}

// TestCacheDamaged damages each part of an entry. The module is compiled again,
// and the entry replaced.
func TestCacheDamaged(t *testing.T) {
	t.Parallel()
	type change func(name string) error
	rewrite := func(f func(data []byte) []byte) change {
		return func(name string) error {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if err := os.Remove(name); err != nil {
				return err
			}
			return os.WriteFile(name, f(data), 0o400)
		}
	}
	instead := func(put func(name string) error) change {
		return func(name string) error {
			if err := os.RemoveAll(name); err != nil {
				return err
			}
			return put(name)
		}
	}
	toFile := map[string]change{
		"emptied":   rewrite(func([]byte) []byte { return nil }),
		"truncated": rewrite(func(data []byte) []byte { return data[:len(data)-1] }),
		"flipped":   rewrite(func(data []byte) []byte { data[len(data)/2] ^= 1; return data }),
	}
	toAny := map[string]change{
		"removed":       os.RemoveAll,
		"now a file":    instead(func(name string) error { return os.WriteFile(name, []byte("x"), 0o400) }),
		"now a folder":  instead(func(name string) error { return os.Mkdir(name, 0o700) }),
		"now a link":    instead(func(name string) error { return os.Symlink("/etc/passwd", name) }),
		"a link to /":   instead(func(name string) error { return os.Symlink("/", name) }),
		"a loop":        instead(func(name string) error { return os.Symlink(name, name) }),
		"now a FIFO":    instead(func(name string) error { return syscall.Mkfifo(name, 0o600) }),
		"for the group": func(name string) error { return os.Chmod(name, 0o770) },
	}
	for _, part := range []string{"", "sum", "code"} {
		changes := maps.Clone(toAny)
		if part != "" {
			maps.Copy(changes, toFile)
		}
		for name, c := range changes {
			t.Run(part+" "+name, func(t *testing.T) {
				t.Parallel()
				cfg := cachedConfig(t)
				s := supervisor(t, cfg)
				wantCached(t, s, false)
				found, err := filepath.Glob(filepath.Join(cfg.CacheDir, entries(t, cfg.CacheDir)[0], part))
				must(t, err)
				must(t, c(found[0]))
				wantCached(t, s, false)
				wantCached(t, s, true)
				if keys := entries(t, cfg.CacheDir); len(keys) != 1 {
					t.Errorf("entries are %v", keys)
				}
			})
		}
	}
}

// TestCacheUnusable cannot be opened, or becomes unusable later: the job runs.
func TestCacheUnusable(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, dir string){
		"below a file": func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.WriteFile(dir, nil, 0o600))
		},
		"staging is a file": func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.Mkdir(dir, 0o700))
			must(t, os.WriteFile(filepath.Join(dir, stagingDir), nil, 0o600))
		},
		"staging is a FIFO": func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.Mkdir(dir, 0o700))
			must(t, syscall.Mkfifo(filepath.Join(dir, stagingDir), 0o600))
		},
	}
	for name, spoil := range tests {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, late %v", name, late), func(t *testing.T) {
				t.Parallel()
				var log bytes.Buffer
				cfg := cachedConfig(t)
				cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
				cfg.CacheLevel = slog.LevelWarn
				if !late {
					spoil(t, cfg.CacheDir)
				}
				s := supervisor(t, cfg)
				if late {
					must(t, os.RemoveAll(cfg.CacheDir))
					spoil(t, cfg.CacheDir)
				}
				for range 2 {
					wantCached(t, s, false)
				}
				if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), cfg.CacheDir) {
					t.Errorf("the log says %q", log.String())
				}
			})
		}
	}
}

// TestKeys draws a key for each thing that compiled code depends on.
func TestKeys(t *testing.T) {
	t.Parallel()
	e := EngineInfo{Name: "e", Version: "1", Features: []string{"a", "b"}}
	keys := map[string]string{}
	for what, c := range map[string]struct {
		engine EngineInfo
		module job.Digest
		who    string
	}{
		"base":     {e, "m", ""},
		"module":   {e, "n", ""},
		"who":      {e, "m", "someone"},
		"name":     {EngineInfo{"f", "1", e.Features}, "m", ""},
		"version":  {EngineInfo{"e", "2", e.Features}, "m", ""},
		"features": {EngineInfo{"e", "1", []string{"a"}}, "m", ""},
		"joined":   {EngineInfo{"e", "1", []string{"ab"}}, "m", ""},
		"moved":    {EngineInfo{"e", "11:a", []string{"b"}}, "m", ""},
	} {
		key := (&cache{engine: c.engine}).key(&Job{Requester: c.who, Manifest: &job.Manifest{ModuleHash: c.module}})
		if other, taken := keys[key]; taken || !isKey(key) {
			t.Errorf("%s has the key %s, as has %q", what, key, other)
		}
		keys[key] = what
	}
}
