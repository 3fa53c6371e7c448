package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// notOursError says what another user than root and this one can change, of what is
// believed: an engine, or the compile cache.
type notOursError struct{ what string }

func (e *notOursError) Error() string { return e.what }

// ours refuses a file or folder that another user than root and this one can change,
// or that lies below a folder in which another user can replace it. path is absolute
// and without links.
func ours(path string) error {
	info, err := os.Lstat(path)
	if err == nil {
		err = oursAlone(path, info, false)
	}
	if err != nil {
		return err
	}
	return oursBelow(filepath.Dir(path))
}

// oursBelow refuses a folder in which another user can replace what root or this user
// has put there.
func oursBelow(dir string) error {
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if err == nil {
			err = oursAlone(at, info, true)
		}
		if err != nil || at == filepath.Dir(at) {
			return err
		}
	}
}

// oursAlone refuses one file or folder that another user than root and this one can
// change. above says that it is a folder above what is looked at: one with the sticky
// bit keeps others from replacing that.
func oursAlone(path string, info fs.FileInfo, above bool) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return &notOursError{path + " belongs to another user"}
	case info.Mode()&0o022 != 0 && (!above || info.Mode()&fs.ModeSticky == 0):
		return &notOursError{path + " can be written by others"}
	}
	return nil
}

// ownFolder makes a folder that only root and this user can change, unless it is
// there, and returns its path without links. It makes nothing in a folder that another
// user can change.
func ownFolder(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	there, err := filepath.EvalSymlinks(dir)
	for at := dir; errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at); {
		at = filepath.Dir(at)
		there, err = filepath.EvalSymlinks(at)
	}
	if err == nil {
		err = oursBelow(there)
	}
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	return dir, ours(dir)
}
