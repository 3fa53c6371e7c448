package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	there   = need{"sh", "true"}
	missing = need{"moon", "echo not tonight; exit 3"}
)

// try runs a gate and returns its exit code and what it printed.
func try(t *testing.T, strict bool, stages ...stage) (int, string) {
	t.Helper()
	var out bytes.Buffer
	g := gate{stages: stages, strict: strict, logs: filepath.Join(t.TempDir(), "gate"), out: &out}
	return g.run(t.Context()), out.String()
}

// lastLine is the last line of a run's output, without its minutes.
func lastLine(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return regexp.MustCompile(`, [\d.]+ minutes$`).ReplaceAllString(lines[len(lines)-1], "")
}

func TestStages(t *testing.T) {
	t.Parallel()
	ran := `printf '{"Passed":3,"Skipped":{"no moon":2}}' >"$GATE_RESULTS/a.json"`
	failed := `printf '%s' '{"Passed":1,"Failed":[{"Name":"x TestY","Output":"it broke\n","Command":"go test -run ` +
		`TestY x"}]}' >"$GATE_RESULTS/a.json"; exit 1`
	tests := []struct {
		name   string
		strict bool
		stages []stage
		code   int
		last   string
		said   string // in the output
	}{
		{
			"passed", true,
			[]stage{{name: "a", command: "echo hello", needs: []need{there}}},
			0,
			"gate: 1 of 1 stages, 0 tests, 0 failed, 0 skipped", "[1/1] a\nhello\n",
		},
		{
			"skipped", false,
			[]stage{{name: "a", command: ran}},
			0,
			"gate: 1 of 1 stages, 5 tests, 0 failed, 2 skipped (2 tests: no moon)",
			"\ntests: 3 passed, 0 failed, 2 skipped\n",
		},
		{
			"skipped, strict", true,
			[]stage{{name: "a", command: ran}},
			1,
			"gate: 1 of 1 stages, 6 tests, 1 failed, 2 skipped (2 tests: no moon)", "where nothing may be: no moon",
		},
		{
			"left out", false,
			[]stage{{name: "a", command: "exit 1", needs: []need{there, missing}}, {name: "b", command: ran}},
			0,
			"gate: 1 of 2 stages, 5 tests, 0 failed, 2 skipped (a: no moon (not tonight: exit status 3); 2 tests: " +
				"no moon)", "left out: a: no moon (not tonight: exit status 3)\n",
		},
		{
			"left out, strict", true,
			[]stage{{name: "a", command: "exit 1", needs: []need{missing}}, {name: "b", command: "echo b"}},
			1, "gate: 1 of 2 stages, 1 tests, 1 failed, 0 skipped (a: no moon (not tonight: exit status 3))",
			"left out, where nothing may be: no moon",
		},
		{
			"in part", false,
			[]stage{{name: "a", command: "exit 1", needs: []need{missing}, without: ran}},
			0,
			"gate: 1 of 1 stages, 5 tests, 0 failed, 2 skipped (part of a: no moon (not tonight: exit status 3); 2 " +
				"tests: no moon)", "",
		},
		{
			"failed test", false,
			[]stage{{name: "a", command: failed}},
			1, "gate: 1 of 1 stages, 2 tests, 1 failed, 0 skipped",
			"\nfailed: x TestY\nit broke\n\nagain: go test -run TestY x\ntests: 1 passed, 1 failed, 0 " +
				"skipped\nfailed stages: a\ngate: ",
		},
		{
			"goes on", false,
			[]stage{
				{name: "a", command: failed},
				{name: "b", command: ran},
				{name: "c", command: "exit 3"},
				{name: "d", command: "echo last"},
			},
			1, "gate: 4 of 4 stages, 8 tests, 2 failed, 2 skipped (2 tests: no moon)", "\nfailed stages: a, c\ngate: ",
		},
		{
			"goes on, strict", true,
			[]stage{
				{name: "a", command: "exit 1", needs: []need{missing}, without: "echo part"},
				{name: "b", command: "true"},
			},
			1, "gate: 2 of 2 stages, 1 tests, 1 failed, 0 skipped (part of a: no moon (not tonight: exit status 3))",
			"\nfailed stages: a\ngate: ",
		},
		{
			"no result", false,
			[]stage{{name: "a", command: `echo '{' >"$GATE_RESULTS/a.json"`}},
			1, "gate: 1 of 1 stages, 1 tests, 1 failed, 0 skipped", "unexpected end of JSON input",
		},
		{
			"failed stage", false,
			[]stage{{name: "a", command: "echo boom; exit 3"}},
			1, "gate: 1 of 1 stages, 1 tests, 1 failed, 0 skipped",
			"\nfailed: a\nboom\nexit status 3\n\nagain: echo boom; exit 3\ntests: 0 passed, 1 failed, 0 " +
				"skipped\nfailed stages: a\ngate: ",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			code, out := try(t, test.strict, test.stages...)
			if code != test.code || lastLine(out) != test.last || !strings.Contains(out, test.said) {
				t.Errorf("exit code %d, want %d; last line\n%s\nwant\n%s\nall:\n%s", code, test.code, lastLine(out),
					test.last, out)
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	g := gate{stages: []stage{{name: "a", command: "true"}}, logs: filepath.Join(t.TempDir(), "gate"), out: &out}
	if code := g.run(ctx); code != 1 || !strings.Contains(out.String(), "interrupted") {
		t.Errorf("exit code %d\n%s", code, &out)
	}
}

// TestGo runs go test on a module with tests that pass, are skipped, fail and do not compile.
func TestGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module m\n\ngo 1.26\n",
		"a/a_test.go": `package a
import "testing"
func TestGood(t *testing.T) {}
func TestSkipped(t *testing.T) { t.Skip("no moon") }
func TestBad(t *testing.T) { t.Run("in side", func(t *testing.T) { t.Log("said before"); t.Error("it broke") }) }
`,
		"b/b_test.go": "package b\nvar x int = `no`\n",
		"c/c_test.go": "package c\nimport \"os\"\nfunc init() { println(\"dies early\"); os.Exit(3) }\nimport " +
			"\"testing\"\nfunc TestNever(*testing.T) {}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for pkg, want := range map[string][]string{
		"./a": {
			"fail m/a: 4 tests, 2 failed, 1 skipped", "skipped: 1 tests: no moon\n", "said before", "it broke",
			"again: go test -C=" + dir +
				" -count=1 -run '^TestBad$/^in_side$' m/a\ntests: 1 passed, 1 failed, 1 skipped\n",
		},
		"./b": {
			"failed: m/b\n", "cannot use `no`",
			"again: go test -C=" + dir + " -count=1 m/b\ntests: 0 passed, 1 failed, 0 skipped\n",
		},
		"./c": {"failed: m/c\n", "imports must appear before", "tests: 0 passed, 1 failed, 0 skipped\n"},
		"./d": {"failed: ", "tests: 0 passed, 1 failed, 0 skipped\n"},
	} {
		var out bytes.Buffer
		code := runGo(t.Context(), []string{"-C=" + dir, "-count=1", pkg}, func(string) string { return "" }, &out)
		if code != 1 {
			t.Errorf("%s: exit code %d", pkg, code)
		}
		for _, words := range want {
			if !strings.Contains(out.String(), words) {
				t.Errorf("%s: no %q in\n%s", pkg, words, &out)
			}
		}
	}
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	r, err := fromJUnit([]byte(`<?xml version="1.0"?><testsuites><testsuite name="php" tests="4"><testsuite name="T">
<testcase name="testA" class="T"/>
<testcase name="testB with data set &quot;x&quot;" class="T"><failure type="F">it broke</failure></testcase>
<testcase name="testC" class="T"><skipped/></testcase></testsuite>
<testcase name="testD" class="U"><error>worse</error></testcase></testsuite></testsuites>`))
	if err != nil || r.Passed != 1 || r.skipped() != 1 || len(r.Failed) != 2 || r.Failed[0].Output != "worse" &&
		r.Failed[1].Output != "worse" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestStrict(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"CI": "true"}, true},
		{map[string]string{"CI": "false"}, false},
		{map[string]string{"STRICT": "1"}, true},
	} {
		if got := strict(func(name string) string { return test.env[name] }); got != test.want {
			t.Errorf("%v: %v", test.env, got)
		}
	}
}
