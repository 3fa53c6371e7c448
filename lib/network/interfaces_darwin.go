package network

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// openInterfaceEvents opens the routing socket, route(4). A message is there to be read
// whenever a link, an address or a route changes.
func openInterfaceEvents() (*os.File, error) {
	syscall.ForkLock.RLock()
	fd, err := unix.Socket(unix.AF_ROUTE, unix.SOCK_RAW, unix.AF_UNSPEC)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(os.NewSyscallError("setnonblock", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "route"), nil
}

// isInterfaceEvent reports whether a message is about a link or an address, by the type
// in its header (net/route.h). Routes change too often to look at interfaces each time.
func isInterfaceEvent(message []byte) bool {
	const typeAt = 3
	if len(message) <= typeAt {
		return false
	}
	switch message[typeAt] {
	case unix.RTM_NEWADDR, unix.RTM_DELADDR, unix.RTM_IFINFO:
		return true
	}
	return false
}
