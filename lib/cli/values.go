package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"plasm/lib/job"
)

// shownDefault is the default of a value as the help shows it, "" where it has none.
func shownDefault(v value) string {
	switch v := v.(type) {
	case whole:
		if *v.into < v.low {
			return ""
		}
	case millis:
		if *v.into <= 0 {
			return ""
		}
		text := strings.TrimSuffix(v.String(), "0s")
		if minutes, ok := strings.CutSuffix(text, "h0m"); ok {
			return minutes + "h"
		}
		if strings.HasSuffix(text, "m") {
			return text
		}
	case amount:
		if *v.into < v.low {
			return ""
		}
		return v.shownDefault()
	case on:
		if !*v.into {
			return ""
		}
	case *texts:
		return strings.Join(*v.into, ", ")
	}
	return v.String()
}

// whole is a flag value: a whole number within a range.
type whole struct {
	into      *int64
	low, high int64
}

// Whole defines a flag that takes a whole number from low to high.
func (f *Flags) Whole(into *int64, low, high int64, flag Flag) {
	f.define(flag, Number, whole{into, low, high})
}

func (w whole) String() string { return strconv.FormatInt(*w.into, 10) }

func (w whole) Set(s string) error {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < w.low || n > w.high {
		return fmt.Errorf("not a whole number from %d to %d", w.low, w.high)
	}
	*w.into = n
	return nil
}

// millis is a flag value: a duration of whole milliseconds.
type millis struct {
	into *int64
	high int64
}

// Millis defines a flag that takes a duration, such as 5s or 1m30s, from one
// millisecond to high milliseconds, and stores milliseconds.
func (f *Flags) Millis(into *int64, high int64, flag Flag) {
	f.define(flag, Text, millis{into, high})
}

func (m millis) String() string { return (time.Duration(*m.into) * time.Millisecond).String() }

func (m millis) Set(s string) error {
	d, err := time.ParseDuration(s)
	ms := int64(d / time.Millisecond)
	if err != nil || d%time.Millisecond != 0 || ms < 1 || ms > m.high {
		return fmt.Errorf("not a duration of whole milliseconds, with its unit (500ms, 5s, 2m), from 1ms to %v",
			time.Duration(m.high)*time.Millisecond)
	}
	*m.into = ms
	return nil
}

// millisOr is a flag value: a duration of whole milliseconds, or a word.
type millisOr struct {
	millis
	word string
}

// MillisOr is Millis of a flag that takes word too, for which it stores -1.
func (f *Flags) MillisOr(into *int64, word string, high int64, flag Flag) {
	f.define(flag, Text, millisOr{millis{into, high}, word})
}

func (m millisOr) String() string {
	if *m.into < 0 {
		return m.word
	}
	return m.millis.String()
}

func (m millisOr) Set(s string) error {
	if s == m.word {
		*m.into = -1
		return nil
	}
	if err := m.millis.Set(s); err != nil {
		return fmt.Errorf("%w, or %s", err, m.word)
	}
	return nil
}

// path is a flag value: the name of a file or folder, which is not empty. So a
// variable that a script forgot to set does not quietly mean "no such flag".
type path struct{ into *string }

// Path defines a flag that takes the name of a file or folder.
func (f *Flags) Path(into *string, flag Flag) { f.define(flag, Text, path{into}) }

func (p path) String() string { return *p.into }

func (p path) Set(s string) error {
	if s == "" {
		return errors.New("not the name of a file")
	}
	*p.into = s
	return nil
}

// word is a flag value: a name as documents have it, such as an engine's.
type word struct {
	into  *string
	extra string
}

// Word defines a flag that takes 1 to 32 of a-z, 0-9 and what extra has.
func (f *Flags) Word(into *string, extra string, flag Flag) {
	f.define(flag, Text, word{into, extra})
}

func (w word) String() string { return *w.into }

func (w word) Set(s string) error {
	if !job.ValidName(s, w.extra) {
		return errors.New(strings.TrimSpace("not a name of 1 to 32 of a-z 0-9 " + w.extra))
	}
	*w.into = s
	return nil
}

// text is a flag value: any text.
type text struct{ into *string }

// Text defines a flag that takes any text, which the command checks by itself.
func (f *Flags) Text(into *string, flag Flag) { f.define(flag, Text, text{into}) }

func (t text) String() string { return *t.into }

func (t text) Set(s string) error {
	*t.into = s
	return nil
}

// choice is a flag value: one of a few words.
type choice struct {
	into  *string
	words []string
}

// Choice defines a flag that takes one of the words that it is completed to.
func (f *Flags) Choice(into *string, flag Flag) {
	f.define(flag, Text, choice{into, flag.Complete.Words})
}

func (c choice) String() string { return *c.into }

func (c choice) Set(s string) error {
	s = strings.ToLower(s)
	if !slices.Contains(c.words, s) {
		return errors.New("not one of " + strings.Join(c.words, ", "))
	}
	*c.into = s
	return nil
}

// on is a flag value: true or false.
type on struct{ into *bool }

// Switch defines a flag that is on or off.
func (f *Flags) Switch(into *bool, flag Flag) { f.define(flag, Switch, on{into}) }

func (o on) String() string { return strconv.FormatBool(*o.into) }

func (o on) Set(s string) error {
	yes, err := strconv.ParseBool(s)
	if err != nil {
		return errors.New("not true or false")
	}
	*o.into = yes
	return nil
}

// texts is a flag value: the texts of a flag that may be repeated, each as it was given.
type texts struct {
	into  *[]string
	given bool // the first text takes the place of the default
}

// List defines a flag that takes any text and may be repeated.
func (f *Flags) List(into *[]string, flag Flag) { f.define(flag, List, &texts{into: into}) }

func (t *texts) String() string { return strings.Join(*t.into, " ") }

func (t *texts) Set(s string) error {
	if !t.given {
		t.replace(nil)
	}
	*t.into = append(*t.into, s)
	return nil
}

func (t *texts) replace(list []string) { *t.into, t.given = append([]string{}, list...), true }

func (t *texts) texts() []string { return *t.into }

// Split splits a value that names several things: by commas or white space.
func Split(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
}

// GuardCompletion is what the value of --require-guards is completed to.
func GuardCompletion() Completion {
	return Completion{Words: append([]string{"none"}, job.Guards()...), List: true}
}

// GuardNames are the guards as help shows them.
func GuardNames() string { return strings.Join(job.Guards(), ", ") }

// Guards reads the value of --require-guards: a list of guards, or the word none.
func (f *Flags) Guards(value string) ([]string, error) {
	list := Split(value)
	if len(list) == 1 && list[0] == "none" {
		return nil, nil
	}
	for _, g := range list {
		if !job.ValidGuard(g) {
			origin, names := f.Origin("require-guards"), strings.Join(job.Guards(), ", ")
			return nil, UsageHint(f.doc.Name, DidYouMean(g, job.Guards()),
				"%s: %q is not a guard; the guards are %s, or none", origin, g, names)
		}
	}
	return list, nil
}
