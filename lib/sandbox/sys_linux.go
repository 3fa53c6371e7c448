package sandbox

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// workerAttributes puts a worker into a process group of its own, so that a
// terminal's signals do not reach it, and ties its life to its parent's.
func workerAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// pipeSize is what a pipe may hold at most without privileges, in bytes.
const pipeSize = 1 << 20

// widen makes a pipe hold more, where the kernel allows it: fewer, longer
// transfers.
func widen(f *os.File) {
	c, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = c.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
}

// waitNoReap waits until a child has ended and leaves it to be reaped.
func waitNoReap(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

// shield keeps other processes of the same user from attaching to this one or
// reading its memory, where the key is.
func shield() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }

// memoryScratch makes a file in memory.
func memoryScratch() (*scratch, error) {
	fd, err := unix.MemfdCreate("plasm-code", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	write := os.NewFile(uintptr(fd), "plasm-code")
	read, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return &scratch{write, read}, nil
}

// seal sees to it that nothing changes a file in memory any more. It fails where
// another process has the file mapped to write.
func seal(f *os.File) bool {
	_, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS,
		unix.F_SEAL_WRITE|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	return err == nil
}

// socketPair returns two connected sockets that no other program inherits.
func socketPair() ([2]int, error) {
	return unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
}
