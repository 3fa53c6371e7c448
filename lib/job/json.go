package job

import (
	"fmt"
	"iter"
	"strconv"
)

// MaxDepth is how deep arrays and objects may nest: a scalar alone has depth 0,
// an empty array depth 1.
const MaxDepth = 16

// Value is what a document holds: *Object, []Value, string, int64 or bool.
// There is no null and no fraction in the profile, so there is no Go value for
// them either.
type Value = any

// Member is one name of an object with its value.
type Member struct {
	Name  string
	Value Value
}

// Object is a JSON object: its members in the order of the document, no name
// twice. It is not for concurrent use while it is being built; a parsed one may
// be read by several goroutines.
type Object struct {
	members []Member
	index   map[string]int // nil while there are few members
}

// fewMembers is how many members are looked up one by one before an index is made.
const fewMembers = 16

// Len returns how many members o has.
func (o *Object) Len() int { return len(o.members) }

// All yields the members in the order of the document.
func (o *Object) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for _, m := range o.members {
			if !yield(m.Name, m.Value) {
				return
			}
		}
	}
}

// Get returns the value of the member of exactly that name, and whether there is one.
func (o *Object) Get(name string) (Value, bool) {
	if i := o.find(name); i >= 0 {
		return o.members[i].Value, true
	}
	return nil, false
}

// find returns the position of a member, or -1.
func (o *Object) find(name string) int {
	if o.index != nil {
		if i, ok := o.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].Name == name {
			return i
		}
	}
	return -1
}

// add appends a member whose name is known to be new.
func (o *Object) add(name string, v Value) {
	o.members = append(o.members, Member{name, v})
	switch {
	case o.index != nil:
		o.index[name] = len(o.members) - 1
	case len(o.members) > fewMembers:
		o.index = make(map[string]int, 2*len(o.members))
		for i := range o.members {
			o.index[o.members[i].Name] = i
		}
	}
}

// SyntaxError says which rule of the profile a document breaks, and where.
type SyntaxError struct {
	Offset int64  // of the byte, from 0, at which it was noticed
	Reason string // one line, lower case, without the offset
}

// Error returns the reason and the place in one line.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("bad JSON at byte %d: %s", e.Offset, e.Reason)
}

// Parse reads one document in the profile. A document is read if, and only if,
//
//   - it is UTF-8 without a byte order mark,
//   - it is one JSON value (RFC 8259) with nothing but white space around it,
//   - no object has two members whose names are equal after unescaping,
//   - there is no null,
//   - each number is written 0 or -?[1-9][0-9]*, and lies within ±(2^53-1),
//   - no string has an unpaired surrogate,
//   - arrays and objects nest at most MaxDepth deep.
//
// Names are compared byte by byte: no case folding, no normalisation. All this is
// checked before anything is decoded, because the usual decoders each read
// something else into what breaks it, and a signed document must mean one thing
// to everybody. An error is a *SyntaxError.
//
// Memory stays within about 40 times len(data); limiting that is the caller's part.
func Parse(data []byte) (Value, error) {
	return newScanner(data).document()
}

// Quote returns s in double quotes as a message may show it: on one line, what
// isn't printable escaped, and no more than 72 characters of it.
func Quote(s string) string {
	const maxRunes = 72
	n := 0
	for i := range s {
		if n == maxRunes {
			q := strconv.Quote(s[:i])
			return q[:len(q)-1] + "…\""
		}
		n++
	}
	return strconv.Quote(s)
}
