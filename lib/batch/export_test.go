package batch

import "io"

// ReadLog is readLog for tests.
func ReadLog(r io.Reader, each func(*Entry)) error {
	_, err := readLog(r, each)
	return err
}

// EncodeEntry is Entry.encode for tests.
func EncodeEntry(e *Entry) []byte { return e.encode() }
