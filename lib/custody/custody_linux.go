package custody

import (
	"context"
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// openFolder opens a folder to look things up in it, whether it can be read or not.
const openFolder = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC

// Dial connects to a socket in the folder: to that which CheckSocket accepts, whatever
// else comes to have its name meanwhile.
func (f *Folder) Dial(ctx context.Context, name string) (net.Conn, error) {
	fd, err := unix.Openat(f.fd, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(fd) }() // it is no connection
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if err := f.socket(name, &st); err != nil {
		return nil, err
	}
	return dial(ctx, fmt.Sprintf("/proc/self/fd/%d", fd))
}

// seal keeps the process from being looked into by others of its user, and what it
// has open from programs that it starts.
func seal() error {
	if unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC) != nil { // Linux before 5.11
		closeOnExec()
	}
	return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
