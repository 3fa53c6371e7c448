package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"plasm/lib/job"
)

// File is an output file that appears whole, under its name, or not at all. What
// is there already and is not a regular file, such as a device or a named pipe,
// is written to as it is. Its errors are *job.Error. It is used by one goroutine
// at a time, but for SetWriteDeadline.
type File struct {
	file   *os.File
	name   string // as it was given, for messages
	target string // where name leads
	temp   string // "" where the target itself is written
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
	case errors.Is(err, fs.ErrNotExist):
		return createBeside(name, target)
	case err != nil:
		return nil, writeError(name, err)
	case info.IsDir():
		return nil, writeError(name, errIsDirectory)
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
	created, err := createBeside(name, target)
	if err != nil {
		return nil, err
	}
	if err := created.file.Chmod(info.Mode().Perm()); err != nil {
		created.Discard()
		return nil, writeError(name, err)
	}
	return created, nil
}

// createBeside makes the temporary file that is to become target.
func createBeside(name, target string) (*File, error) {
	temp := filepath.Join(filepath.Dir(target), ".plasm-"+job.NewID())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // who may read a user's output is for their umask to say
	if err != nil {
		return nil, writeError(name, err)
	}
	return &File{file: f, name: name, target: target, temp: temp}, nil
}

// maxLinks is how many symbolic links are followed, as the kernel has it.
const maxLinks = 40

// follow returns the absolute name that name leads to, through symbolic links
// even where the last of them leads to nothing yet.
func follow(name string) (string, error) {
	target, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	for range maxLinks {
		if resolved, err := filepath.EvalSymlinks(target); err == nil {
			return resolved, nil
		}
		next, err := os.Readlink(target)
		if err != nil { // no link: a file that is not there yet, in a folder that may be
			if dir, err := filepath.EvalSymlinks(filepath.Dir(target)); err == nil {
				return filepath.Join(dir, filepath.Base(target)), nil
			}
			return target, nil
		}
		if _, err := os.Stat(target); err == nil {
			return target, nil // a link that only the kernel can follow, such as /dev/stdout
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(filepath.Dir(target), next)
		}
		target = next
	}
	return "", syscall.ELOOP
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
// its end does not: whoever wrote to it has the error already.
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
	if err == nil {
		err = os.Rename(f.temp, f.target)
	}
	if err != nil {
		_ = os.Remove(f.temp) // the other error is the one to tell
		return writeError(f.name, err)
	}
	return nil
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

// stream is one of the command's own output streams, as a guest's output goes
// to it.
type stream struct {
	w    io.Writer
	name string // for messages
}

// newStream returns the stream to w.
//
// A pipe is opened anew where the system can do that: a reader who has stopped
// reading then holds up a write only until the deadline that ends it, and the
// flags of the descriptor that others share stay as they are.
func newStream(w io.Writer, name string) stream {
	s := stream{w: w, name: name}
	f, ok := w.(*os.File)
	if !ok {
		return s
	}
	if info, err := f.Stat(); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return s
	}
	again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err == nil {
		s.w = again
	}
	return s
}

// Write writes p.
func (s stream) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		return n, writeError(s.name, err)
	}
	return n, nil
}

// SetWriteDeadline ends a Write that a reader holds up, where that can be done.
func (s stream) SetWriteDeadline(t time.Time) error {
	if d, ok := s.w.(interface{ SetWriteDeadline(t time.Time) error }); ok {
		return d.SetWriteDeadline(t)
	}
	return nil
}
