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

// limit sets a resource limit for good.
func limit(name string, resource int, value uint64) error {
	if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: value, Max: value}); err != nil {
		return fmt.Errorf("rlimit %s: %w", name, err)
	}
	return nil
}

// limitProcess sets the resource limits that no job changes.
func limitProcess() error {
	return errors.Join(
		limit("core", unix.RLIMIT_CORE, 0),
		limit("nofile", unix.RLIMIT_NOFILE, maxFiles),
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
