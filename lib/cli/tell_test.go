package cli

import (
	"bytes"
	"errors"
	"strings"
	"syscall"
	"testing"

	"plasm/lib/job"
)

func TestOneLine(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                    "",
		"plain":               "plain",
		"grün 👋 – ‘x’":        "grün 👋 – ‘x’",
		"two\nlines\r\n":      "two lines  ",
		"tab\tand\x00nul":     "tab and nul",
		"\x1b[31mred\x1b[0m":  " [31mred [0m",
		"delete\x7f":          "delete ",
		"csi \u009b31m":       "csi  31m",
		"no \xff\xfe UTF-8":   "no \uFFFD UTF-8",
		"half a letter: \xc3": "half a letter: \uFFFD",
	}
	for text, want := range tests {
		if got := OneLine(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestFail(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		code int
		want string
	}{
		{"a line", &job.Error{Code: job.CodeIO, Message: "no: x"}, 125, "cmd: no: x\n"},
		{
			"a line and a hint", &job.Error{Code: job.CodeNotFound, Message: "no: x", Hint: "try y"}, 127,
			"cmd: no: x\ncmd: hint: try y\n",
		},
		{
			"a name with a line end", &job.Error{Code: job.CodeIO, Message: "no: a\nb", Hint: "c\nd"}, 125,
			"cmd: no: a b\ncmd: hint: c d\n",
		},
		{"somebody else's", errors.New("boom"), 125, "cmd: boom\n"},
		{"stdout closed", writeError(standardOutput, syscall.EPIPE), 141, ""},
	}
	for _, test := range tests {
		var stderr bytes.Buffer
		if code := Fail(&stderr, "cmd", test.err); code != test.code || stderr.String() != test.want {
			t.Errorf("%s: %d, %q; want %d, %q", test.name, code, stderr.String(), test.code, test.want)
		}
	}
}

// failing is a stream that cannot be written.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestReport(t *testing.T) {
	t.Parallel()
	err := &job.Error{Code: job.CodeNotFound, Message: "x\ny", Hint: "z\nz"}
	words := "cmd: x y\ncmd: hint: z z\n"
	var stdout, stderr bytes.Buffer
	in := &Invocation{Stdout: &stdout, Stderr: &stderr}
	f := testFlags(nil)

	if code := f.Report(in, err); code != 127 || stdout.Len() > 0 || stderr.String() != words {
		t.Errorf("%d, %q, %q", code, stdout.String(), stderr.String())
	}
	stderr.Reset()
	in.Args = []string{"--json"}
	want := `{"error":{"code":"not_found","message":"x y","hint":"z z"}}` + "\n"
	if code := f.Report(in, err); code != 127 || stdout.String() != want || stderr.String() != words {
		t.Errorf("--json: %d, %q, %q", code, stdout.String(), stderr.String())
	}
	stderr.Reset()
	in.Stdout = failing{syscall.ENOSPC}
	if code := f.Report(in, err); code != 127 ||
		stderr.String() != words+"cmd: writing standard output: no space left on device\n" {
		t.Errorf("--json, disk full: %d, %q", code, stderr.String())
	}
	stderr.Reset()
	in.Stdout = failing{syscall.EPIPE}
	if code := f.Report(in, err); code != 127 || stderr.String() != words {
		t.Errorf("--json, closed: %d, %q", code, stderr.String())
	}
}

func TestTellOutcome(t *testing.T) {
	t.Parallel()
	m := &job.Manifest{TimeoutMS: 1500, Fuel: 1000, MemoryMB: 64, OutputLimitBytes: 10}
	tests := []struct {
		name  string
		o     job.Outcome
		cause error
		want  string
	}{
		{"exit", job.Outcome{Status: job.Exit}, nil, ""},
		{
			"trap",
			job.Outcome{Status: job.Trap, Trap: job.TrapUnreachable},
			nil,
			"cmd: the program trapped: unreachable\n",
		},
		{
			"timeout",
			job.Outcome{Status: job.Timeout},
			nil,
			"cmd: the program ran out of time: 1.5s\ncmd: hint: allow it more with --timeout\n",
		},
		{
			"fuel",
			job.Outcome{Status: job.OutOfFuel},
			nil,
			"cmd: the program ran out of fuel: 1000\ncmd: hint: allow it more with --fuel\n",
		},
		{
			"memory",
			job.Outcome{Status: job.OutOfMemory},
			nil,
			"cmd: the program ran out of memory: 64 MiB\ncmd: hint: allow it more with --memory\n",
		},
		{
			"output",
			job.Outcome{Status: job.OutputLimit},
			nil,
			"cmd: the program wrote too much: more than 10 bytes\ncmd: hint: allow it more with --output-limit\n",
		},
		{
			"signal",
			job.Outcome{Status: job.Cancelled},
			&SignalError{syscall.SIGINT},
			"cmd: the job was cancelled: stopped by signal 2 (interrupt)\n",
		},
		{
			"cancelled with a hint",
			job.Outcome{Status: job.Cancelled},
			&job.Error{Code: job.CodeIO, Message: "a\nb", Hint: "c"},
			"cmd: the job was cancelled: a b\ncmd: hint: c\n",
		},
		{"cancelled by nobody", job.Outcome{Status: job.Cancelled}, nil, "cmd: the job was cancelled\n"},
		{"stdout closed", job.Outcome{Status: job.Cancelled}, writeError(standardOutput, syscall.EPIPE), ""},
		{
			"engine",
			job.Outcome{Status: job.EngineFailed},
			errors.New("the worker said:\n\x1b[31m"),
			"cmd: the engine failed: the worker said:  [31m\n",
		},
	}
	for _, test := range tests {
		var stderr bytes.Buffer
		TellOutcome(&stderr, "cmd", m, &test.o, test.cause, nil)
		if stderr.String() != test.want {
			t.Errorf("%s: %q, want %q", test.name, stderr.String(), test.want)
		}
	}
}

func TestWriteJSON(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := WriteJSON(&b, map[string]string{"a": "<&>"}); err != nil || b.String() != "{\"a\":\"<&>\"}\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}
