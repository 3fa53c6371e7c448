package identity

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"plasm/lib/job"
)

// DefaultPath returns where a user's key lives: $XDG_DATA_HOME/plasm/key.pem,
// and ~/.local/share for XDG_DATA_HOME when that is unset or not absolute (the
// XDG base directory specification says to ignore it then). getenv is os.Getenv
// or something like it.
func DefaultPath(getenv func(string) string) (string, error) {
	data := getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(data) {
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return "", &job.Error{
				Code:    job.CodeBadKey,
				Message: "no place for the key: neither XDG_DATA_HOME nor HOME is an absolute path",
				Fact:    job.FactNoHome,
			}
		}
		data = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(data, "plasm", "key.pem"), nil
}

// Load reads the private key in the file path. A key that group or others may
// use is refused, except below credentials, the folder that systemd names in
// $CREDENTIALS_DIRECTORY ("" for none). A file that is not there is a
// job.CodeNotFound that wraps fs.ErrNotExist; every other error is a
// job.CodeBadKey.
func Load(path, credentials string) (*Key, error) {
	data, mode, err := readRegular(path)
	if err != nil {
		return nil, keyError(path, err)
	}
	if mode.Perm()&0o077 != 0 && !below(path, credentials) {
		return nil, &job.Error{
			Code:    job.CodeBadKey,
			Message: fmt.Sprintf("key file is open to others (mode %04o): %s", mode.Perm(), path),
			Hint:    "chmod 600 " + shellQuote(path),
		}
	}
	key, err := ParsePEM(data)
	if err != nil {
		return nil, &job.Error{Code: job.CodeBadKey, Message: fmt.Sprintf("key file %v: %s", err, path), Err: err}
	}
	return key, nil
}

// openRegular opens the regular file path to read, and returns its mode. It never
// blocks on a FIFO.
func openRegular(path string) (*os.File, fs.FileMode, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		_ = f.Close() // it was only looked at
		return nil, 0, err
	}
	return f, info.Mode(), nil
}

// readRegular returns what the regular file path holds, and its mode. It never
// reads more than a key file may hold and one byte.
func readRegular(path string) ([]byte, fs.FileMode, error) {
	f, mode, err := openRegular(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	return data, mode, err
}

// keyError says that the key file path could not be read because of err.
func keyError(path string, err error) error {
	e := &job.Error{Code: job.CodeBadKey, Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Code = job.CodeNotFound
		e.Message = "no such key file: " + path
	case errors.Is(err, fs.ErrPermission):
		e.Message = "key file may not be read: " + path
		e.Fact = job.FactKeyFile
	default:
		e.Message = fmt.Sprintf("key file cannot be read: %s: %v", path, cause(err))
	}
	return e
}

// cause returns err without the operation and the path that package os puts in
// front of it.
func cause(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return err
}

// below reports whether path, links resolved, lies in the folder dir.
func below(path, dir string) bool {
	if !filepath.IsAbs(dir) {
		return false
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return false
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return false
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel) && rel != "."
}

// shellQuote quotes s for a command line that a person copies.
func shellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%") == "" &&
		s[0] != '-' {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
