//go:build unix

package worker

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"plasm/lib/sandbox/wire"
)

// Bounds of every worker that no job changes.
const (
	maxFiles = 256 // descriptors: a guest's folders and files, and the runtime's own
)

// confineProcess sets what no job changes and returns the guards that were
// proved: only what was tried, and failed as it should, counts.
func confineProcess() ([]string, error) {
	guards := []string{"process"} // that this runs in a process of its own needs no trial
	if err := limitProcess(); err != nil {
		return nil, err
	}
	if limitsHold() {
		guards = append(guards, "rlimits")
	}
	if diesWithParent() {
		guards = append(guards, "pdeathsig")
	}
	return guards, nil
}

// confineJob sets what depends on the job.
func confineJob(*wire.Assignment) ([]string, error) { return nil, nil }

func limitProcess() error {
	limits := []struct {
		name     string
		resource int
		value    uint64
	}{
		{"core", unix.RLIMIT_CORE, 0},
		{"nofile", unix.RLIMIT_NOFILE, maxFiles},
	}
	for _, l := range limits {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return fmt.Errorf("rlimit %s: %w", l.name, err)
		}
	}
	return nil
}

// limitsHold tries what the limits forbid: a descriptor beyond the last, and
// raising a limit again.
func limitsHold() bool {
	fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, maxFiles)
	if err == nil {
		_ = unix.Close(fd)
		return false
	}
	var now unix.Rlimit
	return errors.Is(err, unix.EINVAL) && unix.Getrlimit(unix.RLIMIT_CORE, &now) == nil && now.Max == 0
}
