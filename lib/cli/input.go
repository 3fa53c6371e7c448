package cli

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"

	"plasm/lib/job"
)

// Input is a guest's standard input.
type Input struct {
	Reader io.Reader  // nil: empty
	Hash   job.Digest // of all of it: what it has, or what the manifest says it must have; "" where neither is known
	unseen bool       // nobody has looked yet: it may have another digest, or be endless
	close  func() error
}

// Close lets go of it.
func (in *Input) Close() {
	if in.close != nil {
		_ = in.close() // it was only read
	}
}

func emptyInput() *Input { return &Input{Hash: job.EmptyDigest} }

// inMemory is how much input is read at once into memory, so that what is hashed
// is what is fed and needs no second look.
const inMemory = 1 << 20

// openInput opens what the flags name as the guest's input: stdin, which is nil
// when something else has taken it, unless they name another.
func (j *JobFlags) openInput(stdin io.Reader) (*Input, error) {
	switch {
	case j.NoStdin:
		return emptyInput(), nil
	case j.Stdin != "" && j.Stdin != "-":
		f, err := openFile(j.Stdin)
		if err != nil {
			return nil, j.flags.About("stdin", err)
		}
		in, err := fileInput(f, j.Stdin, inMemory)
		if err != nil {
			_ = f.Close() // it was only read
			return nil, j.flags.About("stdin", err)
		}
		in.close = f.Close
		return in, nil
	case stdin == nil:
		return emptyInput(), nil
	}
	if f, ok := stdin.(*os.File); ok {
		return fileInput(f, standardInput, inMemory)
	}
	return &Input{Reader: stdin}, nil
}

// fileInput is the input from an open file. A regular file is known before the
// job starts, from where it stands to its end as it is now; a pipe, a terminal
// or a device is not, but for the null device, which is empty. Up to memory bytes are
// read at once, and then the file is needed no more.
func fileInput(f *os.File, name string, memory int) (*Input, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fileError(name, err)
	case info.IsDir():
		return nil, fileError(name, errIsDirectory)
	case !info.Mode().IsRegular():
		if null, err := os.Stat(os.DevNull); err == nil && os.SameFile(null, info) {
			return emptyInput(), nil
		}
		return &Input{Reader: f}, nil
	}
	begin, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, fileError(name, err)
	}
	head, err := io.ReadAll(io.LimitReader(f, int64(memory)+1))
	if err != nil {
		return nil, fileError(name, err)
	}
	if len(head) <= memory {
		return &Input{Reader: bytes.NewReader(head), Hash: job.Sum(head)}, nil
	}
	h := sha256.New()
	h.Write(head)
	rest, err := io.Copy(h, f)
	if err != nil {
		return nil, fileError(name, err)
	}
	size := int64(len(head)) + rest
	return &Input{Reader: io.NewSectionReader(f, begin, size), Hash: job.DigestOf(h.Sum(nil))}, nil
}

// spooledInput is the input that was spooled.
func spooledInput(s *Spool) (*Input, error) {
	r, err := s.Reader()
	h := sha256.New()
	if err == nil {
		_, err = io.Copy(h, r)
	}
	if err == nil {
		r, err = s.Reader()
	}
	if err != nil {
		return nil, errors.Join(spoolError(err), s.Close())
	}
	return &Input{Reader: r, Hash: job.DigestOf(h.Sum(nil)), close: s.Close}, nil
}
