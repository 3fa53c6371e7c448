package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"plasm/lib/cli/version"
	"plasm/lib/job"
)

// ErrDone is returned by Flags.Parse when the command line asked for nothing
// but words (--help, --version), which have been written.
var ErrDone = errors.New("nothing left to do")

// Common is the category of the flags that every command has.
const Common = "Messages and help"

// Names of flags that are looked at before the others.
const (
	helpFlag = "help"
	jsonFlag = "json"

	logFormatFlag = "log-format"
)

// declarationsWord, alone on the command line, has a command print its Declaration as JSON. It is for the program
// that writes pages and completions, and not for people.
const declarationsWord = "--declarations"

// Flags is a command's flag set, with the flags that every command has.
type Flags struct {
	doc       Doc
	getenv    func(string) string
	all       []*Flag
	subs      []*Flags
	args      []string
	version   bool
	logLevel  string
	logFormat string
}

// program is the command without a subcommand: how it names itself.
func (f *Flags) program() string {
	program, _, _ := strings.Cut(f.doc.Name, " ")
	return program
}

// NewFlags returns the flag set of a command. The common flags are there already:
// --help, --version, --log-level, --log-format, the last two with variables.
func NewFlags(doc Doc, getenv func(string) string) *Flags {
	f := &Flags{doc: doc, getenv: getenv, logLevel: doc.Level, logFormat: "text"}
	levels, formats := []string{"trace", "debug", "info", "warn", "error"}, []string{"text", logJSON}
	f.Choice(&f.logLevel, Flag{
		Name: "log-level", Category: Common, Value: "LEVEL", Variables: []string{"PLASM_LOG_LEVEL"},
		Usage: "trace, debug, info, warn or error", Complete: Completion{Words: levels},
	})
	f.Choice(&f.logFormat, Flag{
		Name: logFormatFlag, Category: Common, Value: "FORMAT", Variables: []string{"PLASM_LOG_FORMAT"},
		Usage: "text or json, on stderr", Complete: Completion{Words: formats},
	})
	f.Switch(new(bool), Flag{Name: helpFlag, Short: "h", Category: Common, Usage: "show this"})
	f.Switch(&f.version, Flag{Name: "version", Category: Common, Usage: "show the version"})
	return f
}

// Lookup returns the flag of a name, or nil.
func (f *Flags) Lookup(name string) *Flag {
	for _, flag := range f.all {
		if flag.Name == name {
			return flag
		}
	}
	return nil
}

// Changed reports whether a flag has a value from the command line, a variable or a file.
func (f *Flags) Changed(name string) bool {
	flag := f.Lookup(name)
	return flag != nil && flag.Changed()
}

// Args returns what the command line has behind the flags.
func (f *Flags) Args() []string { return f.args }

// Set gives a flag a value as the command line would.
func (f *Flags) Set(name, text string) error {
	flag := f.Lookup(name)
	if flag == nil {
		return f.unknown(name)
	}
	return f.refused("--"+name, text, flag.give("--"+name, text))
}

// Origin says where the value of a flag comes from, for messages: "--flag", the
// name of the variable that stands in for it, or the file and its key.
func (f *Flags) Origin(name string) string {
	if flag := f.Lookup(name); flag != nil && flag.Changed() {
		return flag.origin
	}
	return "--" + name
}

// About returns an error with the place in front that the value of a flag comes from.
func (f *Flags) About(name string, err error) error { return AboutOrigin(f.Origin(name), err) }

// AboutOrigin returns an error with the place in front that the value comes from which
// it is about.
func AboutOrigin(origin string, err error) error {
	e := *AsError(err)
	e.Message = origin + ": " + e.Message
	return &e
}

// Settle gives a flag, which has no value yet, the value text, or list where it takes
// one. origin says where that comes from, as Origin will. An error is a usage error.
func (f *Flags) Settle(flag *Flag, origin string, list []string, text string) error {
	if flag.Kind == List {
		flag.giveList(origin, list)
		return nil
	}
	return f.refused(origin, text, flag.give(origin, text))
}

// refused says what is wrong with the value of a flag, if anything.
func (f *Flags) refused(origin, text string, err error) error {
	if err == nil {
		return nil
	}
	return f.usage("%s: %q is %v", origin, text, err)
}

// FromVariables gives the flags without a value that of their variables. An empty
// variable counts as unset. Parse does so too. An error is a usage error.
func (f *Flags) FromVariables() error {
	for _, flag := range f.all {
		if flag.Changed() {
			continue
		}
		for _, variable := range flag.GetEnvVars() {
			text := f.getenv(variable)
			if text == "" {
				continue
			}
			if err := f.Settle(flag, variable, strings.Fields(text), text); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// Select returns the subcommand that a command line names, and the command line
// without that word: flags may stand before it. Without such a word it is the command
// itself.
func (f *Flags) Select(args []string) (*Flags, []string) {
	if len(f.subs) == 0 {
		return f, args
	}
	l := f.read(args)
	if len(l.operands) == 0 {
		return f, args
	}
	for _, sub := range f.subs {
		if _, word, _ := strings.Cut(sub.doc.Name, " "); word == l.operands[0] {
			at := len(args) - len(l.operands)
			return sub, slices.Delete(slices.Clone(args), at, at+1)
		}
	}
	return f, args
}

// Parse reads the command line, and where there are subcommands that of the one which
// Select returns. It returns ErrDone after writing --help or --version to stdout, and
// a usage error for anything that it does not understand.
func (f *Flags) Parse(args []string, stdout io.Writer) error {
	if len(args) == 1 && args[0] == declarationsWord {
		data, err := json.Marshal(f.Declaration())
		if err != nil {
			return err
		}
		return done(stdout, string(data)+"\n")
	}
	of, rest := f.Select(args)
	l := of.read(rest)
	line := slices.Concat(strings.Fields(of.doc.Name), l.words, []string{"--"}, l.operands)
	if err := f.app().Run(line); err != nil {
		return of.parseError(err)
	}
	switch {
	case l.help:
		return done(stdout, of.Help())
	case l.err != nil:
		return l.err
	case of.version:
		return done(stdout, f.program()+" "+version.String()+"\n")
	case len(of.subs) > 0:
		return of.noCommand(of.args)
	}
	return of.FromVariables()
}

// app is the command as urfave/cli knows it. Whatever that would write or end by
// itself is left to us.
func (f *Flags) app() *cli.App {
	app := &cli.App{
		Name: f.doc.Name, Usage: f.doc.Summary, Flags: f.library(), Action: f.keep, OnUsageError: asItIs,
		HideHelp: true, HideVersion: true, Compiled: time.Unix(0, 0),
		Reader: strings.NewReader(""), Writer: io.Discard, ErrWriter: io.Discard,
		ExitErrHandler: func(*cli.Context, error) {},
	}
	for _, sub := range f.subs {
		_, word, _ := strings.Cut(sub.doc.Name, " ")
		app.Commands = append(app.Commands, &cli.Command{
			Name: word, Usage: sub.doc.Summary, Flags: sub.library(), Action: sub.keep, OnUsageError: asItIs,
			HideHelp: true,
		})
	}
	return app
}

func (f *Flags) library() []cli.Flag {
	flags := make([]cli.Flag, 0, len(f.all))
	for _, flag := range f.all {
		flags = append(flags, flag)
	}
	return flags
}

// keep is what urfave/cli calls when it has set the flags.
func (f *Flags) keep(c *cli.Context) error {
	f.args = c.Args().Slice()
	return nil
}

func asItIs(_ *cli.Context, err error, _ bool) error { return err }

// parseError says in our words what urfave/cli does not like: the value of a flag, as
// read has seen to all else.
func (f *Flags) parseError(err error) error {
	for _, flag := range f.all {
		if flag.wrong != nil {
			return f.refused("--"+flag.Name, flag.refused, flag.wrong)
		}
	}
	return f.usage("%v", err)
}

func done(stdout io.Writer, text string) error {
	if _, err := io.WriteString(stdout, text); err != nil {
		return writeError(standardOutput, err)
	}
	return ErrDone
}

// logsJSON reports whether a command line, or the variable that stands in for it, asks for a log in JSON, also one with
// errors: the error that ends the command is a line of it.
func (f *Flags) logsJSON(args []string) bool {
	of, rest := f.Select(args)
	return strings.EqualFold(cmp.Or(of.read(rest).log, f.getenv("PLASM_LOG_FORMAT")), logJSON)
}

// logJSON is the format of a log that programs read.
const logJSON = "json"

// wantsJSON reports whether a command line asks for --json, also one with errors:
// they must be told the way it asks for, too.
func (f *Flags) wantsJSON(args []string) bool {
	of, rest := f.Select(args)
	return of.read(rest).json
}

// Logger returns the logger that --log-level and --log-format ask for.
func (f *Flags) Logger(stderr io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if strings.EqualFold(f.logLevel, trace) {
		level = job.LevelTrace
	} else if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, err
	}
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: nameTrace}
	if f.logFormat == logJSON {
		return slog.New(slog.NewJSONHandler(stderr, opts)), nil
	}
	return slog.New(slog.NewTextHandler(stderr, opts)), nil
}

// trace is what job.LevelTrace is called.
const trace = "TRACE"

// nameTrace has a log say the level of what libraries log by its name.
func nameTrace(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.LevelKey && a.Value.Any() == any(job.LevelTrace) {
		a.Value = slog.StringValue(trace)
	}
	return a
}

// Name returns the command's name, of a subcommand both words.
func (f *Flags) Name() string { return f.doc.Name }

func (f *Flags) usage(format string, args ...any) error { return Usage(f.doc.Name, format, args...) }

// Usage returns a usage error whose hint names the command's --help.
func Usage(name, format string, args ...any) error { return UsageHint(name, "", format, args...) }

// UsageHint is Usage with another hint, if anything, before that.
func UsageHint(name, hint, format string, args ...any) error {
	hint = strings.TrimSpace(hint + " " + name + " --help lists the flags")
	return &job.Error{Code: job.CodeUsage, Message: fmt.Sprintf(format, args...), Hint: hint}
}
