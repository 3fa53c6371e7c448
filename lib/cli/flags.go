package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"plasm/lib/job"
)

// ErrDone is returned by Flags.Parse when the command line asked for nothing
// but words (--help, --version), which have been written.
var ErrDone = errors.New("nothing left to do")

// Flags is a command's flag set, with the flags that every command has.
type Flags struct {
	*pflag.FlagSet
	name, usage string
	Getenv      func(string) string
	logLevel    string
	logFormat   string
	origins     map[string]string // of flags that Settle has set: see Origin
}

// program is the command without a subcommand: how it names itself.
func (f *Flags) program() string {
	program, _, _ := strings.Cut(f.name, " ")
	return program
}

// NewFlags returns the flag set of the command name, whose --help is usage; the
// name of a subcommand is both words. The common flags are there already: --help,
// --version, --log-level, --log-format, the last two with defaults from
// PLASM_LOG_LEVEL and PLASM_LOG_FORMAT. level is the default log level where
// neither says one.
func NewFlags(name, usage, level string, getenv func(string) string) *Flags {
	f := &Flags{FlagSet: pflag.NewFlagSet(name, pflag.ContinueOnError), name: name, usage: usage, Getenv: getenv, origins: map[string]string{}}
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

// Origin says where the value of a flag comes from, for messages: "--flag", the
// name of the variable that stands in for it, or the file and its key.
func (f *Flags) Origin(flag, variable string) string {
	if origin, ok := f.origins[flag]; ok {
		return origin
	}
	if !f.Changed(flag) && f.Getenv(variable) != "" {
		return variable
	}
	return "--" + flag
}

// Settle gives a flag, which the command line has not, the value text, or list where
// it takes one. origin says where that comes from, as Origin will. An error is a
// usage error.
func (f *Flags) Settle(flag *pflag.Flag, origin string, list []string, text string) error {
	var err error
	if takes, ok := flag.Value.(pflag.SliceValue); ok {
		err = takes.Replace(list)
	} else {
		err = flag.Value.Set(text)
	}
	if err != nil {
		if flag.Value.Type() == "bool" {
			err = errNotBool
		}
		return Usage(f.name, "%s: %q is %v", origin, text, err)
	}
	flag.Changed = true
	f.origins[flag.Name] = origin
	return nil
}

// Parse reads the command line. It returns ErrDone after writing --help or
// --version to stdout, and a usage error for anything that it does not
// understand.
func (f *Flags) Parse(args []string, stdout io.Writer) error {
	err := f.FlagSet.Parse(args)
	if help, _ := f.GetBool("help"); help {
		return f.done(stdout, f.usage)
	}
	if err != nil {
		return parseError(f.name, err)
	}
	if asked, _ := f.GetBool("version"); asked {
		return f.done(stdout, f.program()+" "+version+"\n")
	}
	return nil
}

func (f *Flags) done(stdout io.Writer, text string) error {
	if _, err := io.WriteString(stdout, text); err != nil {
		return writeError(standardOutput, err)
	}
	return ErrDone
}

// wantsJSON reports whether a command line asks for --json. It reads as far as
// Parse would, and over what Parse stops at: an error in the flags must be told
// the way they ask for, too. A --json behind MODULE is the guest's.
func (f *Flags) wantsJSON(args []string) bool {
	wants := false
	for i := 0; i < len(args); i++ {
		long, isLong := strings.CutPrefix(args[i], "--")
		switch {
		case !strings.HasPrefix(args[i], "-") || args[i] == "-" || args[i] == "--":
			return wants
		case !isLong:
			continue // no short flag takes a value
		}
		name, value, given := strings.Cut(long, "=")
		flag := f.Lookup(name)
		switch {
		case flag == nil:
		case name == "json":
			yes, err := strconv.ParseBool(value)
			wants = !given || yes || err != nil
		case !given && flag.NoOptDefVal == "":
			i++ // its value
		}
	}
	return wants
}

// Logger returns the logger that --log-level and --log-format ask for.
func (f *Flags) Logger(stderr io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil || strings.ContainsAny(f.logLevel, "+-") {
		return nil, Usage(f.name, "%s: %q is not one of debug, info, warn, error", f.Origin("log-level", "PLASM_LOG_LEVEL"), f.logLevel)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch f.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(stderr, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(stderr, opts)), nil
	default:
		return nil, Usage(f.name, "%s: %q is not one of text, json", f.Origin("log-format", "PLASM_LOG_FORMAT"), f.logFormat)
	}
}

// Usage returns a usage error whose hint names the command's --help.
func Usage(name, format string, args ...any) error {
	return &job.Error{Code: job.CodeUsage, Message: fmt.Sprintf(format, args...), Hint: name + " --help lists the flags"}
}

// errNotBool is what is wrong with the value of a flag that is on or off.
var errNotBool = errors.New("not true or false")

// parseError says in our words what pflag does not like.
func parseError(name string, err error) error {
	if value, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		problem := value.Unwrap()
		if value.GetFlag().Value.Type() == "bool" {
			problem = errNotBool
		}
		return Usage(name, "--%s: %q is %v", value.GetFlag().Name, value.GetValue(), problem)
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		dashes := "--"
		if unknown.GetSpecifiedShortnames() != "" {
			dashes = "-"
		}
		return Usage(name, "unknown flag: %s%s", dashes, unknown.GetSpecifiedName())
	}
	if bare, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return Usage(name, "--%s: a value is missing", bare.GetFlag().Name)
	}
	return Usage(name, "%v", err)
}
