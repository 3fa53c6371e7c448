package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"syscall"

	"plasm/lib/cli"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// openFile opens a file to read, or stdin for "-".
func openFile(in *cli.Invocation, file string) (io.ReadCloser, error) {
	if file == "-" {
		return io.NopCloser(in.Stdin), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fileError(file, err)
	}
	return f, nil
}

// isTerminal reports whether f is a terminal, or another device that a person
// did not mean as a file; the null device is an empty one.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&fs.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err == nil && !os.SameFile(null, info)
}

// digestFile reads a file of any size, writes it to w and returns its digest.
func digestFile(in *cli.Invocation, file string, w io.Writer) (receipt.Content, error) {
	f, err := openFile(in, file)
	if err != nil {
		return receipt.Content{}, err
	}
	defer func() { _ = f.Close() }()
	d := newDigester(w)
	if _, err := io.Copy(d, f); err != nil {
		return receipt.Content{}, fileError(file, err)
	}
	return d.content(), nil
}

// digester digests what is written to it on its way to another writer.
type digester struct {
	hash hash.Hash
	to   io.Writer
	n    int64
}

func newDigester(to io.Writer) *digester { return &digester{hash: sha256.New(), to: to} }

func (d *digester) Write(p []byte) (int, error) {
	if _, err := d.to.Write(p); err != nil {
		return 0, err
	}
	d.n += int64(len(p))
	return d.hash.Write(p)
}

func (d *digester) content() receipt.Content {
	return receipt.Content{Digest: job.DigestOf(d.hash.Sum(nil)), Bytes: d.n}
}

// fileError says that a file could not be read or written, without the words
// that package os puts in front of the cause.
func fileError(file string, err error) error {
	if e, ok := errors.AsType[*job.Error](err); ok {
		if e.Err == nil {
			return e
		}
		err = e.Err
	}
	code, cause := job.CodeIO, err
	if errors.Is(err, fs.ErrNotExist) {
		code = job.CodeNotFound
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		cause = errno
	}
	return &job.Error{Code: code, Message: fmt.Sprintf("%s: %v", shown(file), cause), Err: err}
}

// shown is what messages call a file.
func shown(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}
