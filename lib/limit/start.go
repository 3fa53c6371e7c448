//go:build unix

package limit

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

// Start is what every command needs to start, on any machine. Below it the Go runtime
// can end the process with a trace, and even before main: a program that is linked with
// the flag -E plasm/lib/limit.entry, on Linux, checks it before the runtime begins.
var Start = Need{
	AddressSpace: 3 << 29, // 1.3 GiB are reserved at the start
	Data:         256 << 20,
	Stack:        256 << 10, // the C library's, in another engine's worker
	Files:        64,
	Threads:      48,
	CPU:          2,
}

// fewFiles is below which limit it is counted how many descriptors are left.
const fewFiles = 1024

// Check tells the first limit of this process that is too low for a program of the
// given name. It takes next to nothing itself, and should come before anything else.
// The error is a *job.Error with job.CodeUnsupported.
func (n Need) Check(program string) error {
	l := n.lacksOwn()
	if l.of == nil {
		l = n.lacksSystem()
	}
	if l.of == nil {
		return nil
	}
	return l.error(program)
}

// lacksOwn finds a limit of this process alone that is too low.
func (n *Need) lacksOwn() lack {
	if l := lower(&AddressSpace, n.AddressSpace); l.of != nil {
		return l
	}
	if l := lower(&Data, n.Data); l.of != nil {
		return l
	}
	if l := lower(&Stack, n.Stack); l.of != nil {
		return l
	}
	if l := lower(&CPU, n.CPU); l.of != nil {
		return l
	}
	_, most := Files.Get() // to which the Go runtime raises it
	if l := fewer(&Files, most, most, n.Files); l.of != nil || most >= fewFiles {
		return l
	}
	return fewer(&Files, most, freeFiles(most, n.Files), n.Files)
}

// lower returns a limit that is lower than what is needed, or nothing.
func lower(r *Resource, need uint64) lack {
	now, _ := r.Get()
	return fewer(r, now, now, need)
}

// fewer returns a limit if of what it allows less is left than is needed, or nothing.
func fewer(r *Resource, have, left, need uint64) lack {
	if left >= need {
		return lack{}
	}
	return lack{r, have, left, need}
}

// freeFiles returns how many descriptors below a limit are not in use, up to most.
func freeFiles(limit, most uint64) uint64 {
	free := uint64(0)
	for fd := uint64(0); fd < limit && free < most; fd++ {
		if !isOpen(fd) {
			free++
		}
	}
	return free
}
