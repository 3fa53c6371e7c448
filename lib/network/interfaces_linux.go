package network

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openInterfaceEvents opens what the kernel tells of links and addresses, rtnetlink(7).
// A message is there to be read whenever one changes.
func openInterfaceEvents() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	groups := &unix.SockaddrNetlink{
		Family: unix.AF_NETLINK,
		Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR,
	}
	if err := unix.Bind(fd, groups); err != nil {
		return nil, errors.Join(os.NewSyscallError("bind", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "rtnetlink"), nil
}

// isInterfaceEvent reports whether a message is about links and addresses: all are that
// come to these groups.
func isInterfaceEvent([]byte) bool { return true }
