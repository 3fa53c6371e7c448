package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plasm/test/bin"
)

// TestEveryFlagIsThere makes the pages of all commands, and looks for every flag of
// each help in every one of its files. What shells and man make of them is tested
// with the packages.
func TestEveryFlagIsThere(t *testing.T) {
	t.Parallel()
	programs, out := t.TempDir(), t.TempDir()
	var all []string
	for _, c := range commands {
		all = append(all, c.name)
	}
	if err := bin.Build(t.Context(), programs, all...); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	if code := run([]string{programs, out, "1.2.3", "2026-01-02"}, &stderr); code != 0 || stderr.Len() > 0 {
		t.Fatalf("%d: %s", code, &stderr)
	}
	for _, name := range all {
		h, err := ask(t.Context(), programs, name)
		if err != nil {
			t.Fatal(err)
		}
		flags := h.flags()
		for _, sub := range h.subcommands() {
			of, err := ask(t.Context(), programs, name, sub)
			if err != nil {
				t.Fatal(err)
			}
			flags = append(flags, of.flags()...)
		}
		if len(flags) < 4 {
			t.Errorf("%s has the flags %v", name, flags)
		}
		for pattern, shown := range map[string]func(flag) string{
			"man/man?/" + name + ".?":                 func(f flag) string { return strings.ReplaceAll("--"+f.long, "-", `\-`) },
			"bash-completion/completions/" + name:     func(f flag) string { return "--" + f.long },
			"zsh/vendor-completions/_" + name:         func(f flag) string { return "--" + f.long },
			"fish/vendor_completions.d/" + name + "*": func(f flag) string { return "-l " + f.long },
		} {
			found, err := filepath.Glob(filepath.Join(out, pattern))
			if err != nil || len(found) != 1 {
				t.Fatalf("%s: %v, %v", pattern, found, err)
			}
			text, err := os.ReadFile(found[0])
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range flags {
				if !strings.Contains(string(text), shown(f)) {
					t.Errorf("%s has no --%s", found[0], f.long)
				}
			}
		}
	}
}

// TestNotAHelp: a page with less than the help would be worse than none.
func TestNotAHelp(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":              "",
		"no usage":             "plasm-run\n\nRuns.\n",
		"no end of the usage":  "Usage: plasm-run\n",
		"a flag without words": "Usage: plasm-run\n\n  -x y z\n",
	} {
		if h, err := parse(text); err == nil {
			t.Errorf("%s: %+v", name, h)
		}
	}
	var stderr bytes.Buffer
	if code := run([]string{t.TempDir(), t.TempDir(), "1", "2026-01-02"}, &stderr); code != 1 || !strings.HasPrefix(stderr.String(), "pages: plasm-run --help: ") {
		t.Errorf("no commands: %d, %s", code, &stderr)
	}
	if code := run(nil, &stderr); code != 2 {
		t.Errorf("no argument: %d", code)
	}
}

// TestRoff is about text that the macros would take for theirs.
func TestRoff(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		".TH": `\&.TH`, "a-b": `a\-b`, `a\b`: `a\eb`, "'x'": `\(aqx\(aq`, "a\n.b": "a\n\\&.b", "…": `\&...`,
	} {
		if got := roff(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
