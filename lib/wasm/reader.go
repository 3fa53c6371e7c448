package wasm

import (
	"fmt"
	"unicode/utf8"
)

// Error says what cannot be read, and where.
type Error struct {
	At   int // the offset of a byte in Reader.Data
	Text string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s at byte %d", e.Text, e.At) }

// Reader reads Data from Pos up to End. The first error stays: from then on everything
// that is read is 0, and no byte is left. It allocates nothing, whatever the bytes claim.
// Of a reader that is used, only Pos may be set, to a place from which it has read.
type Reader struct {
	Data []byte
	Pos  int
	End  int

	err *Error
}

// NewReader returns a reader of all of data.
func NewReader(data []byte) *Reader { return &Reader{Data: data, End: len(data)} }

// Err returns what could not be read first, or nil.
func (r *Reader) Err() *Error { return r.err }

// OK reports whether everything could be read so far.
func (r *Reader) OK() bool { return r.err == nil }

// Fail notes an error at an offset, unless there is one.
func (r *Reader) Fail(at int, format string, args ...any) {
	if r.err == nil {
		r.err = &Error{at, fmt.Sprintf(format, args...)}
	}
	r.Pos = r.End
}

// Left returns how many bytes are left.
func (r *Reader) Left() int { return r.End - r.Pos }

// Byte reads a byte.
func (r *Reader) Byte() byte {
	if r.Pos >= r.End {
		r.Fail(r.Pos, "it ends too early")
		return 0
	}
	b := r.Data[r.Pos]
	r.Pos++
	return b
}

// Skip passes over n bytes.
func (r *Reader) Skip(n int) {
	if n > r.Left() {
		r.Fail(r.Pos, "%d bytes are missing", n-r.Left())
		return
	}
	r.Pos += n
}

// Bytes reads n bytes, which are a part of Data, or nil.
func (r *Reader) Bytes(n int) []byte {
	from := r.Pos
	r.Skip(n)
	if r.err != nil {
		return nil
	}
	return r.Data[from:r.Pos]
}

// U32 reads an unsigned LEB128 number of at most 32 bits (section 5.2.2).
func (r *Reader) U32() uint32 {
	if r.Pos < r.End && r.Data[r.Pos] < 0x80 {
		r.Pos++
		return uint32(r.Data[r.Pos-1])
	}
	return uint32(r.unsigned(32))
}

// unsigned reads an unsigned LEB128 number of at most that many bits.
func (r *Reader) unsigned(bits uint) uint64 {
	at := r.Pos
	var n uint64
	for shift := uint(0); shift < bits; shift += 7 {
		b := r.Byte()
		if left := bits - shift; left < 7 && b>>left != 0 {
			break
		}
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	r.Fail(at, "a number is longer than %d bits", bits)
	return 0
}

// Signed reads a signed LEB128 number of at most that many bits, 7 to 64.
func (r *Reader) Signed(bits uint) int64 {
	at := r.Pos
	var n int64
	for shift := uint(0); shift < bits; shift += 7 {
		b := r.Byte()
		if left := bits - shift; left < 7 {
			// What lies above the sign bit must repeat it, and nothing may follow.
			if top := int8(b<<1) >> left; b >= 0x80 || (top != 0 && top != -1) {
				break
			}
		}
		n |= int64(b&0x7f) << shift
		if b < 0x80 {
			unused := max(64-int(shift)-7, 0)
			return n << unused >> unused
		}
	}
	r.Fail(at, "a number is longer than %d bits", bits)
	return 0
}

// Count reads the number of items that follow, which what names. Each has at least one
// byte, so a number larger than what is left is an error before anything is made of it.
func (r *Reader) Count(what string) int {
	at := r.Pos
	n := r.U32()
	if uint64(n) > uint64(r.Left()) {
		r.Fail(at, "%d %s where %d bytes are left", n, what, r.Left())
		return 0
	}
	return int(n)
}

// Name reads a name, which is UTF-8. The bytes are a part of Data.
func (r *Reader) Name() []byte {
	n := r.Count("bytes of a name")
	from := r.Pos
	name := r.Bytes(n)
	if !utf8.Valid(name) {
		r.Fail(from, "a name is not UTF-8")
	}
	return name
}

// ValueType reads the type of a value.
func (r *Reader) ValueType() byte {
	at := r.Pos
	t := r.Byte()
	if !IsValueType(t) {
		r.Fail(at, "unknown value type 0x%02x", t)
	}
	return t
}

// ValueTypes reads a list of types of values, which what names: a byte each, and a part of
// Data.
func (r *Reader) ValueTypes(what string) []byte {
	n := r.Count(what)
	from := r.Pos
	for range n {
		r.ValueType()
	}
	if r.err != nil {
		return nil
	}
	return r.Data[from:r.Pos]
}

// RefType reads the type of a reference.
func (r *Reader) RefType() byte {
	at := r.Pos
	t := r.Byte()
	if t != FuncRef && t != ExternRef {
		r.Fail(at, "unknown reference type 0x%02x", t)
	}
	return t
}

// Limits is the size of a memory, in pages, or of a table, in elements.
type Limits struct {
	Min, Max uint32
	Bounded  bool // has it a Max?
}

// Limits reads the limits of what kind names. Flags beyond that of a maximum are of
// proposals that are not taken (shared and 64-bit memories).
func (r *Reader) Limits(kind string) Limits {
	at := r.Pos
	flags := r.Byte()
	if flags > 1 {
		r.Fail(at, "unknown limits 0x%02x of a %s", flags, kind)
	}
	l := Limits{Min: r.U32(), Bounded: flags == 1}
	if l.Bounded {
		l.Max = r.U32()
	}
	return l
}

// GlobalType reads the type of a global, and whether it can change.
func (r *Reader) GlobalType() (typ byte, mutable bool) {
	typ = r.ValueType()
	at := r.Pos
	m := r.Byte()
	if m > 1 {
		r.Fail(at, "unknown mutability %d", m)
	}
	return typ, m == 1
}

// Section is one section of a module.
type Section struct {
	ID    byte
	At    int // where it begins, with its ID
	Start int // where its content does
	End   int // of both
}

// Section reads the head of a section and passes over its content. Its ID is not looked at.
func (r *Reader) Section() Section {
	s := Section{At: r.Pos}
	s.ID = r.Byte()
	size := r.Count("bytes of a section")
	s.Start = r.Pos
	r.Skip(size)
	s.End = r.Pos
	return s
}

// Sections returns the sections of a module that begins with Header.
func Sections(module []byte) ([]Section, *Error) {
	r := Reader{Data: module, Pos: min(HeaderSize, len(module)), End: len(module)}
	var all []Section
	for r.Left() > 0 {
		s := r.Section()
		if r.err != nil {
			return nil, &Error{s.At, "a section does not end"}
		}
		all = append(all, s)
	}
	return all, nil
}
