package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/cli"
	"plasm/test/bin"
)

// built returns a folder with the commands.
func built(t *testing.T) string {
	t.Helper()
	programs := t.TempDir()
	if err := bin.Build(t.Context(), programs, commands...); err != nil {
		t.Fatal(err)
	}
	return programs
}

// TestEveryFlagIsThere makes the pages of all commands, and looks for every flag in
// every one of its files. What shells and man make of them is tested with the packages.
func TestEveryFlagIsThere(t *testing.T) {
	t.Parallel()
	programs, out := built(t), t.TempDir()
	var stderr bytes.Buffer
	if code := run([]string{programs, out, "1.2.3", "2026-01-02"}, &stderr); code != 0 || stderr.Len() > 0 {
		t.Fatalf("%d: %s", code, &stderr)
	}
	for _, name := range commands {
		d, err := ask(t.Context(), programs, name)
		if err != nil {
			t.Fatal(err)
		}
		completions := "bash-completion/completions/" + name + " zsh/vendor-completions/_" + name +
			" fish/vendor_completions.d/" + name + ".fish"
		for _, of := range append([]cli.Declaration{*d}, d.Subcommands...) {
			if len(of.Flags) < 4 {
				t.Errorf("%s has the flags %v", of.Name, of.Flags)
			}
			manual := fmt.Sprintf("man/man%d/%s.%[1]d", of.Section, page(&of))
			for _, file := range append(strings.Fields(completions), manual) {
				text := read(t, filepath.Join(out, file))
				for _, f := range of.Flags {
					if want := map[bool]string{
						false: f.Name,
						true:  strings.ReplaceAll("--"+f.Name, "-", `\-`),
					}[file == manual]; !strings.Contains(text,
						want) {
						t.Errorf("%s has no --%s", file, f.Name)
					}
				}
			}
			text := read(t, filepath.Join(out, manual))
			for _, heading := range []string{
				"SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES",
				"SEE ALSO",
			} {
				if !strings.Contains(text, ".SH "+heading+"\n") {
					t.Errorf("%s has no %s", manual, heading)
				}
			}
			for _, other := range of.See {
				name, section, _ := strings.Cut(strings.TrimSuffix(other, ")"), "(")
				if name == page(&of) {
					t.Errorf("%s leads to itself", manual)
				}
				if _, err := os.Stat(filepath.Join(out, "man", "man"+section, name+"."+section)); err != nil {
					t.Errorf("%s leads to %s: %v", manual, other, err)
				}
			}
		}
	}
	text := read(t, filepath.Join(out, "man", "man5", "plasmd.toml.5"))
	for _, member := range []string{`\fBslots\fR`, `\fBrelay\-allow\fR`, `\fBlog\-level\fR`} {
		if !strings.Contains(text, member) {
			t.Errorf("plasmd.toml.5 has no %s", member)
		}
	}
	if strings.Contains(text, `\fBprint\-config\fR`) {
		t.Error("plasmd.toml.5 has a member that is none")
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTables: the tables of the docs are those that the commands declare.
func TestTables(t *testing.T) {
	t.Parallel()
	programs, copied := built(t), filepath.Join(t.TempDir(), "commands.md")
	before := read(t, "../../docs/commands.md")
	if err := os.WriteFile(copied, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	if code := run([]string{programs, copied}, &stderr); code != 0 || stderr.Len() > 0 {
		t.Fatalf("%d: %s", code, &stderr)
	}
	if diff := cmp.Diff(before, read(t, copied)); diff != "" {
		t.Errorf("docs/commands.md is not what the commands declare; make docs mends it (-is +declared):\n%s", diff)
	}
	for _, name := range commands {
		d, err := ask(t.Context(), programs, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range append([]cli.Declaration{*d}, d.Subcommands...) {
			for _, c := range categories(&of) {
				if len(d.Subcommands) > 0 && of.Name == name { // each subcommand has all that plasmd has
					continue
				}
				whole, part := "<!-- flags of "+of.Name+", ", "<!-- flags of "+of.Name+": "+c.name+", "
				if !strings.Contains(before, whole) && !strings.Contains(before, part) {
					t.Errorf("docs/commands.md has no table for %s: %s", of.Name, c.name)
				}
			}
		}
	}
}

// TestWrongPages: a page without marks, or with marks for what there is not, is left as it is.
func TestWrongPages(t *testing.T) {
	t.Parallel()
	all := []*cli.Declaration{{Doc: cli.Doc{Name: "plasm-run"}, Flags: []*cli.Flag{{Name: "a", Category: "All"}}}}
	for text, want := range map[string]string{
		"# Commands\n": "no mark",
		"<!-- flags of plasm-run, written by make docs -->\n": "no <!-- end",
		"<!-- flags of plasm-walk, written by make docs -->\n" +
			"<!-- end of flags -->\n": "there is no command",
		"<!-- flags of plasm-run: The moon, written by make docs -->\n<!-- end of flags -->\n":    "no flags under",
		"a\n<!-- flags of plasm-run: All, written by make docs -->\nold\n<!-- end of flags -->\n": "",
	} {
		made, err := tables(text, all)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if err == nil && (strings.Contains(made, "old") || !strings.Contains(made, "| `--a` |")) {
			t.Errorf("%q became %q", text, made)
		}
	}
	var stderr bytes.Buffer
	if code := run([]string{t.TempDir(), t.TempDir(), "1", "2026-01-02"}, &stderr); code != 1 ||
		!strings.HasPrefix(stderr.String(), "pages: plasm-run --declarations: ") {
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
