//go:build unix

// Package limit knows the resource limits that a process was started with, finds out
// what is left of them, and says in words which of them is too low.
package limit

import (
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

// widest maps the system's word for no limit to Unlimited.
func widest(n uint64) uint64 {
	if n >= unix.RLIM_INFINITY {
		return Unlimited
	}
	return n
}

// TooLow says that a limit is too low for something, which needs more, in the unit of
// getrlimit. The error is a *job.Error with job.CodeUnsupported.
func (r *Resource) TooLow(have uint64, who string, need uint64) *job.Error {
	return (&lack{r, have, have, need}).error(who)
}

// Flag returns the option of ulimit that sets the limit.
func (r *Resource) Flag() string { return r.flag }

// lack is a limit that is too low, or without a resource none.
type lack struct {
	of               *Resource
	have, left, need uint64 // left is what is left of what it allows
}

func (l *lack) error(who string) *job.Error {
	var message, hint words
	l.describe(&message, who)
	l.remedy(&hint)
	return &job.Error{Code: job.CodeUnsupported, Message: message.String(), Hint: hint.String()}
}

// describe says what is wrong.
func (l *lack) describe(w *words, who string) {
	w.add("the limit on ")
	w.add(l.of.name)
	w.add(" is too low: ")
	if l.left == l.have {
		w.add("it is ")
		l.of.amount(w, l.have)
	} else {
		w.add("of ")
		l.of.amount(w, l.have)
		w.add(" there are ")
		l.of.amount(w, l.left)
		w.add(" left")
	}
	w.add(", and ")
	w.add(who)
	w.add(" needs ")
	l.of.amount(w, l.need)
}

// remedy says what to do.
func (l *lack) remedy(w *words) {
	w.add("raise it: ulimit ")
	w.add(l.of.flag)
	w.add(" ")
	l.of.number(w, l.have-l.left+l.need)
}

// number is an amount as ulimit takes it, rounded up.
func (r *Resource) number(w *words, n uint64) {
	if n == Unlimited {
		w.add("unlimited")
		return
	}
	w.number(n/r.unit + (n%r.unit+r.unit-1)/r.unit)
}

// amount is an amount for people.
func (r *Resource) amount(w *words, n uint64) {
	r.number(w, n)
	if n != Unlimited && r.in != "" {
		w.add(" ")
		w.add(r.in)
	}
}
