package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"plasm/lib/job"
)

// Fail tells a person what went wrong, in one line and where there is one a
// hint, and returns the exit code. That stdout was closed is no news: whoever
// closed it knows.
func Fail(stderr io.Writer, name string, err error) int {
	code := ExitCode(err)
	if code == ExitPipe {
		return code
	}
	e := AsError(err)
	_, _ = fmt.Fprintf(stderr, "%s: %s\n", name, OneLine(cmp.Or(e.Brief, e.Message)))
	if e.Hint != "" {
		_, _ = fmt.Fprintf(stderr, "%s: hint: %s\n", name, OneLine(e.Hint))
	}
	return code
}

// Report tells an error the way that the command line asks for: in words, and
// with --json as the one document on stdout. It returns the exit code.
func (f *Flags) Report(in *Invocation, err error) int {
	code := f.Fail(in, err)
	if !f.wantsJSON(in.Args) {
		return code
	}
	e := *AsError(err)
	e.Message, e.Hint = OneLine(e.Message), OneLine(e.Hint)
	if err := in.Print(job.EncodeError(&e)); err != nil {
		_ = f.Fail(in, err) // the exit code is that of what went wrong first
	}
	return code
}

// Fail is the function Fail, but that with --log-format json the error is a line of the log: with the members code and
// where there are any hint and nodes.
func (f *Flags) Fail(in *Invocation, err error) int {
	code := ExitCode(err)
	if code == ExitPipe || !f.logsJSON(in.Args) {
		return Fail(in.Stderr, f.program(), err)
	}
	e := AsError(err)
	line := slog.NewRecord(time.Now(), slog.LevelError, OneLine(e.Message), 0)
	line.Add("code", e.Code)
	if e.Hint != "" {
		line.Add("hint", OneLine(e.Hint))
	}
	if len(e.Nodes) > 0 {
		line.Add("nodes", e.Nodes)
	}
	_ = slog.NewJSONHandler(in.Stderr, nil).Handle(context.Background(), line) // there is nowhere else to tell it
	return code
}

// LogsJSON reports whether the error that ends the command is told as a line of a log in JSON.
func (f *Flags) LogsJSON(in *Invocation) bool { return f.logsJSON(in.Args) }

// AsError returns err as the job.Error that it is or wraps, with the hint for its fact, or
// as an internal one.
func AsError(err error) *job.Error {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return advised(e)
	}
	return &job.Error{Code: job.CodeInternal, Message: err.Error(), Err: err}
}

// OneLine keeps a message on one line and free of control characters, whatever
// file name or module it quotes.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// WriteJSON writes v as one line of JSON, in which no text has a control character: a
// terminal may take those from U+007F to U+009F for commands, and JSON does not ask for
// an escape.
func WriteJSON(w io.Writer, v any) error {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	var out bytes.Buffer
	for _, r := range line.String() {
		if r >= 0x7f && r < 0xa0 {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

// TellOutcome says in words how a job ended that did not end by itself. cause is
// why it was cancelled or the engine failed, or that it was the machine's memory that ran
// out and not the job's; trace are the functions of a trap, if they are known.
func TellOutcome(stderr io.Writer, name string, m *job.Manifest, o *job.Outcome, cause error, trace []string) {
	say := func(hint, format string, args ...any) {
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", name, OneLine(fmt.Sprintf(format, args...)))
		if hint != "" {
			_, _ = fmt.Fprintf(stderr, "%s: hint: %s\n", name, OneLine(hint))
		}
	}
	switch o.Status {
	case job.Exit:
	case job.Trap:
		say("", "the program trapped: %s%s", o.Trap, where(trace))
	case job.Timeout:
		say("allow it more with --timeout", "the program ran out of time: %s", job.Span(m.TimeoutMS))
	case job.OutOfFuel:
		say("allow it more with --fuel", "the program ran out of fuel: %d", m.Fuel)
	case job.OutOfMemory:
		if cause != nil {
			say(AsError(cause).Hint, "the program was ended for want of memory: %s", AsError(cause).Message)
			return
		}
		say("allow it more with --memory", "the program ran out of memory: %s", job.Amount(m.MemoryMB<<20))
	case job.OutputLimit:
		say("allow it more with --output-limit", "the program wrote too much: more than %s",
			job.Amount(m.OutputLimitBytes))
	case job.Cancelled:
		if cause == nil {
			say("", "the job was cancelled")
		} else if e := AsError(cause); ExitCode(cause) != ExitPipe {
			say(e.Hint, "the job was cancelled: %s", e.Message)
		}
	case job.EngineFailed:
		say("", "the engine failed: %v", cause)
	}
}

// where says in which functions a program has trapped.
func where(trace []string) string {
	if len(trace) == 0 {
		return ""
	}
	return " in " + strings.Join(trace, ", called by ")
}
