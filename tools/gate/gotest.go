package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"gotest.tools/gotestsum/testjson"
)

// runGo is go test with args. It leaves its result where the gate asks for it, and else
// says itself what failed.
func runGo(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) int {
	command := getenv("GO")
	if command == "" {
		command = "go"
	}
	words := slices.Concat([]string{"test"}, args)
	first := 1
	if len(args) > 0 && strings.HasPrefix(args[0], "-C=") { // which go wants first
		first = 2
	}
	cmd := exec.CommandContext(ctx, command, slices.Insert(words, first, "-json")...) //nolint:gosec // the caller's own go command
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	r, err := scan(cmd, stdout)
	if err == nil && len(r.Failed) > 0 {
		err = errors.New("tests failed")
	}
	for i := range r.Failed {
		r.Failed[i].Command = again(args, r.Failed[i])
	}
	if folder := getenv(resultsVariable); folder != "" {
		if err := r.write(folder); err != nil {
			_, _ = fmt.Fprintf(stdout, "gate: %v\n", err)
			return 1
		}
	} else {
		r.report(stdout)
	}
	if err != nil {
		return 1
	}
	return 0
}

// scan runs cmd, says of each package what came of it, and returns the sum.
func scan(cmd *exec.Cmd, stdout io.Writer) (result, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return result{}, err
	}
	problems, err := cmd.StderrPipe()
	if err != nil {
		return result{}, err
	}
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	p := &progress{out: stdout}
	execution, err := testjson.ScanTestOutput(testjson.ScanConfig{
		Stdout: out, Stderr: problems, Handler: p, IgnoreNonJSONOutputLines: true,
	})
	if ended := cmd.Wait(); err == nil {
		err = ended
	}
	r := resultOf(execution)
	for i := range r.Failed {
		if strings.HasSuffix(strings.TrimSpace(r.Failed[i].Output), " failed]") { // to build or set up
			r.Failed[i].Output = p.builds.String() + r.Failed[i].Output
		}
	}
	if err != nil && len(r.Failed) == 0 { // it did not come to a test
		r.Failed = []failure{{Name: "go test", Output: strings.Join(execution.Errors(), "\n") + "\n" + err.Error() +
			"\n"}}
	}
	return r, err
}

// progress prints a line for each package that ends, and what the go command says.
type progress struct {
	out    io.Writer
	builds strings.Builder // what compilers said
}

// Event is called for each event of test2json.
func (p *progress) Event(event testjson.TestEvent, execution *testjson.Execution) error {
	if event.Action == "build-output" {
		p.builds.WriteString(event.Output)
	}
	if !event.PackageEvent() || !event.Action.IsTerminal() || event.Action == testjson.ActionSkip {
		return nil
	}
	pkg := execution.Package(event.Package)
	_, err := fmt.Fprintf(p.out, "%-4s %s: %d tests, %d failed, %d skipped, %.1f s\n",
		event.Action, event.Package, pkg.Total, len(pkg.Failed), len(pkg.Skipped), event.Elapsed)
	return err
}

// Err is called for each line that is no event.
func (p *progress) Err(text string) error {
	_, err := fmt.Fprintln(p.out, text)
	return err
}

func resultOf(execution *testjson.Execution) result {
	var r result
	for _, name := range execution.Packages() {
		r.Passed += len(execution.Package(name).Passed)
	}
	for _, test := range execution.Skipped() {
		r.skip(reason(execution.OutputLines(test)), 1)
	}
	for _, test := range testjson.FilterFailedUnique(execution.Failed()) {
		r.Failed = append(r.Failed, failure{
			Name:   strings.TrimSuffix(test.Package+" "+test.Test.Name(), " "),
			Output: strings.Join(slices.DeleteFunc(execution.OutputLines(test), framing), ""),
		})
	}
	return r
}

// framing says whether a line is go test's and not the test's.
func framing(line string) bool {
	for _, mark := range []string{"=== RUN", "=== PAUSE", "=== CONT", "=== NAME"} {
		if strings.HasPrefix(line, mark) {
			return true
		}
	}
	return false
}

var place = regexp.MustCompile(`^\s*[\w.-]+:\d+: `)

// reason is what a skipped test said last.
func reason(lines []string) string {
	said := ""
	for _, line := range lines {
		if framing(line) || strings.HasPrefix(strings.TrimSpace(line), "--- SKIP") || strings.TrimSpace(line) == "" {
			continue
		}
		said = place.ReplaceAllString(strings.TrimSpace(line), "")
	}
	if said == "" {
		return "no reason given"
	}
	return said
}

// again is the command that runs just the failed test, with the flags that matter to it.
func again(args []string, f failure) string {
	words := []string{"go", "test"}
	for _, arg := range args {
		if arg == "-race" {
			words = slices.Insert(words, 0, "CGO_ENABLED=1")
		}
		if kept.MatchString(arg) {
			words = append(words, arg)
		}
	}
	pkg, test, _ := strings.Cut(f.Name, " ")
	if test != "" {
		names := strings.Split(test, "/")
		for i, name := range names {
			names[i] = "^" + regexp.QuoteMeta(name) + "$"
		}
		words = append(words, "-run", quote(strings.Join(names, "/")))
	}
	return strings.Join(append(words, pkg), " ")
}

var kept = regexp.MustCompile(`^-(C|race|cpu|count|tags|short)(=|$)`)

func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
