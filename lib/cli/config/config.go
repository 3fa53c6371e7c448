// Package config gives a command's flags the values that its command line does not:
// from variables and a configuration file. It is apart from package cli so that the
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
	"github.com/spf13/pflag"

	"plasm/lib/cli"
	"plasm/lib/job"
)

// MaxBytes is the longest configuration file that is read, in bytes.
const MaxBytes = 1 << 20

// Settings say where flags get their values that the command line does not give.
// A flag wins over a variable, that over the file, and that over the default. A
// list is taken from one place: lists are not put together.
//
// The variable of the flag --some-flag is the prefix and SOME_FLAG; one that is
// empty counts as unset. Lists are separated by white space.
//
// The file is TOML. Its keys are the flags, without dashes before them. A number
// is an integer, a flag without a value a boolean, a list an array of strings, and
// all else a string, durations too.
type Settings struct {
	Prefix string            // of the variables
	Also   map[string]string // by flag: a variable that counts where the one with the prefix is not set
	Not    []string          // flags that have neither variable nor key, beside --help and --version
}

// Settle gives values to the flags that the command line has not. file is the
// name of the configuration file, for messages, and data what is in it; both are
// empty where there is none. An error is a usage error that names the variable, or
// the file and its key.
func (s Settings) Settle(f *cli.Flags, file string, data []byte) error {
	config, err := s.decode(f, file, data)
	if err != nil {
		return err
	}
	f.VisitAll(func(flag *pflag.Flag) {
		if err != nil || flag.Changed || !s.settles(flag) {
			return
		}
		if variable, text := s.variable(flag.Name, f.Getenv); text != "" {
			err = f.Settle(flag, variable, strings.Fields(text), text)
		} else if value, ok := config[flag.Name]; ok {
			err = fromFile(f, flag, file+": "+flag.Name, value)
		}
	})
	return err
}

// settles reports whether a flag can have its value from elsewhere.
func (s Settings) settles(flag *pflag.Flag) bool {
	return !slices.Contains(s.Not, flag.Name) && flag.Name != "help" && flag.Name != "version"
}

// Variable returns the name of a flag's variable.
func (s Settings) Variable(flag string) string {
	return s.Prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// variable returns the variable that counts for a flag, and its value.
func (s Settings) variable(flag string, getenv func(string) string) (name, value string) {
	name = s.Variable(flag)
	if value = getenv(name); value == "" && s.Also[flag] != "" {
		name = s.Also[flag]
		value = getenv(name)
	}
	return name, value
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
			return nil, cli.Usage(f.Name(), "%s: there is no such key: %s", file, job.Quote(key))
		}
	}
	return config, nil
}

// fromFile gives a flag a value from the configuration file.
func fromFile(f *cli.Flags, flag *pflag.Flag, origin string, value any) error {
	want := "a string"
	_, list := flag.Value.(pflag.SliceValue)
	switch {
	case list:
		want = "a list of strings"
		if texts, ok := stringsOf(value); ok {
			return f.Settle(flag, origin, texts, "")
		}
	case flag.Value.Type() == "bool":
		want = "true or false"
		if b, ok := value.(bool); ok {
			return f.Settle(flag, origin, nil, strconv.FormatBool(b))
		}
	case flag.Value.Type() == cli.WholeType:
		want = "a whole number"
		if n, ok := value.(int64); ok {
			return f.Settle(flag, origin, nil, strconv.FormatInt(n, 10))
		}
	default:
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

// Print returns the values of all flags that a configuration file may set,
// as such a file. Flags that have no value by default, and none now, are left out.
func (s Settings) Print(f *cli.Flags) ([]byte, error) {
	var out bytes.Buffer
	enc := toml.NewEncoder(&out)
	var err error
	f.VisitAll(func(flag *pflag.Flag) {
		if err != nil || !s.settles(flag) {
			return
		}
		var value any = flag.Value.String()
		list, isList := flag.Value.(pflag.SliceValue)
		switch {
		case isList:
			value = append([]string{}, list.GetSlice()...)
		case flag.Value.Type() == "bool":
			value = flag.Value.String() == "true"
		case flag.Value.Type() == cli.WholeType:
			value, err = strconv.ParseInt(flag.Value.String(), 10, 64)
		case value == "" && flag.DefValue == "":
			return
		}
		if err == nil {
			err = enc.Encode(map[string]any{flag.Name: value})
		}
	})
	return out.Bytes(), err
}
