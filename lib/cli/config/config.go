// Package config gives a command's flags the values that its command line and its
// variables do not: from a configuration file. It is apart from package cli so that the
// commands without such a file do not start a reader of TOML.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"plasm/lib/cli"
	"plasm/lib/job"
)

// MaxBytes is the longest configuration file that is read, in bytes.
const MaxBytes = 1 << 20

// Settings say which flags have their values from elsewhere where the command line does
// not give them. A flag wins over a variable, that over the file, and that over the
// default. A list is taken from one place: lists are not put together.
//
// The variable of the flag --some-flag is the prefix and SOME_FLAG.
//
// The file is TOML. Its keys are the flags, without dashes before them. A number
// is an integer, an amount an integer or a string with its unit, a flag without a value a
// boolean, a list an array of strings, and all else a string, durations too.
type Settings struct {
	Prefix string   // of the variables
	Not    []string // flags that have no key, beside --help and --version, nor a variable but those they declare
}

// Declare gives each flag its variable, before those that it declares.
func (s Settings) Declare(f *cli.Flags) {
	for _, flag := range f.All() {
		if s.settles(flag) {
			flag.Implied = s.Variable(flag.Name)
		}
	}
}

// Settle gives values to the flags that have none yet. file is the name of the
// configuration file, for messages, and data what is in it; both are empty where there
// is none. An error is a usage error that names the file and its key.
func (s Settings) Settle(f *cli.Flags, file string, data []byte) error {
	config, err := s.decode(f, file, data)
	if err != nil {
		return err
	}
	for _, flag := range f.All() {
		value, ok := config[flag.Name]
		if !ok || flag.Changed() {
			continue
		}
		if err := fromFile(f, flag, at(file, data, flag.Name)+": "+flag.Name, value); err != nil {
			return err
		}
	}
	return nil
}

// settles reports whether a flag can have its value from elsewhere.
func (s Settings) settles(flag *cli.Flag) bool {
	return !slices.Contains(s.Not, flag.Name) && flag.Name != "help" && flag.Name != "version"
}

// Variable returns the name of a flag's variable.
func (s Settings) Variable(flag string) string {
	return s.Prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// decode reads the configuration file, and refuses keys that are no flags.
func (s Settings) decode(f *cli.Flags, file string, data []byte) (map[string]any, error) {
	config := map[string]any{}
	if _, err := toml.Decode(string(data), &config); err != nil {
		where, problem := file, err.Error()
		if syntax, ok := errors.AsType[toml.ParseError](err); ok {
			where, problem = fmt.Sprintf("%s:%d", file, syntax.Position.Line), syntax.Message
		}
		return nil, &job.Error{Code: job.CodeUsage, Message: where + ": not TOML: " + problem, Err: err}
	}
	for _, key := range slices.Sorted(maps.Keys(config)) {
		if flag := f.Lookup(key); flag == nil || !s.settles(flag) {
			return nil, s.noKey(f, at(file, data, key), key)
		}
	}
	return config, nil
}

// at returns the file and the line that a key stands in: the first that looks so, and before which the file is whole.
// The library tells lines for what is not TOML only.
func at(file string, data []byte, key string) string {
	offset, number := 0, 0
	for line := range bytes.Lines(data) {
		number++
		word := bytes.Trim(bytes.TrimLeft(line, " \t["), `"'`)
		rest, ok := bytes.CutPrefix(word, []byte(key))
		if ok && len(rest) > 0 && bytes.IndexByte([]byte("\"' \t=.]"), rest[0]) >= 0 {
			if _, err := toml.Decode(string(data[:offset]), &map[string]any{}); err == nil {
				return fmt.Sprintf("%s:%d", file, number)
			}
		}
		offset += len(line)
	}
	return file
}

// noKey is the error for a key that is no flag.
func (s Settings) noKey(f *cli.Flags, file, key string) error {
	var keys []string
	for _, flag := range f.All() {
		if s.settles(flag) {
			keys = append(keys, flag.Name)
		}
	}
	return cli.UsageHint(f.Name(), cli.DidYouMean(key, keys), "%s: there is no such key: %s", file, job.Quote(key))
}

// fromFile gives a flag a value from the configuration file.
func fromFile(f *cli.Flags, flag *cli.Flag, origin string, value any) error {
	want := "a string"
	switch flag.Kind {
	case cli.List:
		want = "a list of strings"
		if texts, ok := stringsOf(value); ok {
			return f.Settle(flag, origin, texts, "")
		}
	case cli.Switch:
		want = "true or false"
		if b, ok := value.(bool); ok {
			return f.Settle(flag, origin, nil, strconv.FormatBool(b))
		}
	case cli.Number:
		want = "a whole number"
		if n, ok := value.(int64); ok {
			return f.Settle(flag, origin, nil, strconv.FormatInt(n, 10))
		}
	case cli.Amount:
		want = `a whole number, or an amount such as "64M"`
		if n, ok := value.(int64); ok {
			return f.Settle(flag, origin, nil, strconv.FormatInt(n, 10))
		}
		if text, ok := value.(string); ok {
			return f.Settle(flag, origin, nil, text)
		}
	case cli.Text:
		if text, ok := value.(string); ok {
			return f.Settle(flag, origin, nil, text)
		}
	}
	return cli.Usage(f.Name(), "%s: must be %s, not %s", origin, want, written(value))
}

// stringsOf returns a list whose elements are all strings.
func stringsOf(value any) ([]string, bool) {
	list, ok := value.([]any)
	texts := make([]string, 0, len(list))
	for _, v := range list {
		text, isText := v.(string)
		ok = ok && isText
		texts = append(texts, text)
	}
	return texts, ok
}

// written returns a value as messages show it.
func written(value any) string {
	switch value := value.(type) {
	case string:
		return job.Quote(value)
	case map[string]any, []map[string]any:
		return "a table"
	default:
		return job.Quote(fmt.Sprint(value))
	}
}

// Print returns a configuration file that says what the command line, variables and a
// file have set. All other flags are in it as comments, with the values that they have
// now: these may be measured, and change with the machine. A flag without a value has
// what its help calls it.
func (s Settings) Print(f *cli.Flags) ([]byte, error) {
	var out bytes.Buffer
	byName := func(a, b *cli.Flag) int { return strings.Compare(a.Name, b.Name) }
	for _, flag := range slices.SortedFunc(slices.Values(f.All()), byName) {
		if !s.settles(flag) {
			continue
		}
		value, err := printed(flag)
		if err != nil {
			return nil, err
		}
		if !flag.Changed() {
			out.WriteString("# ")
		}
		if err := toml.NewEncoder(&out).Encode(map[string]any{flag.Name: value}); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// printed is a flag's value as the file has it.
func printed(flag *cli.Flag) (any, error) {
	text := flag.ValueText()
	switch flag.Kind {
	case cli.List:
		return append([]string{}, flag.Texts()...), nil
	case cli.Switch:
		return text == "true", nil
	case cli.Number, cli.Amount:
		return strconv.ParseInt(text, 10, 64)
	case cli.Text:
		if text == "" && !flag.Changed() {
			return flag.Value, nil
		}
	}
	return text, nil
}
