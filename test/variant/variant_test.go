package variant_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"plasm/test/variant"
)

// TestBuild changes a constant and sees it in what the command says.
func TestBuild(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "plasm-run")
	const file = "cmd/plasm-run/main.go"
	edit := variant.Edit{File: file, Old: `const name = "plasm-run"`, New: `const name = "some-run"`}
	again := variant.Edit{File: file, Old: `"some-run"`, New: `"other-run"`}
	if err := variant.Build(t.Context(), out, "", edit, again); err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), out, "--no-such-flag").CombinedOutput()
	if !strings.HasPrefix(string(said), "other-run: ") || err == nil {
		t.Errorf("%v: %s", err, said)
	}
}

// TestNoBuild is for changes that can no longer be made: they must not be left out.
func TestNoBuild(t *testing.T) {
	t.Parallel()
	const file = "cmd/plasm-run/main.go"
	for want, edits := range map[string][]variant.Edit{
		"0 times":          {{File: file, Old: "no such text", New: "x"}},
		" times, not once": {{File: file, Old: "\n", New: "x"}},
		"no such file":     {{File: "cmd/plasm-run/nothing.go", Old: "x", New: "y"}},
		"all of it":        {{File: file, New: "package main"}, {File: file, New: "package main"}},
		"go build: ":       {{File: file, New: "no Go"}},
	} {
		err := variant.Build(t.Context(), filepath.Join(t.TempDir(), "plasm-run"), "", edits...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want …%s…", err, want)
		}
	}
}
