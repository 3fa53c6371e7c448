package cli

import "path/filepath"

// CacheDir returns the folder for what the commands keep and can do without:
// $XDG_CACHE_HOME/plasm, by default ~/.cache/plasm, after the XDG Base Directory
// Specification. It is "" where there is no home. It need not exist.
func CacheDir(getenv func(string) string) string {
	base := getenv("XDG_CACHE_HOME")
	if !filepath.IsAbs(base) {
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		base = filepath.Join(home, ".cache")
	}
	return filepath.Join(base, "plasm")
}
