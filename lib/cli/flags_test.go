package cli

import (
	"bytes"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"plasm/lib/job"
)

func testDoc(name string) Doc {
	return Doc{Name: name, Level: "warn", Synopsis: []string{"[flags]"}, Summary: "do", Examples: []string{name}}
}

// testFlags returns the flags of a command with the words of a job, and the
// variables env.
func testFlags(env map[string]string) *Flags {
	f, _ := testJobFlags(env)
	return f
}

func testJobFlags(env map[string]string) (*Flags, *JobFlags) {
	getenv := func(name string) string { return env[name] }
	f := NewFlags(testDoc("cmd"), getenv)
	return f, AddJobFlags(f, "the key")
}

func TestWantsJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args string
		want bool
	}{
		{"", false},
		{"--json", true},
		{"--json x.wasm", true},
		{"x.wasm --json", false},
		{"-- --json", false},
		{"- --json", false},
		{"--memory 5 --json x.wasm", true},
		{"--memory=5 --json x.wasm", true},
		{"--memory --json x.wasm", false}, // its value
		{"--env --json --json", true},
		{"--stdin --json x.wasm", false},
		{"-n --json x.wasm", true},
		{"-nh --json x.wasm", true},
		{"-x --json x.wasm", true},
		{"--bogus --json x.wasm", true},
		{"--bogus=1 --json x.wasm", true},
		{"--deterministic --json", true},
		{"--json=true", true},
		{"--json=1", true},
		{"--json=false", false},
		{"--json --json=false", false},
		{"--json=maybe", true},
		{"--jsonx", false},
	}
	for _, test := range tests {
		if got := testFlags(nil).wantsJSON(strings.Fields(test.args)); got != test.want {
			t.Errorf("%q: %v, want %v", test.args, got, test.want)
		}
	}
	if NewFlags(testDoc("cmd"), func(string) string { return "" }).wantsJSON([]string{"--json"}) {
		t.Error("a command without --json wants it")
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	help := testFlags(nil).Help()
	tests := []struct {
		args   string
		stdout string
		done   bool
		err    string
	}{
		{"", "", false, ""},
		{"x.wasm --bogus", "", false, ""},
		{"--help", help, true, ""},
		{"-h --bogus", help, true, ""},
		{"-nh", help, true, ""},
		{"--memory 64 --help --memory 0", help, true, ""},
		{"--memory 0 --help", "", false, `--memory: "0" is not an amount from 1 MiB to 4 GiB`},
		{"--memory 0 --bogus", "", false, `--memory: "0" is not an amount from 1 MiB to 4 GiB`},
		{"--help=false", "", false, ""},
		{"--help=x", "", false, `--help: "x" is not true or false`},
		{"-memory 64", "", false, "unknown flag: -m"},
		{"-n=x", "", false, `--no-stdin: "x" is not true or false`},
		{"-n=", "", false, "unknown flag: -="},
		{"---json", "", false, "bad flag syntax: ---json"},
		{"--json json", "", false, ""},
		{"help", "", false, ""},
		{"h", "", false, ""},
		{"x.wasm --generate-bash-completion", "", false, ""},
		{"--version", "cmd dev\n", true, ""},
		{"--bogus", "", false, "unknown flag: --bogus"},
		{"-z", "", false, "unknown flag: -z"},
		{"--memory", "", false, "--memory: a value is missing"},
		{"--memory 0", "", false, `--memory: "0" is not an amount from 1 MiB to 4 GiB`},
		{"--json=x", "", false, `--json: "x" is not true or false`},
		{"--=x", "", false, "bad flag syntax: --=x"},
		{"--key=", "", false, `--key: "" is not the name of a file`},
	}
	for _, test := range tests {
		var stdout bytes.Buffer
		err := testFlags(nil).Parse(strings.Fields(test.args), &stdout)
		if stdout.String() != test.stdout || errors.Is(err, ErrDone) != test.done {
			t.Errorf("%q: stdout %q, %v", test.args, stdout.String(), err)
		}
		if test.err == "" {
			if err != nil && !test.done {
				t.Errorf("%q: %v", test.args, err)
			}
			continue
		}
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeUsage || e.Message != test.err ||
			e.Hint != "cmd --help lists the flags" {
			t.Errorf("%q: %v, want %s", test.args, err, test.err)
		}
	}
	if err := testFlags(nil).Parse([]string{"--help"}, failing{syscall.EPIPE}); ExitCode(err) != ExitPipe {
		t.Errorf("--help into a closed pipe: %v", err)
	}
}

func TestLogger(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args string
		env  map[string]string
		want string // what one event at level info looks like, or the error
	}{
		{"", nil, ""},
		{"--log-level info", nil, "level=INFO msg=event"},
		{"--log-level INFO", nil, "level=INFO msg=event"},
		{"", map[string]string{"PLASM_LOG_LEVEL": "debug"}, "level=INFO msg=event"},
		{"--log-level error", map[string]string{"PLASM_LOG_LEVEL": "debug"}, ""},
		{"--log-level info --log-format json", nil, `"level":"INFO","msg":"event"`},
		{"--log-level info", map[string]string{"PLASM_LOG_FORMAT": "json"}, `"level":"INFO","msg":"event"`},
		{"--log-level x", nil, `--log-level: "x" is not one of`},
		{"--log-level info-1", nil, `--log-level: "info-1" is not one of`},
		{"", map[string]string{"PLASM_LOG_LEVEL": "x"}, `PLASM_LOG_LEVEL: "x" is not one of`},
		{"--log-level info", map[string]string{"PLASM_LOG_LEVEL": "x"}, "level=INFO msg=event"},
		{"--log-format x", nil, `--log-format: "x" is not one of`},
		{"", map[string]string{"PLASM_LOG_FORMAT": "x"}, `PLASM_LOG_FORMAT: "x" is not one of`},
	}
	for _, test := range tests {
		f := testFlags(test.env)
		var out strings.Builder
		var log *slog.Logger
		err := f.Parse(strings.Fields(test.args), nil)
		if err == nil {
			log, err = f.Logger(&out)
		}
		if err != nil {
			out.WriteString(err.Error())
		} else {
			log.Info("event")
		}
		if !strings.Contains(out.String(), test.want) || (out.Len() > 0) != (test.want != "") {
			t.Errorf("%q %v: %q, want %q", test.args, test.env, out.String(), test.want)
		}
	}
}

// TestParseLeavesTheGuestsArgumentsAlone: MODULE ends the flags, and nothing behind it is read.
func TestParseLeavesTheGuestsArgumentsAlone(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"x.wasm"},
		{"x.wasm", "--json"},
		{"x.wasm", "-n", "--", "a,b"},
		{"-", "--help"},
		{"help"},
		{"x.wasm", "", "--version"},
	} {
		f := testFlags(nil)
		if err := f.Parse(append([]string{"--env", "A=b,c", "--env=D= e ", "-n"}, args...), nil); err != nil ||
			!slices.Equal(f.Args(), args) {
			t.Errorf("%q became %q, %v", args, f.Args(), err)
		}
		if env := f.Lookup("env").Texts(); !slices.Equal(env, []string{"A=b,c", "D= e "}) {
			t.Errorf("--env: %q", env)
		}
	}
	f := testFlags(nil)
	if err := f.Parse([]string{"--", "--json"}, nil); err != nil || !slices.Equal(f.Args(), []string{"--json"}) {
		t.Errorf("behind --: %q, %v", f.Args(), err)
	}
}

func TestFlagsBetweenOperands(t *testing.T) {
	t.Parallel()
	doc := testDoc("cmd")
	doc.Mixed = true
	f := NewFlags(doc, func(string) string { return "" })
	var list []string
	f.List(&list, Flag{Name: "list", Value: "TEXT"})
	if err := f.Parse(strings.Fields("a --list x b --list=y -- --list c"), nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Args(), []string{"a", "b", "--list", "c"}) || !slices.Equal(list, []string{"x", "y"}) {
		t.Errorf("operands %q, --list %q", f.Args(), list)
	}
}

// TestSubcommands: flags may stand before the word, what is wrong is told for the subcommand.
func TestSubcommands(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args, name, level string
		operands          []string
		err, hint         string
	}{
		{"do", "cmd do", "warn", nil, "", ""},
		{"do x --log-level info y", "cmd do", "info", []string{"x", "y"}, "", ""},
		{"--log-level info do", "cmd do", "info", nil, "", ""},
		{"do --bogus", "cmd do", "", nil, "unknown flag: --bogus", "cmd do --help lists the flags"},
		{
			"do --log-lvel info", "cmd do", "", nil, "unknown flag: --log-lvel",
			"did you mean --log-level? cmd do --help lists the flags",
		},
		{"", "cmd", "", nil, "which subcommand? one of do, undo is missing", "cmd --help lists the flags"},
		{
			"undu", "cmd", "", nil, `there is no subcommand "undu"; there are do, undo`,
			"did you mean undo? cmd --help lists the flags",
		},
		{
			"frobnicate", "cmd", "", nil, `there is no subcommand "frobnicate"; there are do, undo`,
			"cmd --help lists the flags",
		},
		{"help", "cmd", "", nil, `there is no subcommand "help"; there are do, undo`, "cmd --help lists the flags"},
	}
	for _, test := range tests {
		getenv := func(string) string { return "" }
		f := NewFlags(testDoc("cmd"), getenv)
		for _, name := range []string{"cmd do", "cmd undo"} {
			doc := testDoc(name)
			doc.Mixed = true
			f.Add(NewFlags(doc, getenv))
		}
		args := strings.Fields(test.args)
		of, _ := f.Select(args)
		if of.Name() != test.name {
			t.Errorf("%q selects %q", test.args, of.Name())
		}
		err := f.Parse(args, nil)
		if test.err == "" {
			if err != nil || !slices.Equal(of.Args(), test.operands) || of.logLevel != test.level {
				t.Errorf("%q: operands %q, level %s, %v", test.args, of.Args(), of.logLevel, err)
			}
			continue
		}
		if e := AsError(err); e.Code != job.CodeUsage || e.Message != test.err || e.Hint != test.hint {
			t.Errorf("%q: %v, hint %q", test.args, err, e.Hint)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	words := []string{"--memory", "--min-memory", "--stdin", "--stdout", "--json", "--os"}
	for word, want := range map[string]string{
		"--memroy": "--memory", "--stdn": "--stdin", "--jsn": "--json", "--Json": "--json",
		"--min-memroy": "--min-memory",
		"--frobnicate": "", "": "", "--o": "--os", "--x": "",
	} {
		if want != "" {
			want = "did you mean " + want + "?"
		}
		if got := DidYouMean(word, words); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	f, j := testJobFlags(map[string]string{"PLASM_KEY": "a.pem"})
	if err := f.Parse(nil, nil); err != nil || j.Key != "a.pem" || f.Origin("key") != "PLASM_KEY" {
		t.Errorf("a variable: %q, %v", j.Key, err)
	}
	f, j = testJobFlags(map[string]string{"PLASM_KEY": "a.pem"})
	if err := f.Parse([]string{"--key", "b.pem"}, nil); err != nil || j.Key != "b.pem" || f.Origin("key") != "--key" {
		t.Errorf("a flag and its variable: %q, %v", j.Key, err)
	}
}

// TestHelpFits: no line of the help is longer than 80 characters, and every flag has its words.
func TestHelpFits(t *testing.T) {
	t.Parallel()
	f := testFlags(nil)
	for line := range strings.Lines(f.Help()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	for _, flag := range f.All() {
		if flag.Usage == "" || flag.Category == "" || (flag.Value == "") != (flag.Kind == Switch) {
			t.Errorf("--%s lacks a usage, a category or the name of its value: %+v", flag.Name, flag)
		}
		if !strings.Contains(f.Help(), "\n  "+flag.String()) {
			t.Errorf("the help has no %s", flag)
		}
	}
}

// FuzzRead: what is read of a command line by hand is what the flags then say.
func FuzzRead(f *testing.F) {
	for _, args := range []string{
		"", "--json", "--json x.wasm", "x.wasm --json", "-- --json", "--memory 5 --json", "--memory=5 --json=false x",
		"-n --json -", "--env --json --json", "-nn --json=1 x", "--stdin --json --no-stdin=t --json=F",
		"-n=true --json", "--help --json", "--env= x",
	} {
		f.Add(args)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Fields(line)
		flags, j := testJobFlags(nil)
		err := flags.Parse(args, &strings.Builder{})
		read := flags.read(args)
		if (err == nil || errors.Is(err, ErrDone)) && read.err != nil && !read.help {
			t.Errorf("%q: %v, and no error", line, read.err)
		}
		if err != nil {
			return
		}
		if j.JSON != read.json || !slices.Equal(flags.Args(), read.operands) {
			t.Errorf("%q: --json %v, operands %q; read %+v", line, j.JSON, flags.Args(), read)
		}
	})
}
