package job

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// FieldError says which field of a document breaks which rule.
type FieldError struct {
	Path    string // such as manifest.dirs[1].guest
	Problem string // one line; values in it are quoted and cut
}

// Error returns path and problem in one line.
func (e *FieldError) Error() string { return e.Path + ": " + e.Problem }

// Fields reads one object of a document, member by member. The first error
// wins, in it or in any object taken from it: from then on every method returns
// a zero value, or the one it was given for an absent member, so a decoder reads
// all its fields and then asks Close once.
//
//	f := NewFields(v, "node")
//	n := Node{PeerID: f.Str("peer_id"), Memory: f.Int("memory_mb", 1, MaxMemoryMB)}
//	if err := f.Close(); err != nil {
//		return nil, err
//	}
//
// Fields is not for concurrent use.
type Fields struct {
	path     string
	obj      *Object
	read     []bool // by position in obj
	children []*Fields
	first    *error // shared by all that come from one NewFields
}

// NewFields returns the reader of v, which must be an *Object; else Close will
// say so. Path is what v is called in messages.
func NewFields(v Value, path string) *Fields {
	f := &Fields{path: path, first: new(error)}
	f.open(v, path)
	return f
}

func (f *Fields) open(v Value, path string) {
	o, ok := v.(*Object)
	if !ok {
		f.failAt(path, "must be an object, not %s", describe(v))
		o = &Object{}
	}
	f.obj, f.read = o, make([]bool, o.Len())
}

// Err returns the first *FieldError so far, or nil.
func (f *Fields) Err() error { return *f.first }

// Close returns the first *FieldError. A member that nothing has read, here or
// in an object taken from here, is one too.
func (f *Fields) Close() error {
	f.unknown()
	return *f.first
}

func (f *Fields) unknown() {
	if i := slices.Index(f.read, false); i >= 0 {
		f.failAt(member(f.path, f.obj.members[i].Name), "unknown member")
	}
	for _, c := range f.children {
		c.unknown()
	}
}

// Fail makes a rule of the caller's own the error, unless there is one already.
func (f *Fields) Fail(name, format string, args ...any) {
	f.failAt(f.path+"."+name, format, args...)
}

func (f *Fields) failAt(path, format string, args ...any) {
	if *f.first == nil {
		*f.first = &FieldError{Path: path, Problem: fmt.Sprintf(format, args...)}
	}
}

// Has reports whether the object has the member; it doesn't count as reading it.
func (f *Fields) Has(name string) bool { return f.obj.find(name) >= 0 }

// Opt returns the value of a member that may be absent, and whether it is there.
func (f *Fields) Opt(name string) (Value, bool) {
	i := f.obj.find(name)
	if i < 0 || *f.first != nil {
		return nil, false
	}
	f.read[i] = true
	return f.obj.members[i].Value, true
}

// Value returns the value of a member, of whatever type; nil after an error.
func (f *Fields) Value(name string) Value {
	v, ok := f.Opt(name)
	if !ok {
		f.Fail(name, "missing")
	}
	return v
}

// Str returns a string member.
func (f *Fields) Str(name string) string { return f.str(name, f.Value(name)) }

// OptStr returns a string member that may be absent, and whether it is there.
func (f *Fields) OptStr(name string) (string, bool) {
	v, ok := f.Opt(name)
	if !ok {
		return "", false
	}
	return f.str(name, v), true
}

func (f *Fields) str(name string, v Value) string { return f.strAt(f.path+"."+name, v) }

func (f *Fields) strAt(path string, v Value) string {
	s, ok := v.(string)
	if !ok {
		f.failAt(path, "must be a string, not %s", describe(v))
	}
	return s
}

// nonEmpty is Str of a member that must not be "".
func (f *Fields) nonEmpty(name string) string {
	s := f.Str(name)
	if s == "" {
		f.Fail(name, "must not be empty")
	}
	return s
}

// optNonEmpty is nonEmpty of a member that may be absent: then it is "".
func (f *Fields) optNonEmpty(name string) string {
	if !f.Has(name) {
		return ""
	}
	return f.nonEmpty(name)
}

// OneOf returns a string member that must be one of values.
func (f *Fields) OneOf(name string, values ...string) string {
	s := f.Str(name)
	if f.Err() == nil && !slices.Contains(values, s) {
		f.Fail(name, "%s is not one of %s", Quote(s), strings.Join(values, ", "))
		return ""
	}
	return s
}

// Int returns an integer member between low and high, both included.
func (f *Fields) Int(name string, low, high int64) int64 {
	return f.integer(name, f.Value(name), low, high)
}

// OptInt returns an integer member that may be absent, and whether it is there.
func (f *Fields) OptInt(name string, low, high int64) (int64, bool) {
	v, ok := f.Opt(name)
	if !ok {
		return 0, false
	}
	return f.integer(name, v, low, high), true
}

// IntOr returns an integer member, or absent when it isn't there.
func (f *Fields) IntOr(name string, absent, low, high int64) int64 {
	if n, ok := f.OptInt(name, low, high); ok {
		return n
	}
	return absent
}

func (f *Fields) integer(name string, v Value, low, high int64) int64 {
	n, ok := v.(int64)
	if !ok {
		f.Fail(name, "must be an integer, not %s", describe(v))
		return 0
	}
	if n < low || n > high {
		f.Fail(name, "%d is not in %d…%d", n, low, high)
		return 0
	}
	return n
}

// Bool returns a member that is true or false.
func (f *Fields) Bool(name string) bool { return f.boolean(name, f.Value(name)) }

// BoolOr returns a member that is true or false, or absent when it isn't there.
func (f *Fields) BoolOr(name string, absent bool) bool {
	v, ok := f.Opt(name)
	if !ok {
		return absent
	}
	return f.boolean(name, v)
}

func (f *Fields) boolean(name string, v Value) bool {
	b, ok := v.(bool)
	if !ok {
		f.Fail(name, "must be true or false, not %s", describe(v))
	}
	return b
}

// Digest returns a member that is a digest.
func (f *Fields) Digest(name string) Digest { return f.digest(name, f.Str(name)) }

// OptDigest returns a member that is a digest, or "" when it is absent.
func (f *Fields) OptDigest(name string) Digest {
	s, ok := f.OptStr(name)
	if !ok {
		return ""
	}
	return f.digest(name, s)
}

func (f *Fields) digest(name, s string) Digest {
	if d := Digest(s); d.Valid() {
		return d
	}
	f.Fail(name, notDigest, Quote(s))
	return ""
}

// PeerID returns a member that is spelled as the peer ID of an Ed25519 key:
// 12D3KooW and 44 more characters of base58. That it names a key is for whoever
// uses the key to check.
func (f *Fields) PeerID(name string) string {
	s := f.Str(name)
	if !validPeerID(s) {
		f.Fail(name, notPeerID, Quote(s))
		return ""
	}
	return s
}

// notPeerID is the format of a message about something that is no peer ID.
const notPeerID = "%s is not a peer ID"

func validPeerID(s string) bool {
	const prefix, length = "12D3KooW", 52
	return len(s) == length && strings.HasPrefix(s, prefix) && strings.Trim(s, base58) == ""
}

// base58 is the alphabet of peer IDs.
const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// Time returns a member that is a time as ParseTime reads it.
func (f *Fields) Time(name string) time.Time {
	s := f.Str(name)
	t, err := ParseTime(s)
	if err != nil {
		f.Fail(name, "%s", err)
	}
	return t
}

// notDigest is the format of a message about something that is no Digest.
const notDigest = "%s is not sha256: and 64 lower-case hex digits"

// member is the path of a member that a stranger named: path.name, or path["name"]
// where name isn't one that could be ours.
func member(path, name string) string {
	if strings.Trim(name, plainName) == "" && name != "" {
		return path + "." + name
	}
	return path + "[" + Quote(name) + "]"
}

const plainName = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

// texts returns list as plain strings.
func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

// describe shows a value as the object of "not".
func describe(v Value) string {
	switch v := v.(type) {
	case string:
		return Quote(v)
	case int64, bool:
		return fmt.Sprint(v)
	case []Value:
		return "an array"
	case *Object:
		return "an object"
	}
	return "nothing"
}

// noNUL reports whether s is UTF-8 without NUL: what an argument may be.
func noNUL(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
