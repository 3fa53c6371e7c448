package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"plasm/lib/job"
)

// spoolMemory is how much a Spool holds in memory, in bytes.
const spoolMemory = 1 << 20

// Spool holds bytes that come before it is known what becomes of them: in
// memory, and past a mebibyte in a file in the temporary folder that has no name
// there. Its zero value is empty. It is used by one goroutine at a time; its
// errors are *job.Error.
type Spool struct {
	memory bytes.Buffer
	file   *os.File
	limit  int // bytes in memory; 0: a mebibyte
}

// Write appends p. Of a write that fails, what it says that it wrote is there.
func (s *Spool) Write(p []byte) (int, error) {
	if s.file == nil && s.memory.Len()+len(p) > cmp.Or(s.limit, spoolMemory) {
		if err := s.spill(); err != nil {
			return 0, spoolError(err)
		}
	}
	if s.file == nil {
		return s.memory.Write(p)
	}
	n, err := s.file.Write(p)
	if err != nil {
		return n, spoolError(err)
	}
	return n, nil
}

// spill moves what memory holds to a file. When it cannot, memory keeps it.
func (s *Spool) spill() error {
	f, err := os.CreateTemp("", "plasm-")
	if err != nil {
		return err
	}
	err = os.Remove(f.Name())
	if err == nil {
		_, err = f.Write(s.memory.Bytes())
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	s.file, s.memory = f, bytes.Buffer{}
	return nil
}

// Reader returns a reader of all that was written, from its beginning. Nothing
// may be written while it is in use.
func (s *Spool) Reader() (io.Reader, error) {
	if s.file == nil {
		return bytes.NewReader(s.memory.Bytes()), nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, spoolError(err)
	}
	return s.file, nil
}

// Close lets go of the bytes.
func (s *Spool) Close() error {
	s.memory = bytes.Buffer{}
	if s.file == nil {
		return nil
	}
	if err := s.file.Close(); err != nil {
		return spoolError(err)
	}
	return nil
}

// spoolError says what is wrong with the file behind a spool.
func spoolError(err error) error {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e
	}
	return &job.Error{
		Code:    job.CodeIO,
		Message: fmt.Sprintf("temporary file in %s: %v", os.TempDir(), cause(err)),
		Hint:    "set TMPDIR to a folder with room",
		Err:     err,
	}
}
