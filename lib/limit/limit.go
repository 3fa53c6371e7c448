//go:build unix

// Package limit knows the resource limits that a process was started with, finds out
// what is left of them, and says in words which of them is too low.
package limit

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
)

// Resource is what a limit is on.
type Resource struct {
	name string // in words
	flag string // of ulimit
	id   int    // of getrlimit
	unit uint64 // of ulimit's numbers, in those of getrlimit
	in   string // what ulimit's numbers count, in words
}

// The resources that every system limits.
var (
	AddressSpace = Resource{"address space", "-v", unix.RLIMIT_AS, 1 << 10, "KiB"}
	Data         = Resource{"data memory", "-d", unix.RLIMIT_DATA, 1 << 10, "KiB"}
	CPU          = Resource{"processor time", "-t", unix.RLIMIT_CPU, 1, "s"}
	Files        = Resource{"open files", "-n", unix.RLIMIT_NOFILE, 1, ""}
	Processes    = Resource{"processes and threads of this user", "-u", unix.RLIMIT_NPROC, 1, ""}
	Stack        = Resource{"stack", "-s", unix.RLIMIT_STACK, 1 << 10, "KiB"}
)

// Unlimited is the limit of a resource of which there may be any amount.
const Unlimited = math.MaxUint64

// Get returns the limit that counts now, and the highest to which this process may
// raise it. Where it cannot be had, nothing is limited.
func (r Resource) Get() (now, most uint64) {
	var l unix.Rlimit
	if err := unix.Getrlimit(r.id, &l); err != nil {
		return Unlimited, Unlimited
	}
	return widest(l.Cur), widest(l.Max)
}

// widest maps the system's word for no limit to Unlimited.
func widest(n uint64) uint64 {
	if n >= unix.RLIM_INFINITY {
		return Unlimited
	}
	return n
}

// TooLow says that a limit is too low for something, which needs more, in the unit of
// getrlimit. The error is a *job.Error with job.CodeUnsupported.
func (r Resource) TooLow(have uint64, who string, need uint64) *job.Error {
	return &job.Error{
		Code:    job.CodeUnsupported,
		Message: fmt.Sprintf("the limit on %s is too low: it is %s, and %s needs %s", r.name, r.amount(have), who, r.amount(need)),
		Hint:    fmt.Sprintf("raise it: ulimit %s %s", r.flag, r.number(need)),
	}
}

// Flag returns the option of ulimit that sets the limit.
func (r Resource) Flag() string { return r.flag }

// number is an amount as ulimit takes it, rounded up.
func (r Resource) number(n uint64) string {
	if n == Unlimited {
		return "unlimited"
	}
	return fmt.Sprint(n/r.unit + (n%r.unit+r.unit-1)/r.unit)
}

// amount is an amount for people.
func (r Resource) amount(n uint64) string {
	if n == Unlimited || r.in == "" {
		return r.number(n)
	}
	return r.number(n) + " " + r.in
}
