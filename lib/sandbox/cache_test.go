package sandbox

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

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
		"with a friend": func(name string) error { return os.WriteFile(name+"2", nil, 0o400) },
	}
	for _, part := range []string{"", "sum", "code", "code/*", "code/*/*"} {
		changes := maps.Clone(toAny)
		if part == "sum" || part == "code/*/*" {
			maps.Copy(changes, toFile)
		}
		if part == "" || part == "sum" || part == "code" {
			delete(changes, "with a friend") // which would harm nobody
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

// TestCacheEvicts keeps the cache small: what was used last stays.
func TestCacheEvicts(t *testing.T) {
	t.Parallel()
	cfg := cachedConfig(t)
	s := supervisor(t, cfg)
	run := func(name string) string {
		t.Helper()
		before := entries(t, cfg.CacheDir)
		play(t.Context(), t, s, described(t, name))
		for _, key := range entries(t, cfg.CacheDir) {
			if !slices.Contains(before, key) {
				return key
			}
		}
		return ""
	}
	first, second, third := run("exit-1"), run("exit-2"), run("exit-3")
	age := func(key string, by time.Duration) {
		t.Helper()
		then := time.Now().Add(-by)
		must(t, os.Chtimes(filepath.Join(cfg.CacheDir, key), then, then))
	}
	age(first, 3*time.Hour)
	age(second, 2*time.Hour)
	age(third, time.Hour)
	play(t.Context(), t, s, described(t, "exit-1")) // the oldest is used again
	size := sizeOf(filepath.Join(cfg.CacheDir, first))
	s.cache.limit = 3*size + size/2
	fourth := run("exit-4")
	if got, want := entries(t, cfg.CacheDir), []string{first, third, fourth}; !sameSet(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
	s.cache.limit = 1
	fifth := run("exit-5")
	if got := entries(t, cfg.CacheDir); !sameSet(got, []string{fifth}) {
		t.Errorf("left are %v, want %s alone", got, fifth)
	}
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// TestCacheLeavesOthersAlone puts the cache into a folder that holds other
// things, old and large: neither the bound nor the sweep may touch them.
func TestCacheLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	cfg := cachedConfig(t)
	cfg.CacheBytes = 1
	theirs := []string{"letters/to mother", "tmp/work", stagingDir + "/theatre/scene", "0123/x", strings.Repeat("g", 64) + "/x"}
	for _, name := range theirs {
		name = filepath.Join(cfg.CacheDir, name)
		must(t, os.MkdirAll(filepath.Dir(name), 0o700))
		must(t, os.WriteFile(name, []byte("precious"), 0o600))
		must(t, os.Chtimes(filepath.Dir(name), time.Time{}, time.Unix(1, 0)))
	}
	for range 2 {
		wantCached(t, supervisor(t, cfg), false)
		must(t, os.RemoveAll(filepath.Join(cfg.CacheDir, mustKey(t, cfg.CacheDir))))
	}
	for _, name := range theirs {
		if data, err := os.ReadFile(filepath.Join(cfg.CacheDir, name)); string(data) != "precious" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}

// mustKey returns the one entry of a cache folder.
func mustKey(t *testing.T, dir string) string {
	t.Helper()
	all, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range all {
		if isKey(e.Name()) {
			return e.Name()
		}
	}
	t.Fatal("no entry")
	return ""
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

// TestStagingIsRefused is for compiling workers that leave what they must not.
// Nothing of it is kept, and the job runs.
func TestStagingIsRefused(t *testing.T) {
	t.Parallel()
	for _, what := range []string{
		"nothing", "empty", "two-files", "two-folders", "file-beside", "flat", "deep", "link", "linked-folder", "fifo", "odd-name",
		"long-name", "huge",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			cfg := fakeConfig(t, "ready=process,landlock unless-run module stage-"+what+" loaded")
			cfg.CacheDir = t.TempDir()
			r := play(t.Context(), t, supervisor(t, cfg), described(t, "nothing"))
			r.wantExit(t, 0)
			if keys := entries(t, cfg.CacheDir); len(keys) > 0 || r.Outcome.CompileCached {
				t.Errorf("kept is %v, cached %v", keys, r.Outcome.CompileCached)
			}
		})
	}
}

// TestStagingIsTaken shows that the fakes above are refused for what they leave,
// and that a worker without Landlock compiles nothing for others.
func TestStagingIsTaken(t *testing.T) {
	t.Parallel()
	for guards, want := range map[string]int{"process,landlock": 1, "process": 0} {
		cfg := fakeConfig(t, "ready="+guards+" unless-run module stage-good loaded")
		cfg.CacheDir = t.TempDir()
		s := supervisor(t, cfg)
		play(t.Context(), t, s, described(t, "nothing")).wantExit(t, 0)
		keys := entries(t, cfg.CacheDir)
		if len(keys) != want {
			t.Fatalf("with %s there are %d entries", guards, len(keys))
		}
		if r := play(t.Context(), t, s, described(t, "nothing")); r.Outcome.CompileCached != (want > 0) {
			t.Errorf("with %s the second time cached is %v", guards, r.Outcome.CompileCached)
		}
		if want > 0 {
			data, err := os.ReadFile(filepath.Join(cfg.CacheDir, keys[0], codeDir, "sub", "file"))
			if string(data) != "compiled" || err != nil {
				t.Errorf("kept is %q, %v", data, err)
			}
		}
	}
}

// TestCompilingWorkerFails tells the module's fault from the disk's.
func TestCompilingWorkerFails(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]job.Code{
		"failed=bad_module,x":   job.CodeBadModule,
		"failed=io,disk-full":   "", // then it is compiled without being kept
		"exit=1":                job.CodeCompileLimit,
		"kill":                  job.CodeCompileLimit,
		"started hang":          job.CodeInternal,
		`:\x00\x00\x00\x00\xff`: job.CodeInternal,
	} {
		cfg := fakeConfig(t, "ready=process,landlock unless-run module "+mode)
		cfg.CacheDir = t.TempDir()
		_, err := supervisor(t, cfg).Run(t.Context(), described(t, "nothing"))
		if got := codeOf(err); got != want {
			t.Errorf("%s: %#v", mode, err)
		}
		if keys := entries(t, cfg.CacheDir); len(keys) > 0 {
			t.Errorf("%s: kept is %v", mode, keys)
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
	}{
		"base":     {e, "m"},
		"module":   {e, "n"},
		"name":     {EngineInfo{"f", "1", e.Features}, "m"},
		"version":  {EngineInfo{"e", "2", e.Features}, "m"},
		"features": {EngineInfo{"e", "1", []string{"a"}}, "m"},
		"joined":   {EngineInfo{"e", "1", []string{"ab"}}, "m"},
		"moved":    {EngineInfo{"e", "11:a", []string{"b"}}, "m"},
	} {
		key := (&cache{engine: c.engine}).key(&job.Manifest{ModuleHash: c.module})
		if other, taken := keys[key]; taken || !isKey(key) {
			t.Errorf("%s has the key %s, as has %q", what, key, other)
		}
		keys[key] = what
	}
}
