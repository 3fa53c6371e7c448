package tree

import (
	"bytes"
	"fmt"
	"strconv"

	"plasm/lib/job"
)

const (
	head = `{"version":"1","entries":[`
	tail = `]}`
)

// maxEntry is how many bytes an entry of a document can have: a path and a target of
// which each byte is escaped as \u00xx, and what stands around them.
const maxEntry = 2*6*MaxPath + 256

// Encode writes t's document. It is meant for a tree that Validate accepts.
func (t *Tree) Encode() []byte {
	size := len(head) + len(tail)
	for i := range t.Entries {
		size += entryLen(&t.Entries[i]) + 1
	}
	b := make([]byte, 0, size)
	t.write(func(piece []byte) { b = append(b, piece...) })
	return b
}

// write hands the document on, piece by piece. A piece is only valid during the call.
func (t *Tree) write(emit func(piece []byte)) {
	emit([]byte(head))
	var b []byte
	for i := range t.Entries {
		b = b[:0]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEntry(b, &t.Entries[i])
		emit(b)
	}
	emit([]byte(tail))
}

// Decode reads the document of a tree. A document that isn't canonical is refused, so that
// Encode returns data again. An error is a *job.Error with job.CodeBadManifest.
func Decode(data []byte) (*Tree, error) {
	t, err := decode(data)
	if err != nil {
		return nil, &job.Error{Code: job.CodeBadManifest, Message: err.Error(), Err: err}
	}
	return t, nil
}

func decode(data []byte) (*Tree, error) {
	if len(data) > MaxDocument {
		return nil, &job.FieldError{
			Path: "tree", Problem: fmt.Sprintf("%d bytes, more than the %d allowed", len(data), MaxDocument),
		}
	}
	t := &Tree{}
	c := newChecker()
	err := job.Elements(data, "tree", Version, "entries", maxEntry, func(f *job.Fields) error {
		e := entryFrom(f)
		if err := f.Close(); err != nil {
			return err
		}
		t.Entries = append(t.Entries, e)
		return c.add(&e)
	})
	if err != nil {
		return nil, err
	}
	rest, same := data, true
	t.write(func(piece []byte) {
		var ok bool
		rest, ok = bytes.CutPrefix(rest, piece)
		same = same && ok
	})
	if !same || len(rest) > 0 {
		return nil, &job.FieldError{Path: "tree", Problem: "not in its canonical encoding"}
	}
	return t, nil
}

// entryFrom reads an entry. A member that isn't its type's is left unread, and so an error.
func entryFrom(f *job.Fields) Entry {
	e := Entry{Path: f.Str("path"), Type: Type(f.OneOf("type", string(Dir), string(File), string(Link)))}
	switch e.Type {
	case Dir:
	case File:
		e.Size = f.Int("size", 0, job.MaxSafeInt)
		e.Digest = f.Digest("digest")
		e.Executable = f.BoolOr("executable", false) // false isn't written: then it isn't canonical
	case Link:
		e.Target = f.Str("target")
	}
	return e
}

func appendEntry(b []byte, e *Entry) []byte {
	b = append(b, `{"path":`...)
	b = appendText(b, e.Path)
	b = append(b, `,"type":"`...)
	b = append(b, e.Type...)
	b = append(b, '"')
	switch e.Type {
	case Dir:
	case File:
		b = append(b, `,"size":`...)
		b = strconv.AppendInt(b, e.Size, 10)
		b = append(b, `,"digest":"`...)
		b = append(b, e.Digest...)
		b = append(b, '"')
		if e.Executable {
			b = append(b, `,"executable":true`...)
		}
	case Link:
		b = append(b, `,"target":`...)
		b = appendText(b, e.Target)
	}
	return append(b, '}')
}

// EmptyDocument is how many bytes a document has beside the EntryLen of each entry, when it
// has an entry.
const EmptyDocument = int64(len(head) + len(tail) - len(","))

// EntryLen returns how many bytes an entry takes in a document, with a comma. A File has
// a digest.
func EntryLen(e *Entry) int64 { return int64(entryLen(e)) + 1 }

// entryLen returns how many bytes appendEntry appends.
func entryLen(e *Entry) int {
	n := len(`{"path":"","type":""}`) + TextLen(e.Path) + len(e.Type)
	switch e.Type {
	case Dir:
	case File:
		n += len(`,"size":,"digest":""`) + digits(e.Size) + len(e.Digest)
		if e.Executable {
			n += len(`,"executable":true`)
		}
	case Link:
		n += len(`,"target":""`) + TextLen(e.Target)
	}
	return n
}

// SizeLen returns how many bytes a size takes in a document.
func SizeLen(size int64) int64 { return int64(digits(size)) }

func digits(n int64) int {
	var b [20]byte
	return len(strconv.AppendInt(b[:0], n, 10))
}

const hexDigits = "0123456789abcdef"

// appendText appends a string as documents have it.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		if short := shortEscape(c); short != 0 {
			b = append(b, '\\', short)
		} else {
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

// shortEscape returns what follows the backslash in the two-byte escape of c, or 0.
func shortEscape(c byte) byte {
	switch c {
	case '"', '\\':
		return c
	case '\b':
		return 'b'
	case '\t':
		return 't'
	case '\n':
		return 'n'
	case '\f':
		return 'f'
	case '\r':
		return 'r'
	}
	return 0
}

// TextLen returns how many bytes s has between the quotes of a document.
func TextLen(s string) int {
	n := len(s)
	for i := range len(s) {
		c := s[i]
		switch {
		case shortEscape(c) != 0:
			n++
		case c < 0x20:
			n += len(`\u00xx`) - 1
		}
	}
	return n
}
