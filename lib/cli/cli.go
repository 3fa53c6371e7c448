// Package cli is what the commands share: flags, exit codes, the way errors are
// told, and where a command finds its key, its cache and its environment.
//
// A command's main is three lines: it hands an Invocation to a run function and
// exits with what that returns. Nothing in this package exits or reads globals.
package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"plasm/lib/job"
)

// version is set by the linker: -X plasm/lib/cli.version=….
var version = "dev"

// Version returns the version of this build, as --version prints it and
// receipts carry it.
func Version() string { return version }

// Invocation is everything that a command gets from outside.
type Invocation struct {
	Args   []string // without the command's own name
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(string) string
}

// Process returns the invocation of this process.
func Process(args []string, stdin, stdout, stderr *os.File) *Invocation {
	return &Invocation{Args: args, Stdin: stdin, Stdout: stdout, Stderr: stderr, Getenv: os.Getenv}
}

// ErrDone is returned by Flags.Parse when the command line asked for nothing
// but words (--help, --version), which have been written.
var ErrDone = errors.New("nothing left to do")

// Flags is a command's flag set, with the flags that every command has.
type Flags struct {
	*pflag.FlagSet
	name, usage string
	logLevel    string
	logFormat   string
}

// NewFlags returns the flag set of the command name, whose --help is usage. The
// common flags are there already: --help, --version, --log-level, --log-format,
// the last two with defaults from PLASM_LOG_LEVEL and PLASM_LOG_FORMAT. level is
// the default log level where neither says one.
func NewFlags(name, usage, level string, getenv func(string) string) *Flags {
	f := &Flags{FlagSet: pflag.NewFlagSet(name, pflag.ContinueOnError), name: name, usage: usage}
	f.SetInterspersed(false)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.BoolP("help", "h", false, "")
	f.Bool("version", false, "")
	f.StringVar(&f.logLevel, "log-level", FromEnv(getenv, "PLASM_LOG_LEVEL", level), "")
	f.StringVar(&f.logFormat, "log-format", FromEnv(getenv, "PLASM_LOG_FORMAT", "text"), "")
	return f
}

// FromEnv returns the variable name, or fallback where it is unset or empty.
func FromEnv(getenv func(string) string, name, fallback string) string {
	if v := getenv(name); v != "" {
		return v
	}
	return fallback
}

// Parse reads the command line. It returns ErrDone after writing --help or
// --version to stdout, and a usage error for anything that it does not
// understand.
func (f *Flags) Parse(args []string, stdout io.Writer) error {
	err := f.FlagSet.Parse(args)
	if help, _ := f.GetBool("help"); help || errors.Is(err, pflag.ErrHelp) {
		return f.done(stdout, f.usage)
	}
	if err != nil {
		return parseError(f.name, err)
	}
	if asked, _ := f.GetBool("version"); asked {
		return f.done(stdout, f.name+" "+version+"\n")
	}
	return nil
}

func (f *Flags) done(stdout io.Writer, text string) error {
	if _, err := io.WriteString(stdout, text); err != nil {
		return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("stdout: %v", err), Err: err}
	}
	return ErrDone
}

// Logger returns the logger that --log-level and --log-format ask for.
func (f *Flags) Logger(stderr io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil || strings.ContainsAny(f.logLevel, "+-") {
		return nil, Usage(f.name, "--log-level: %q is not one of debug, info, warn, error", f.logLevel)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch f.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(stderr, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(stderr, opts)), nil
	default:
		return nil, Usage(f.name, "--log-format: %q is not one of text, json", f.logFormat)
	}
}

// Usage returns a usage error whose hint names the command's --help.
func Usage(name, format string, args ...any) error {
	return &job.Error{Code: job.CodeUsage, Message: fmt.Sprintf(format, args...), Hint: name + " --help lists the flags"}
}

// Fail tells a person what went wrong, in one line and where there is one a
// hint, and returns the exit code.
func Fail(stderr io.Writer, name string, err error) int {
	e := AsError(err)
	_, _ = fmt.Fprintf(stderr, "%s: %s\n", name, oneLine(e.Message))
	if e.Hint != "" {
		_, _ = fmt.Fprintf(stderr, "%s: hint: %s\n", name, oneLine(e.Hint))
	}
	return ExitCode(err)
}

// AsError returns err as the job.Error that it is or wraps, or as an internal
// one.
func AsError(err error) *job.Error {
	var e *job.Error
	if errors.As(err, &e) {
		return e
	}
	return &job.Error{Code: job.CodeInternal, Message: err.Error(), Err: err}
}

// oneLine keeps a message on one line and free of control characters, whatever
// file name or module it quotes.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// WriteJSON writes v as one line of JSON.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
