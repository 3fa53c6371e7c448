//go:build unix

package worker

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// maxFiles is how many descriptors a worker may have: a guest's folders and
// files, and the runtime's own.
const maxFiles = 256

// maxStack is what the stack of the process's first thread may take, in bytes. Go
// runs on it for a moment only; but a stack does not count as data.
const maxStack = 8 << 20

// lower sets a resource limit for good: to value, or to less where the process was
// started with less.
func lower(name string, resource int, value uint64) error {
	var old unix.Rlimit
	if err := unix.Getrlimit(resource, &old); err != nil {
		return fmt.Errorf("rlimit %s: %w", name, err)
	}
	value = min(value, old.Max)
	if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: value, Max: value}); err != nil {
		return fmt.Errorf("rlimit %s: %w", name, err)
	}
	return nil
}

// limitProcess sets the resource limits that no job changes.
func limitProcess() error {
	return errors.Join(
		lower("core", unix.RLIMIT_CORE, 0),
		lower("nofile", unix.RLIMIT_NOFILE, maxFiles),
		lower("stack", unix.RLIMIT_STACK, maxStack),
	)
}

// limitsHold tries a descriptor beyond the last one.
func limitsHold() bool {
	fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, maxFiles)
	if err == nil {
		_ = unix.Close(fd)
	}
	var core unix.Rlimit
	return errors.Is(err, unix.EINVAL) && unix.Getrlimit(unix.RLIMIT_CORE, &core) == nil && core.Max == 0
}
