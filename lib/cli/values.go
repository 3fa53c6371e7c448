package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"plasm/lib/job"
)

// WholeType is what the type of a flag is called that takes a whole number.
const WholeType = "number"

// whole is a flag value: a whole number within a range.
type whole struct {
	into      *int64
	low, high int64
}

// Whole defines a flag that takes a whole number from low to high.
func (f *Flags) Whole(into *int64, name string, low, high int64) {
	f.Var(whole{into, low, high}, name, "")
}

func (w whole) Type() string   { return WholeType }
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
func (f *Flags) Millis(into *int64, name string, high int64) {
	f.Var(millis{into, high}, name, "")
}

func (m millis) Type() string   { return "duration" }
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

// path is a flag value: the name of a file or folder, which is not empty. So a
// variable that a script forgot to set does not quietly mean "no such flag".
type path struct{ into *string }

// Path defines a flag that takes the name of a file or folder; fallback is its
// value where it is not given.
func (f *Flags) Path(into *string, name, fallback string) {
	*into = fallback
	f.Var(path{into}, name, "")
}

func (p path) Type() string   { return "path" }
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

// Word defines a flag that takes 1 to 32 of a-z, 0-9 and what extra has; fallback is
// its value where it is not given.
func (f *Flags) Word(into *string, name, extra, fallback string) {
	*into = fallback
	f.Var(word{into, extra}, name, "")
}

func (w word) Type() string   { return "name" }
func (w word) String() string { return *w.into }

func (w word) Set(s string) error {
	if !job.ValidName(s, w.extra) {
		return errors.New(strings.TrimSpace("not a name of 1 to 32 of a-z 0-9 " + w.extra))
	}
	*w.into = s
	return nil
}

// List splits a value that names several things: by commas or white space.
func List(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
}

// GuardList reads a list of guards, or the word none.
func GuardList(name, flag, value string) ([]string, error) {
	list := List(value)
	if len(list) == 1 && list[0] == "none" {
		return nil, nil
	}
	for _, g := range list {
		if !job.ValidGuard(g) {
			return nil, Usage(name, "--%s: %q is not a guard; the guards are %s, or none", flag, g, strings.Join(job.Guards(), ", "))
		}
	}
	return list, nil
}
