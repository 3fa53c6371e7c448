package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"plasm/test/bin"
)

// TestAdvisories runs scripts/advisories with a checker that reports what a case says:
// only what is lived with passes.
func TestAdvisories(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		checker, says string
		fails         bool
	}{
		"nothing": {"echo No vulnerabilities found.", "wasmtime 44", false},
		"known":   {"echo 'Vulnerability #1: GO-2024-3218'; exit 3", "why it is lived with", false},
		"new":     {"echo 'Vulnerability #1: GO-2026-0001'; exit 3", "GO-2026-0001", true},
		"new and known": {
			"printf 'Vulnerability #1: GO-2024-3218\nVulnerability #2: GO-2026-0001\n'; exit 3",
			"GO-2026-0001", true,
		},
		"no database": {"exit 1", "advisories for engines/wasmtime", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, file := range []string{"scripts/advisories", "engines/support.tsv", "engines/accepted.tsv"} {
				data, err := os.ReadFile(filepath.Join("..", file))
				if err == nil {
					err = os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o755)
				}
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, file), data, 0o755)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Mkdir(filepath.Join(dir, ".tools"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := bin.Script(filepath.Join(dir, ".tools", "govulncheck"), test.checker); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "scripts", "advisories"))
			cmd.Env = append(os.Environ(), "VULNDB=file:///nowhere")
			out, err := cmd.CombinedOutput()
			if (err != nil) != test.fails || !strings.Contains(string(out), test.says) {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
