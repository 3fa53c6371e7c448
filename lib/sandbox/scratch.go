package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// scratch is a file without a name, for the machine code that a compiling worker
// makes: that worker gets write, and the one that runs the module read.
type scratch struct{ write, read *os.File }

// newScratch makes one in memory where the system can, else in the folder for
// temporary files.
func newScratch() (*scratch, error) {
	if s, err := memoryScratch(); err == nil {
		return s, nil
	}
	f, err := os.CreateTemp("", "plasm-code-*")
	if err != nil {
		return nil, err
	}
	read, err := os.Open(f.Name())
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &scratch{f, read}, nil
}

func (s *scratch) close() {
	_ = s.write.Close()
	_ = s.read.Close()
}

// full returns what is wrong where a worker has failed with err and has written all
// that it may.
func (s *scratch) full(err error) error {
	if info, failed := s.read.Stat(); failed == nil && info.Size() >= wire.MaxCode {
		return &job.Error{
			Code:    job.CodeCompileLimit,
			Message: fmt.Sprintf("the compiled module takes more than %d bytes", int64(wire.MaxCode)), Err: err,
		}
	}
	return err
}

// finish takes what a compiling worker, now dead, has written. sealed says that nothing
// can change it any more, whatever holds the file open.
func (s *scratch) finish() (code *os.File, sealed bool, err error) {
	sealed = seal(s.write)
	info, err := s.read.Stat()
	if err == nil && (info.Size() == 0 || info.Size() > wire.MaxCode) {
		err = &job.Error{
			Code:    job.CodeInternal,
			Message: fmt.Sprintf("the worker broke the protocol: it has compiled to %d bytes", info.Size()),
		}
	}
	_ = s.write.Close()
	if err != nil {
		_ = s.read.Close()
		return nil, false, err
	}
	return s.read, sealed, nil
}

// noRoom is the error for a system that has no place for machine code.
func noRoom(err error) error {
	e := &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("no room for the compiled module: %v", err), Err: err}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		e.Hint = "name a folder for temporary files with TMPDIR"
	}
	return e
}
