package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"plasm/lib/cli"
)

// bare is an invocation without variables and streams.
func bare(args ...string) *cli.Invocation {
	return &cli.Invocation{
		Args: args, Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{},
		Getenv: func(string) string { return "" },
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	flags := newOptions(bare()).flags
	known := map[string]bool{"--signer": true} // of plasm-verify, which an example uses
	for _, f := range flags.All() {
		known["--"+f.Name] = true
	}
	help := flags.Help()
	for _, word := range strings.FieldsFunc(help,
		func(r rune) bool { return !strings.ContainsRune("-abcdefghijklmnopqrstuvwxyz", r) }) {
		if strings.HasPrefix(word, "--") && !known[word] {
			t.Errorf("--help names %s, which there is not", word)
		}
	}
	for line := range strings.Lines(help) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("--help has a line of %d characters: %s", n, line)
		}
	}
}

// TestHelpExamplesAreRun holds the examples to what the scripts run.
func TestHelpExamplesAreRun(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("testdata/run.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, example := range doc().Examples {
		if !strings.Contains(string(script), "exec sh -c '"+example+"'\n") {
			t.Errorf("testdata/run.txtar does not run: %s", example)
		}
	}
}

// TestRunInProcess: run needs nothing of the process that it is in but what it is
// handed.
func TestRunInProcess(t *testing.T) { //nolint:paralleltest // it catches the process's signals
	for args, want := range map[string]int{"--help": 0, "--version": 0, "--bogus": 125, "": 125, "nosuch.wasm": 127} {
		in := bare(strings.Fields(args)...)
		if code := run(in); code != want {
			t.Errorf("%q: exit code %d, want %d", args, code, want)
		}
	}
}
