package cli

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// line is a command line as it was read, in the form that urfave/cli parses as we mean it. Left to itself it would
// end the flags at the first operand also where they may follow, take -memory for --memory, and name what it does not
// understand in its own words.
type line struct {
	words    []string // --name=value, as far as all was understood and no help was asked for
	operands []string
	help     bool   // asked for, before anything that is wrong
	log      string // the format of the log that is asked for; "" where none is
	json     bool   // errors are to be told as a document, also that in err
	err      error  // the first thing that is not understood, without regard to values
}

// ends reports whether what follows on the command line changes no more than how errors are told.
func (l *line) ends() bool { return l.help || l.err != nil }

func (l *line) refuse(err error) {
	if !l.ends() {
		l.err = err
	}
}

func (l *line) give(flag *Flag, text string) {
	yes, err := strconv.ParseBool(text)
	if flag.Name == jsonFlag {
		l.json = yes || err != nil
	}
	if flag.Name == logFormatFlag {
		l.log = text
	}
	switch {
	case l.ends():
	case flag.Name == helpFlag && yes:
		l.help = true
	default:
		l.words = append(l.words, "--"+flag.Name+"="+text)
	}
}

// read reads a command line, without the command's name.
func (f *Flags) read(args []string) *line {
	l := &line{}
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		switch {
		case word == "--":
			l.operands = append(l.operands, args...)
			return l
		case !strings.HasPrefix(word, "-") || word == "-":
			l.operands = append(l.operands, word)
			if !f.doc.Mixed {
				l.operands = append(l.operands, args...)
				return l
			}
		case strings.HasPrefix(word, "--"):
			args = f.readWord(l, word, args)
		default:
			args = f.readLetters(l, word, args)
		}
	}
	return l
}

// readWord reads --name, --name=value or --name value, and returns what follows it.
func (f *Flags) readWord(l *line, word string, args []string) []string {
	name, text, hasText := strings.Cut(word[2:], "=")
	flag := f.Lookup(name)
	switch {
	case name == "" || name[0] == '-':
		l.refuse(f.usage("bad flag syntax: %s", word))
		return args
	case flag == nil:
		l.refuse(f.unknown(name))
		return args
	case !hasText:
		return f.readValue(l, flag, args)
	}
	l.give(flag, text)
	return args
}

// readLetters reads -n, -nh or -n=value, and returns what follows it.
func (f *Flags) readLetters(l *line, word string, args []string) []string {
	for rest := word[1:]; rest != ""; {
		letter, size := utf8.DecodeRuneInString(rest)
		flag := f.short(letter)
		if flag == nil {
			l.refuse(f.usage("unknown flag: -%c", letter))
			return args
		}
		rest = rest[size:]
		switch {
		case len(rest) > 1 && rest[0] == '=':
			l.give(flag, rest[1:])
			return args
		case flag.Kind == Switch:
			l.give(flag, "true")
		case rest != "":
			l.give(flag, rest)
			return args
		default:
			return f.readValue(l, flag, args)
		}
	}
	return args
}

// readValue takes the value of a flag that has none behind an equals sign.
func (f *Flags) readValue(l *line, flag *Flag, args []string) []string {
	switch {
	case flag.Kind == Switch:
		l.give(flag, "true")
	case len(args) == 0:
		l.refuse(f.usage("--%s: a value is missing", flag.Name))
	default:
		l.give(flag, args[0])
		return args[1:]
	}
	return args
}

// short returns the flag with a letter, or nil.
func (f *Flags) short(letter rune) *Flag {
	for _, flag := range f.all {
		if flag.Short == string(letter) {
			return flag
		}
	}
	return nil
}
