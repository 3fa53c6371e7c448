package cli

import (
	"slices"
	"strings"
	"unicode/utf8"

	"plasm/lib/job"
)

// Doc is what the help and the manual page of a command say beside its flags. Texts are paragraphs without line
// breaks.
type Doc struct {
	Name     string            `json:"name"`              // of the command; of a subcommand both words
	Section  int               `json:"section"`           // of the manual
	Summary  string            `json:"summary"`           // what it does, in a few words; begins in lower case
	Synopsis []string          `json:"synopsis"`          // each way to call it, without the name
	About    []string          `json:"about"`             // what it is for
	Notes    map[string]string `json:"notes,omitempty"`   // by category: what is to be known beside its flags
	Closing  []string          `json:"closing,omitempty"` // what follows the exit codes
	Exit     []Term            `json:"exit"`              // the exit codes
	// Environment are variables that stand in for no flag alone.
	Environment []Term `json:"environment,omitempty"`

	Files    []Term     `json:"files,omitempty"` // what it reads and writes by itself
	Examples []string   `json:"examples"`        // each a line for sh
	See      []string   `json:"see,omitempty"`   // other pages, such as plasm-verify(1)
	Operands Completion `json:"operands"`        // what an operand is completed to
	// flags may follow operands: there is no guest whose arguments these could be
	Mixed    bool   `json:"mixed,omitempty"`
	Commands []Term `json:"commands,omitempty"` // the subcommands; filled in by Add
	Level    string `json:"-"`                  // the log level where nothing says another

	// Instead has hints for flags that this command has not and a like one has, by their names.
	Instead map[string]string `json:"-"`
}

// Term is a word and what it means.
type Term struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Declaration is all that is said of a command and its subcommands, for programs that write pages and completions.
type Declaration struct {
	Doc
	Flags       []*Flag       `json:"flags"`
	Subcommands []Declaration `json:"subcommands,omitempty"`
}

// Declaration returns what is said of the command.
func (f *Flags) Declaration() Declaration {
	d := Declaration{Doc: f.doc, Flags: f.All()}
	for _, sub := range f.subs {
		d.Subcommands = append(d.Subcommands, sub.Declaration())
	}
	return d
}

const (
	helpWidth  = 80
	helpColumn = 25 // where the texts of flags begin
)

// Help returns what --help shows. It isn't what urfave/cli's templates would show: these sort flags by the alphabet
// and break no lines.
func (f *Flags) Help() string {
	var out strings.Builder
	for i, way := range f.doc.Synopsis {
		begin := "Usage: "
		if i > 0 {
			begin = "       "
		}
		out.WriteString(begin + f.doc.Name + " " + way + "\n")
	}
	for _, text := range f.doc.About {
		out.WriteString("\n" + fold(text, "", ""))
	}
	if len(f.doc.Commands) > 0 {
		out.WriteString("\n")
		for _, c := range f.doc.Commands {
			out.WriteString(item(c.Name, c.Text, 13))
		}
		out.WriteString(fold(f.program()+" SUBCOMMAND --help lists the flags of each.", "\n  ", "  "))
	}
	for _, category := range f.categories() {
		out.WriteString("\n" + category + ":\n")
		for _, flag := range f.all {
			if flag.Category == category {
				out.WriteString(item(flag.String(), flag.Effect(), helpColumn))
			}
		}
		if note := f.doc.Notes[category]; note != "" {
			out.WriteString(fold(note, "\n  ", "  "))
		}
	}
	codes := make([]string, 0, len(f.doc.Exit))
	for _, code := range f.doc.Exit {
		codes = append(codes, code.Name+" "+code.Text)
	}
	out.WriteString("\n" + fold("Exit codes: "+strings.Join(codes, "; ")+".", "", ""))
	for _, text := range f.doc.Closing {
		out.WriteString("\n" + fold(text, "", ""))
	}
	out.WriteString("\nExamples:\n")
	for _, example := range f.doc.Examples {
		out.WriteString("  " + example + "\n")
	}
	return out.String()
}

// item is a line, or several, of a list whose texts begin at a column.
func item(term, text string, column int) string {
	begin := "  " + term
	if length := utf8.RuneCountInString(begin); length < column {
		begin += strings.Repeat(" ", column-length)
	} else {
		begin += "\n" + strings.Repeat(" ", column)
	}
	return fold(text, begin, strings.Repeat(" ", column))
}

// fold breaks a text into lines, the first of which has begin before it, the others indent.
func fold(text, begin, indent string) string {
	var out strings.Builder
	out.WriteString(begin)
	used := utf8.RuneCountInString(begin[strings.LastIndexByte(begin, '\n')+1:])
	first := true
	for word := range strings.FieldsSeq(text) {
		length := utf8.RuneCountInString(word)
		switch {
		case first:
		case used+1+length > helpWidth:
			out.WriteString("\n" + indent)
			used = utf8.RuneCountInString(indent)
		default:
			out.WriteByte(' ')
			used++
		}
		out.WriteString(word)
		used += length
		first = false
	}
	return out.String() + "\n"
}

// known returns the names of all flags, as they are typed.
func (f *Flags) known() []string {
	names := make([]string, 0, len(f.all))
	for _, flag := range f.all {
		names = append(names, "--"+flag.Name)
	}
	return names
}

// unknown is the error for a flag that there is not.
func (f *Flags) unknown(name string) error {
	hint, ok := f.doc.Instead[name]
	if !ok {
		hint = DidYouMean("--"+name, f.known())
	}
	return UsageHint(f.doc.Name, hint, "unknown flag: --%s", name)
}

// noCommand is the error for a command line that names no subcommand.
func (f *Flags) noCommand(operands []string) error {
	names := make([]string, 0, len(f.doc.Commands))
	for _, c := range f.doc.Commands {
		names = append(names, c.Name)
	}
	all := strings.Join(names, ", ")
	if len(operands) == 0 {
		return f.usage("which subcommand? one of %s is missing", all)
	}
	return UsageHint(f.doc.Name, DidYouMean(operands[0], names), "there is no subcommand %s; there are %s",
		job.Quote(operands[0]), all)
}

// Add makes another a subcommand.
func (f *Flags) Add(sub *Flags) {
	_, word, _ := strings.Cut(sub.doc.Name, " ")
	f.subs = append(f.subs, sub)
	f.doc.Commands = append(slices.Clip(f.doc.Commands), Term{word, sub.doc.Summary})
}
