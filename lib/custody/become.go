package custody

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
)

// Become gives up root's rights for good: the process goes on as the user uid, in
// the groups that the system lists for that user. What it starts from then on has
// neither its terminal nor what it has open, and others of that user cannot look
// into it. An error is a *job.Error, after which the process must end.
func Become(uid int) error {
	_, gid, groups := account(uid)
	for _, step := range []func() error{
		seal,
		func() error { return syscall.Setgroups(groups) },
		func() error { return syscall.Setgid(gid) },
		func() error { return syscall.Setuid(uid) },
		seal, // the change of the user undoes some of it
		leaveTerminal,
	} {
		if err := step(); err != nil {
			return &job.Error{
				Code: job.CodeIO,
				Message: fmt.Sprintf("what is to be looked at is in the hands of %s, and root cannot become that "+
					"user: %v", Name(uid), err),
				Hint: "run it as that user", Err: err,
			}
		}
	}
	if os.Getuid() != uid || os.Geteuid() != uid || uid == 0 {
		return &job.Error{
			Code:    job.CodeInternal,
			Message: fmt.Sprintf("root's rights were not given up for user %d", uid),
		}
	}
	return nil
}

// maxOpen is the highest descriptor that closeOnExec looks at.
const maxOpen = 4096

// closeOnExec keeps what this process was given from programs that it starts.
func closeOnExec() {
	for fd := 3; fd < maxOpen; fd++ {
		unix.CloseOnExec(fd)
	}
}

// leaveTerminal gives up the process's terminal, into which a program that it starts
// could type. One that leads the terminal's session keeps it: there is nobody else in
// it, and without it the session would end.
func leaveTerminal() error {
	if sid, err := unix.Getsid(0); err != nil || sid == os.Getpid() {
		return err
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil // there is none
	}
	defer func() { _ = tty.Close() }() // nothing was written
	return unix.IoctlSetInt(int(tty.Fd()), unix.TIOCNOTTY, 0)
}
