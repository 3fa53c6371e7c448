package batch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plasm/lib/job"
)

// placeholders are what stands for a line in flags, each with what it stands for.
var placeholders = []struct {
	text  string
	value func(line string, number int64) string
}{
	{"{}", func(line string, _ int64) string { return line }},
	{"{/}", func(line string, _ int64) string { return base(line) }},
	{"{.}", func(line string, _ int64) string { return bare(line) }},
	{"{/.}", func(line string, _ int64) string { return bare(base(line)) }},
	{"{#}", func(_ string, number int64) string { return strconv.FormatInt(number, 10) }},
}

// base is the last element of a path.
func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// bare is a path without the extension of its last element. A dot that begins that
// begins no extension.
func bare(path string) string {
	name := base(path)
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return path[:len(path)-len(name)+i]
	}
	return path
}

// HasPlaceholder reports whether a flag's text has a placeholder in it.
func HasPlaceholder(text string) bool {
	for _, p := range placeholders {
		if strings.Contains(text, p.text) {
			return true
		}
	}
	return false
}

// Template is what flags say of the items of --each, with placeholders. A flag without
// any is the same for all items.
type Template struct {
	Args    []string
	Env     []string // NAME=VALUE
	Seed    string   // "": not given
	Stdin   string
	Stdout  string
	Stderr  string
	Receipt string
	In, Out []Folder
}

// field is a part of a template that takes placeholders.
type field struct {
	flag   string   // for messages
	texts  []string // split already where the flag's value has parts, which a line does not change
	output bool     // names what the item makes
	set    func(*Line, []string) error
}

// fields are the parts of the template that are given.
func (t *Template) fields() []field {
	fields := []field{{flag: "ARG", texts: t.Args, set: func(l *Line, values []string) error {
		l.Args, l.HasArgs = values, true
		return nil
	}}}
	for _, pair := range t.Env {
		name, value, _ := strings.Cut(pair, "=")
		fields = append(fields, field{
			flag: "--env", texts: []string{name, value},
			set: func(l *Line, values []string) error {
				if l.Env == nil {
					l.Env = map[string]string{}
				}
				l.Env[values[0]] = values[1]
				return nil
			},
		})
	}
	file := func(flag, text string, output bool, into func(*Line) *string) {
		if text != "" {
			fields = append(fields, field{
				flag: flag, texts: []string{text}, output: output,
				set: func(l *Line, values []string) error {
					if !validFile(values[0]) {
						return fmt.Errorf("%s is not the name of a file", job.Quote(values[0]))
					}
					*into(l) = values[0]
					return nil
				},
			})
		}
	}
	file("--stdin", t.Stdin, false, func(l *Line) *string { return &l.Stdin })
	file("--stdout", t.Stdout, true, func(l *Line) *string { return &l.Stdout })
	file("--stderr", t.Stderr, true, func(l *Line) *string { return &l.Stderr })
	file("--receipt", t.Receipt, true, func(l *Line) *string { return &l.Receipt })
	for _, in := range t.In {
		fields = append(fields, field{
			flag: "--in", texts: []string{in.Path, in.Guest},
			set: func(l *Line, values []string) error {
				l.In = append(l.In, Folder{values[0], values[1]})
				return validFolder(values[0], values[1])
			},
		})
	}
	for _, out := range t.Out {
		fields = append(fields, field{
			flag: "--out", texts: []string{out.Guest, out.Path}, output: true,
			set: func(l *Line, values []string) error {
				l.Out = append(l.Out, Folder{values[1], values[0]})
				return validFolder(values[1], values[0])
			},
		})
	}
	if t.Seed != "" {
		fields = append(fields, field{flag: "--seed", texts: []string{t.Seed}, set: setSeed})
	}
	return fields
}

// validFolder refuses what a line can make of a folder's names that the flags would not take.
func validFolder(path, guest string) error {
	if path == "" || !isText(path) {
		return fmt.Errorf("%s is not the name of a folder", job.Quote(path))
	}
	if !job.ValidGuest(guest) {
		return fmt.Errorf("%s is not a path in the guest", job.Quote(guest))
	}
	return nil
}

func setSeed(l *Line, values []string) error {
	n, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil || n < 0 || n > job.MaxSafeInt {
		return fmt.Errorf("%s is not a whole number from 0 to %d", job.Quote(values[0]), int64(job.MaxSafeInt))
	}
	l.Seed = &n
	return nil
}

// Check refuses a template whose items would all write to one file: an error is a
// *job.Error of code usage, without a hint.
func (t *Template) Check() error {
	for _, f := range t.fields() {
		if f.output && !f.placed() {
			return &job.Error{
				Code: job.CodeUsage,
				Message: fmt.Sprintf("%s %s: all items would write to it: put {}, {/}, {.}, {/.} or {#} into it",
					f.flag, strings.Join(f.texts, "::")),
			}
		}
	}
	return nil
}

func (f *field) placed() bool {
	return slices.ContainsFunc(f.texts, HasPlaceholder)
}

// Fill puts a line into the template. Where that has no placeholder at all, the line is
// the last argument. An error is a *job.Error of code usage: what the line makes of a
// flag is not what that takes.
func (t *Template) Fill(text string, number int64) (*Line, error) {
	fields := t.fields()
	values := make([]string, 0, 2*len(placeholders))
	for _, p := range placeholders {
		values = append(values, p.text, p.value(text, number))
	}
	fill := strings.NewReplacer(values...) // in one pass: what a line has in it stays
	l := &Line{}
	placed := false
	for _, f := range fields {
		placed = placed || f.placed()
		if name, bad := badName(f, values); f.output && bad {
			return nil,
				wrongItem(f.flag, fmt.Errorf("%s: %s of the line is %s, which names no file",
					strings.Join(f.texts, "::"), name[0], job.Quote(name[1])))
		}
		filled := make([]string, len(f.texts))
		for i, text := range f.texts {
			filled[i] = fill.Replace(text)
		}
		if err := f.set(l, filled); err != nil {
			return nil, wrongItem(f.flag, err)
		}
	}
	if !placed {
		l.Args, l.HasArgs = append(l.Args, text), true
	}
	return l, nil
}

func wrongItem(flag string, err error) error {
	return &job.Error{Code: job.CodeUsage, Message: fmt.Sprintf("%s: %v", flag, err), Err: err}
}

// badName returns a placeholder of the field, with its value, that stands for the last
// element of the line, if that names nothing that could be made. values are pairs of
// both.
func badName(f field, values []string) (name [2]string, bad bool) {
	for i := 0; i < len(values); i += 2 {
		if values[i] != "{/}" && values[i] != "{/.}" {
			continue
		}
		for _, text := range f.texts {
			if v := values[i+1]; strings.Contains(text, values[i]) && (v == "" || v == "." || v == "..") {
				return [2]string{values[i], v}, true
			}
		}
	}
	return name, false
}
