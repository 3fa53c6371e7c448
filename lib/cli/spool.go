package cli

import (
	"bytes"
	"io"
	"os"
)

// spoolMemory is how much a Spool holds in memory, in bytes.
const spoolMemory = 1 << 20

// Spool holds bytes that come before it is known what becomes of them: in
// memory, and past a mebibyte in a file in the temporary folder that has no name
// there. It is used by one goroutine at a time.
type Spool struct {
	memory bytes.Buffer
	file   *os.File
}

// Write appends p.
func (s *Spool) Write(p []byte) (int, error) {
	if s.file == nil && s.memory.Len()+len(p) > spoolMemory {
		if err := s.spill(); err != nil {
			return 0, err
		}
	}
	if s.file != nil {
		return s.file.Write(p)
	}
	return s.memory.Write(p)
}

func (s *Spool) spill() error {
	f, err := os.CreateTemp("", "plasm-")
	if err != nil {
		return err
	}
	s.file = f
	if err := os.Remove(f.Name()); err != nil {
		return err
	}
	_, err = f.Write(s.memory.Bytes())
	s.memory = bytes.Buffer{}
	return err
}

// Reader returns a reader of all that was written, from its beginning. Nothing
// may be written while it is in use.
func (s *Spool) Reader() (io.Reader, error) {
	if s.file == nil {
		return bytes.NewReader(s.memory.Bytes()), nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return s.file, nil
}

// Close lets go of the bytes.
func (s *Spool) Close() error {
	s.memory = bytes.Buffer{}
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
