//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"plasm/test/hostile"
)

// measure runs a command and tells what it took. What the
// command leaves behind becomes a child of this process: it is counted.
//
// The peak is that of the largest process among the command and those that it has
// started and waited for (wait4(2)). The kernel counts for a new program what the
// one before it in the same process had, down to the fork: so it is never less
// than this process's own, which is a few MiB.
func measure(cmd *exec.Cmd, report *json.Encoder) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	var status unix.WaitStatus
	var usage unix.Rusage
	for {
		_, err := unix.Wait4(cmd.Process.Pid, &status, 0, &usage)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
	m := hostile.Measurement{Wall: time.Since(begun), Peak: usage.Maxrss << 10, Exit: status.ExitStatus()}
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if errors.Is(err, unix.ECHILD) {
			break
		}
		m.Left++
		if pid == 0 { // alive; the test that reads this fails and names it
			break
		}
	}
	return report.Encode(m)
}
