//go:build unix

package limit

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
)

// Need is what a program needs of its limits, in the units of getrlimit.
type Need struct {
	AddressSpace uint64
	Data         uint64
	Stack        uint64
	Files        uint64 // descriptors beside those that are open already
	Threads      uint64 // processes and threads beside those that the user has already
	CPU          uint64 // seconds
	Signals      uint64 // that may wait for the user's processes
}

// fewFiles is below which limit it is counted how many descriptors are left.
const fewFiles = 1024

// Check tells the first limit of this process that is too low for a program of the
// given name. It takes next to nothing itself, and should come before anything else.
// The error is a *job.Error with job.CodeUnsupported.
func (n Need) Check(program string) error {
	for _, l := range []struct {
		Resource
		need uint64
	}{{AddressSpace, n.AddressSpace}, {Data, n.Data}, {Stack, n.Stack}, {Files, n.Files}, {CPU, n.CPU}} {
		if now, _ := l.Get(); now < l.need {
			return l.TooLow(now, program, l.need)
		}
	}
	if now, _ := Files.Get(); now < fewFiles {
		if left := freeFiles(n.Files); left < n.Files {
			return Files.tooFew(now, left, program, n.Files)
		}
	}
	return n.checkSystem(program)
}

// tooFew says that of what a limit allows too little is left for a program.
func (r Resource) tooFew(have, left uint64, program string, need uint64) *job.Error {
	e := r.TooLow(have, program, have-min(left, have)+need)
	e.Message = fmt.Sprintf("the limit on %s is too low: of %d there are %d left, and %s needs %d", r.name, have, left, program, need)
	return e
}

// freeFiles returns how many descriptors can be opened, up to most.
func freeFiles(most uint64) uint64 {
	first, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	open := []int{first}
	for uint64(len(open)) < most {
		fd, err := unix.FcntlInt(uintptr(first), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			break
		}
		open = append(open, fd)
	}
	for _, fd := range open {
		_ = unix.Close(fd)
	}
	return uint64(len(open))
}

// privileged reports whether the kernel does not hold this process to the number of
// its user's processes.
func privileged() bool { return os.Geteuid() == 0 }
