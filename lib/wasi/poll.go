package wasi

import (
	"math"
	"slices"
)

// Subscription is one thing that a program waits for: what Kind says. Poll sets the last
// two fields.
type Subscription struct {
	Kind     EventKind
	On       *Descriptor // with Readable and Writable; nil where the program has none
	Deadline int64       // with Due: nanoseconds from the start of Poll

	Ready bool
	Errno Errno // with Ready
}

// EventKind is what a program can wait for.
type EventKind uint8

// The kinds of events (witx: eventtype).
const (
	Due      EventKind = 0 // a time has come
	Readable EventKind = 1 // a read would not wait
	Writable EventKind = 2 // a write would not wait
)

// Poll waits until one of subs is ready, and marks all that are ready then and nothing
// else. It is what users of poll(2) expect: it returns at once if anything is ready,
// else when the first time has come or input comes.
func (h *Host) Poll(subs []Subscription) {
	due := int64(math.MaxInt64)
	var waits *input // for what may not be there yet
	for i := range subs {
		s := &subs[i]
		switch {
		case s.Kind == Due:
			due = min(due, s.Deadline)
		case s.Kind == Readable && s.On != nil && s.On.in != nil && !s.On.in.known:
			waits = s.On.in
		default:
			s.Ready, s.Errno = true, s.answer()
		}
	}
	if anyReady(subs) {
		due = 0 // look, but don't wait
	}
	came := false
	switch {
	case waits != nil:
		if came = waits.wait(due); came {
			due = 0
		} else {
			h.Clock.Slept(due)
		}
	case due > 0:
		h.Clock.Sleep(due)
	}
	for i := range subs {
		s := &subs[i]
		switch {
		case s.Kind == Due:
			s.Ready = s.Deadline <= due
		case !s.Ready:
			s.Ready = came
		}
	}
}

func anyReady(subs []Subscription) bool {
	return slices.ContainsFunc(subs, func(s Subscription) bool { return s.Ready })
}

// answer is for a descriptor that never makes anyone wait: output, known input, files.
func (s *Subscription) answer() Errno {
	d := s.On
	switch {
	case d == nil || d.dir != nil:
		return EBADF
	case d.file != nil, s.Kind == Readable && d.in != nil, s.Kind == Writable && d.out != nil:
		return Success
	}
	return EBADF
}
