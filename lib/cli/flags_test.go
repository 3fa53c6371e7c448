package cli

import (
	"bytes"
	"errors"
	"strings"
	"syscall"
	"testing"

	"plasm/lib/job"
)

// testFlags returns the flags of a command with the words of a job, and the
// variables env.
func testFlags(env map[string]string) *Flags {
	f, _ := testJobFlags(env)
	return f
}

func testJobFlags(env map[string]string) (*Flags, *JobFlags) {
	getenv := func(name string) string { return env[name] }
	f := NewFlags("cmd", "Usage: cmd\n", "warn", getenv)
	return f, AddJobFlags(f, getenv)
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
	if NewFlags("cmd", "", "warn", func(string) string { return "" }).wantsJSON([]string{"--json"}) {
		t.Error("a command without --json wants it")
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args   string
		stdout string
		done   bool
		err    string
	}{
		{"", "", false, ""},
		{"x.wasm --bogus", "", false, ""},
		{"--help", "Usage: cmd\n", true, ""},
		{"-h --bogus", "Usage: cmd\n", true, ""},
		{"--version", "cmd dev\n", true, ""},
		{"--bogus", "", false, "unknown flag: --bogus"},
		{"-z", "", false, "unknown flag: -z"},
		{"--memory", "", false, "--memory: a value is missing"},
		{"--memory 0", "", false, `--memory: "0" is not a whole number from 1 to 4096`},
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
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeUsage || e.Message != test.err || e.Hint != "cmd --help lists the flags" {
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
		if err := f.Parse(strings.Fields(test.args), nil); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		log, err := f.Logger(&out)
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

// FuzzWantsJSON: where the command line is understood, what is read of it by hand
// is what the flags say.
func FuzzWantsJSON(f *testing.F) {
	for _, args := range []string{
		"", "--json", "--json x.wasm", "x.wasm --json", "-- --json", "--memory 5 --json", "--memory=5 --json=false x", "-n --json -",
		"--env --json --json", "-nn --json=1 x", "--stdin --json --no-stdin=t --json=F", "-n=true --json",
	} {
		f.Add(args)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Fields(line)
		flags := testFlags(nil)
		if flags.Parse(args, &strings.Builder{}) != nil {
			return
		}
		if want, err := flags.GetBool("json"); err != nil || flags.wantsJSON(args) != want {
			t.Errorf("%q: wantsJSON says %v", args, !want)
		}
	})
}
