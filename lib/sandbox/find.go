package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"plasm/lib/job"
)

// enginePrefix is what the name of an engine's executable begins with.
const enginePrefix = "plasm-engine-"

// FindEngine returns the executable of the named engine in the first of dirs that
// has one, as a path without links. It is started only when nobody but root and
// this user can have put it there. An error is a *job.Error, of
// job.CodeNotFound when there is none.
func FindEngine(name string, dirs ...string) (string, error) {
	file := enginePrefix + name
	for _, dir := range dirs {
		path, err := filepath.EvalSymlinks(filepath.Join(dir, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err == nil {
			err = ours(path)
		}
		if err != nil {
			return "", &job.Error{
				Code: job.CodeUnsupported, Message: fmt.Sprintf("engine: %s: %v", filepath.Join(dir, file), err),
				Hint: "an engine must belong to root or to you, and nobody else may write to it or to the folders above it", Err: err,
			}
		}
		return path, nil
	}
	return "", &job.Error{
		Code: job.CodeNotFound, Message: fmt.Sprintf("engine: %q is not here: no %s beside plasm-run or in --engines DIR", name, file),
		Hint: "install " + file + ", or take the built-in engine with --engine wazero",
	}
}

// ours tells what is wrong with an executable, or a folder above it, that somebody
// else than root and this user can change. path is absolute and without links.
func ours(path string) error {
	for at, file := path, true; ; at, file = filepath.Dir(at), false {
		info, err := os.Lstat(at)
		if err != nil {
			return err
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		switch {
		case file && (!info.Mode().IsRegular() || info.Mode()&0o111 == 0):
			return errors.New("not an executable file")
		case !ok || stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
			return fmt.Errorf("%s belongs to somebody else", at)
		case info.Mode()&0o022 != 0 && (file || info.Mode()&fs.ModeSticky == 0):
			return fmt.Errorf("%s can be written by others", at)
		case at == filepath.Dir(at):
			return nil
		}
	}
}
