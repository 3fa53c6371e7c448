package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"plasm/lib/job"
)

// File is an output file that appears whole, under its name, or not at all. What
// is there already and is not a regular file, such as a device or a named pipe,
// is written to as it is.
type File struct {
	*os.File
	name string
	temp string // "" where the file itself is written
}

// CreateFile opens the output file name.
func CreateFile(name string) (*File, error) {
	target, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) {
		target, err = name, nil
	}
	if err != nil {
		return nil, fileError(name, err)
	}
	mode := fs.FileMode(0o666)
	info, err := os.Stat(target)
	switch {
	case err == nil && info.IsDir():
		return nil, fileError(name, errIsDirectory)
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return nil, writeError(name, err)
		}
		return &File{File: f, name: name}, nil
	case err == nil:
		mode = info.Mode().Perm()
	}
	temp := filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+"."+job.NewID())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, writeError(name, err)
	}
	return &File{File: f, name: target, temp: temp}, nil
}

// Commit makes the file appear under its name.
func (f *File) Commit() error {
	if f.temp == "" {
		if err := f.Close(); err != nil {
			return writeError(f.name, err)
		}
		return nil
	}
	err := errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.temp, f.name)
	}
	if err != nil {
		_ = os.Remove(f.temp)
		return writeError(f.name, err)
	}
	return nil
}

// Discard leaves nothing behind.
func (f *File) Discard() {
	_ = f.Close()
	if f.temp != "" {
		_ = os.Remove(f.temp)
	}
}

// WriteFile writes a whole file.
func WriteFile(name string, data []byte) error {
	f, err := CreateFile(name)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		f.Discard()
		return writeError(name, err)
	}
	return f.Commit()
}

func writeError(name string, err error) error {
	cause := err
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		cause = pathErr.Err
	}
	return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("writing %s: %v", name, cause), Err: err}
}

// Stream is one of the command's own output streams, as a guest's output goes
// to it.
//
// A pipe is opened anew where the system can do that: a reader who has stopped
// reading then holds up a write only until the deadline that ends it, and the
// flags of the descriptor that others share stay as they are.
func Stream(w io.Writer) io.Writer {
	f, ok := w.(*os.File)
	if !ok {
		return w
	}
	if info, err := f.Stat(); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return w
	}
	again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return w
	}
	return again
}
