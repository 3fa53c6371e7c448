package cli

import (
	"flag"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// Flag declares a flag once: what is parsed, and all that the help, the manual pages, the completions and the tables
// of the docs say of it. The functions of Flags that define one say what its value is.
type Flag struct {
	Name      string   `json:"name"`                // without dashes
	Short     string   `json:"short,omitempty"`     // one letter, or none
	Category  string   `json:"category"`            // the heading that it stands under
	Value     string   `json:"value,omitempty"`     // what its value is called, such as FILE|-
	Variables []string `json:"variables,omitempty"` // stand in for it; the first that is set and not empty counts
	// one before them, which is called as the flag is: the help doesn't list it
	Implied string `json:"implied,omitempty"`
	// in words; by default the text of the value that it has when it is defined
	Default string `json:"default,omitempty"`
	Usage   string `json:"usage"` // one line: what it does
	// what the manual page and the docs say besides: ranges, what it excludes
	More     string     `json:"more,omitempty"`
	Complete Completion `json:"complete"` // what its value is completed to
	Kind     Kind       `json:"kind"`     // set by the function that defines it

	value   value
	origin  string // where its value comes from: "--name", a variable, a file and its key; "" for the default
	wrong   error  // why the last value was refused
	refused string // that value
}

// Completion is what a shell completes a value to. The zero value is nothing, also no file.
type Completion struct {
	Words   []string `json:"words,omitempty"`   // one of these
	List    bool     `json:"list,omitempty"`    // several of Words, separated by commas
	Folders bool     `json:"folders,omitempty"` // a folder
	// a file with one of these endings, such as .wasm; any file where the ending is ""
	Files []string `json:"files,omitempty"`
	Peers bool     `json:"peers,omitempty"` // a node in the user's trust file
}

// AnyFile is the completion of a value that names a file of no particular kind.
func AnyFile() Completion { return Completion{Files: []string{""}} }

// FileLike is the completion of a value that names a file with one of some endings.
func FileLike(endings ...string) Completion { return Completion{Files: endings} }

// Kind is how the value of a flag is written.
type Kind string

// The kinds of flags.
const (
	Switch Kind = "switch" // true or false; true where no value is given
	Text   Kind = "text"
	Number Kind = "number" // a whole number
	Amount Kind = "amount" // a number of bytes, with or without a unit
	List   Kind = "list"   // may be repeated, each time with one of its texts
)

// value is what a flag stores. Errors say what is wrong with a text without repeating it.
type value interface {
	Set(text string) error
	String() string
}

// listValue is the value of a List.
type listValue interface {
	value
	replace(texts []string)
	texts() []string
}

// Changed reports whether the flag has a value from the command line, a variable or a file.
func (f *Flag) Changed() bool { return f.origin != "" }

// ValueText returns the value as text.
func (f *Flag) ValueText() string { return f.value.String() }

// Texts returns the values of a List, and nil for other kinds.
func (f *Flag) Texts() []string {
	if list, ok := f.value.(listValue); ok {
		return list.texts()
	}
	return nil
}

// give sets the value, and says where it comes from.
func (f *Flag) give(origin, text string) error {
	if f.wrong = f.value.Set(text); f.wrong == nil {
		f.origin = origin
	} else {
		f.refused = text
	}
	return f.wrong
}

// giveList sets the values of a List.
func (f *Flag) giveList(origin string, texts []string) {
	if list, ok := f.value.(listValue); ok {
		list.replace(texts)
		f.origin = origin
	}
}

// given is a flag as the standard library's parser, which is beneath urfave/cli, sets it.
type given struct{ *Flag }

func (g given) Set(text string) error { return g.give("--"+g.Name, text) }

func (g given) String() string {
	if g.Flag == nil || g.value == nil { // the parser's own zero value
		return ""
	}
	return g.value.String()
}

// What follows is what urfave/cli asks of a flag. It has flags of its own, and they do not do: they read variables
// themselves, from the process and not from the Invocation, take an empty one for a value, split lists at commas, and
// tell errors in words that our contract does not have.
var (
	_ cli.DocGenerationSliceFlag = (*Flag)(nil)
	_ cli.CategorizableFlag      = (*Flag)(nil)
)

// Apply adds the flag to the parser's.
func (f *Flag) Apply(set *flag.FlagSet) error {
	for _, name := range f.Names() {
		set.Var(given{f}, name, f.Usage)
	}
	return nil
}

// Names returns the flag's name and its letter.
func (f *Flag) Names() []string {
	if f.Short == "" {
		return []string{f.Name}
	}
	return []string{f.Name, f.Short}
}

// IsSet reports whether the flag has a value from elsewhere than its default.
func (f *Flag) IsSet() bool { return f.Changed() }

// IsVisible reports that the flag is in the help: there are no hidden ones.
func (f *Flag) IsVisible() bool { return true }

// GetCategory returns the heading that the flag stands under.
func (f *Flag) GetCategory() string { return f.Category }

// TakesValue reports whether the flag is no switch.
func (f *Flag) TakesValue() bool { return f.Kind != Switch }

// IsSliceFlag reports whether the flag may be repeated.
func (f *Flag) IsSliceFlag() bool { return f.Kind == List }

// GetUsage returns what the flag does.
func (f *Flag) GetUsage() string { return f.Usage }

// GetValue returns the default as text.
func (f *Flag) GetValue() string { return f.Default }

// GetDefaultText returns the default as the help shows it.
func (f *Flag) GetDefaultText() string { return f.Default }

// GetEnvVars returns the variables that stand in for the flag.
func (f *Flag) GetEnvVars() []string {
	if f.Implied == "" {
		return f.Variables
	}
	return append([]string{f.Implied}, f.Variables...)
}

// String returns the flag as it is typed, with the name of its value.
func (f *Flag) String() string {
	term := f.Typed()
	if f.Value != "" {
		term += " " + f.Value
	}
	return term
}

// Typed returns the flag as it is typed, without a value, but for a switch that is on unless it is typed: it makes
// sense only with =false.
func (f *Flag) Typed() string {
	term := "--" + f.Name
	if f.Short != "" {
		term = "-" + f.Short + ", " + term
	}
	if f.Kind == Switch && f.Default == "true" {
		term += "=false"
	}
	return term
}

// Effect returns what the help says of the flag: what it does, its default and its variables.
func (f *Flag) Effect() string {
	text := f.Usage
	if f.Kind == List {
		text += "; may be repeated"
	}
	var notes []string
	if len(f.Variables) > 0 {
		notes = append(notes, strings.Join(f.Variables, ", "))
	}
	if f.Default != "" && f.Kind != Switch {
		notes = append(notes, "default "+f.Default)
	}
	if len(notes) == 0 {
		return text
	}
	return text + " (" + strings.Join(notes, "; ") + ")"
}

// define adds a flag to the command's.
func (f *Flags) define(declared Flag, kind Kind, v value) {
	declared.Kind, declared.value = kind, v
	if declared.Default == "" {
		declared.Default = shownDefault(v)
	}
	f.all = append(f.all, &declared)
}

// All returns the flags, in the order of the help: by category, and in each as they were defined. Those that every
// command has come last.
func (f *Flags) All() []*Flag {
	var all []*Flag
	for _, category := range f.categories() {
		for _, flag := range f.all {
			if flag.Category == category {
				all = append(all, flag)
			}
		}
	}
	return all
}

// categories returns the headings in the order in which flags were defined, but for
// those of several commands, which come last.
func (f *Flags) categories() []string {
	var names []string
	for _, flag := range f.all {
		if !slices.Contains(names, flag.Category) {
			names = append(names, flag.Category)
		}
	}
	last := func(name string) int { return slices.Index([]string{ThisMachine, Common}, name) }
	slices.SortStableFunc(names, func(a, b string) int { return last(a) - last(b) })
	return names
}
