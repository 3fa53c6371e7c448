//go:build unix && !linux

package limit

import "golang.org/x/sys/unix"

// Get returns the limit that counts now, and the highest to which this process may
// raise it. Where it cannot be had, nothing is limited.
func (r *Resource) Get() (now, most uint64) {
	var l unix.Rlimit
	if err := unix.Getrlimit(r.id, &l); err != nil {
		return Unlimited, Unlimited
	}
	return widest(l.Cur), widest(l.Max)
}

// isOpen reports whether a descriptor is in use.
func isOpen(fd uint64) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}
