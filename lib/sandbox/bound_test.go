package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

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
	theirs := []string{
		"letters/to mother", "tmp/work", stagingDir + "/theatre/scene", "0123/x",
		strings.Repeat("g", 64) + "/x",
	}
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
