package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"plasm/lib/job"
)

// File is an output file that appears whole, under its name, or not at all. What
// is there already and is not a regular file, such as a device or a named pipe,
// is written to as it is, and so is a descriptor (/dev/fd/3). Where a file is there
// that cannot be replaced, as it is a mount point or in a folder of others, it is
// written to when all of its new content is known. Its errors are *job.Error. It is
// used by one goroutine at a time, but for SetWriteDeadline.
type File struct {
	file   *os.File
	name   string // as it was given, for messages
	target string // where name leads
	temp   string // "" where the target itself is written
	old    bool   // the target was there, and can be written to
	failed bool
}

// CreateFile opens the output file name. When name is a symbolic link, what it
// leads to is written. Commit or Discard must follow. Cancelling ctx ends the
// wait for the reader of a named pipe.
func CreateFile(ctx context.Context, name string) (*File, error) {
	target, err := follow(name)
	if err != nil {
		return nil, writeError(name, err)
	}
	info, err := os.Stat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(target, "/"):
		return nil, writeError(name, errIsDirectory)
	case errors.Is(err, fs.ErrNotExist):
		return createBeside(name, target)
	case err != nil:
		return nil, writeError(name, err)
	case info.IsDir():
		return nil, writeError(name, errIsDirectory)
	}
	if info.Mode().IsRegular() && isDescriptor(target) {
		return openDescriptor(name, target)
	}
	var f *os.File
	err = Interruptible(ctx, func() (err error) {
		if f, err = os.OpenFile(target, os.O_WRONLY, 0); err != nil {
			return writeError(name, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return &File{file: f, name: name, target: target}, nil
	}
	_ = f.Close() // that it may be written was the question
	return createOver(name, target, info.Mode().Perm())
}

// createBeside makes the temporary file that is to become target.
func createBeside(name, target string) (*File, error) {
	// who may read a user's output is for their umask to say
	return createTemp(name, target, filepath.Dir(target), 0o666)
}

// createTemp makes the temporary file for target in dir.
func createTemp(name, target, dir string, mode fs.FileMode) (*File, error) {
	temp := filepath.Join(dir, ".plasm-"+job.NewID())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, writeError(name, err)
	}
	return &File{file: f, name: name, target: target, temp: temp}, nil
}

// createOver makes the temporary file that is to replace target, a regular file of the
// given mode that can be written to: beside it, or where its folder does not allow that,
// in the folder for temporary files.
func createOver(name, target string, mode fs.FileMode) (*File, error) {
	f, err := createBeside(name, target)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		mode = 0o600 // it will not be that file
		f, err = createTemp(name, target, os.TempDir(), mode)
	}
	if err != nil {
		return nil, err
	}
	f.old = true
	if err := f.file.Chmod(mode); err != nil {
		f.Discard()
		return nil, writeError(name, err)
	}
	return f, nil
}

// Write writes p.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	if err != nil {
		f.failed = true
		return n, writeError(f.name, err)
	}
	return n, nil
}

// SetWriteDeadline ends a Write that somebody else holds up, as os.File has it.
func (f *File) SetWriteDeadline(t time.Time) error { return f.file.SetWriteDeadline(t) }

// Commit makes the file appear under its name. One that could not be written to
// its end does not: whoever wrote to it has the error already. What was written is not
// lost where the file cannot appear: the hint of the error names it.
func (f *File) Commit() error {
	if f.temp == "" {
		if err := f.file.Close(); err != nil {
			return writeError(f.name, err)
		}
		return nil
	}
	if f.failed {
		f.Discard()
		return nil
	}
	err := errors.Join(f.file.Sync(), f.file.Close())
	if err != nil {
		_ = os.Remove(f.temp) // the other error is the one to tell
		return writeError(f.name, err)
	}
	if err = os.Rename(f.temp, f.target); err == nil {
		return nil
	}
	if f.old {
		if err = f.overwrite(); err == nil {
			_ = os.Remove(f.temp) // no more than litter
			return nil
		}
	}
	e := AsError(writeError(f.name, err))
	e.Hint = "what was to be there is in " + f.temp
	return e
}

// overwrite writes the content into the file that is there, which could not be
// replaced.
func (f *File) overwrite() error {
	from, err := os.Open(f.temp)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // it was only read
	to, err := os.OpenFile(f.target, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Sync(), to.Close())
}

// Discard leaves nothing behind.
func (f *File) Discard() {
	_ = f.file.Close()
	if f.temp != "" {
		_ = os.Remove(f.temp)
	}
}

// WriteFile writes a whole file. An error is a *job.Error.
func WriteFile(name string, data []byte) error {
	f, err := CreateFile(context.Background(), name)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		f.Discard()
		return err
	}
	return f.Commit()
}

// writeError says that the file or stream name could not be written.
func writeError(name string, err error) error {
	return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("writing %s: %v", name, cause(err)), Err: err}
}
