package worker

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"plasm/lib/sandbox/seccomp"
	"plasm/lib/sandbox/wire"
)

// clock ends this process when its time is over, whatever the supervisor is doing: a
// supervisor that is stopped (SIGSTOP, a debugger, a frozen terminal) can end nothing.
// The kernel keeps it and sends SIGKILL. A kernel that has no such timers, or a user
// who may have no more of them (ulimit -i), leaves the supervisor's own.
type clock struct {
	guest   bool  // there is a timer for the guest's time
	timeout int64 // of the guest, in milliseconds
}

// The timers of a process are numbered from 0 on. The first is started before the
// system-call filter is loaded, and no filter lets it be touched again.
const lifeTimer = 0

// start starts the timer of the process's life, and makes that of the guest.
func (c *clock) start(a *wire.Assignment) {
	if a.LifeMS <= 0 || newTimer() != lifeTimer || startTimer(lifeTimer, a.LifeMS) != nil {
		return
	}
	if a.TimeoutMS > 0 && newTimer() == seccomp.GuestTimer {
		c.guest, c.timeout = true, a.TimeoutMS
	}
}

// startGuest starts the guest's time.
func (c *clock) startGuest() error {
	if !c.guest {
		return nil
	}
	if err := startTimer(seccomp.GuestTimer, c.timeout); err != nil {
		return fmt.Errorf("timer: %w", err)
	}
	return nil
}

// newTimer makes a timer that sends SIGKILL, and returns its number, -1 for none.
func newTimer() int {
	event := struct { // struct sigevent
		value          uint64
		signal, notify int32
		_              [48]byte
	}{signal: int32(unix.SIGKILL)}
	id := int32(-1)
	//nolint:gosec // the kernel reads event and fills id
	_, _, errno := unix.RawSyscall(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&event)),
		uintptr(unsafe.Pointer(&id)))
	if errno != 0 {
		return -1
	}
	return int(id)
}

// startTimer has a timer run out after so many milliseconds.
func startTimer(id int, ms int64) error {
	value := struct{ interval, value unix.Timespec }{value: unix.NsecToTimespec(ms * 1e6)}
	//nolint:gosec // the kernel reads value
	_, _, errno := unix.RawSyscall6(unix.SYS_TIMER_SETTIME, uintptr(id), 0, uintptr(unsafe.Pointer(&value)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
