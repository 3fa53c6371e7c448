package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"plasm/lib/cli"
)

// bare is an invocation without variables and streams.
func bare(args ...string) *cli.Invocation {
	return &cli.Invocation{
		Args: args, Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{},
		Getenv: func(string) string { return "" },
	}
}

func TestHelpHasEveryFlag(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	newOptions(bare()).flags.VisitAll(func(f *pflag.Flag) {
		known["--"+f.Name] = true
		if !strings.Contains(usage, "  --"+f.Name) && !strings.Contains(usage, ", --"+f.Name) {
			t.Errorf("--help does not explain --%s", f.Name)
		}
	})
	for _, word := range strings.FieldsFunc(usage, func(r rune) bool { return !strings.ContainsRune("-abcdefghijklmnopqrstuvwxyz", r) }) {
		if strings.HasPrefix(word, "--") && !known[word] && !inVerify[word] {
			t.Errorf("--help names %s, which there is not", word)
		}
	}
	for line := range strings.Lines(usage) {
		if len(strings.TrimSuffix(line, "\n")) > 80 {
			t.Errorf("--help has a line of %d characters: %s", len(line)-1, line)
		}
	}
}

// inVerify are flags of plasm-verify, which an example uses.
var inVerify = map[string]bool{"--signer": true}

// TestHelpExamplesAreRun holds the examples to what the scripts run.
func TestHelpExamplesAreRun(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("testdata/run.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, examples, found := strings.Cut(usage, "Examples:\n")
	if !found {
		t.Fatal("--help has no examples")
	}
	for line := range strings.Lines(examples) {
		if example := strings.TrimSpace(line); !strings.Contains(string(script), "exec sh -c '"+example+"'\n") {
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
