package bin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// BuiltDir names the variable that spares the packages' tests to build the same programs
// one after the other: a folder, empty at the start of a run, into which the first that
// needs a program builds it, and from which the others copy.
const BuiltDir = "PLASM_BUILT"

// shared puts programs into dir, which build does: there, or where they are shared.
func shared(dir string, names []string, build func(dir string, names []string) error) error {
	built := os.Getenv(BuiltDir)
	if built == "" {
		return build(dir, names)
	}
	if os.Getenv(CoverDir) != "" { // others than those of a test that wants them plain
		built = filepath.Join(built, "cover")
	}
	if err := errors.Join(os.MkdirAll(built, 0o750), os.MkdirAll(dir, 0o750)); err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(built, "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, err := os.Stat(filepath.Join(built, name))
		return err == nil
	})
	if len(missing) > 0 {
		if err := build(built, missing); err != nil {
			return err
		}
	}
	for _, name := range names {
		program, err := os.ReadFile(filepath.Join(built, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), program, 0o755); err != nil { //nolint:gosec // a program
			return err
		}
	}
	return nil
}

// lock waits until no other process has the file's lock.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", BuiltDir, err)
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s: %w", BuiltDir, err)
	}
	return func() { _ = file.Close() }, nil
}
