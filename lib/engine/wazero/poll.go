package wazero

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/tetratelabs/wazero/api"
)

// WASI preview 1 numbers (witx, types: errno, eventtype, subclockflags, clockid)
// and sizes of subscription and event.
const (
	errnoSuccess = 0
	errnoBadf    = 8
	errnoFault   = 21
	errnoInval   = 28

	eventClock   = 0
	eventFdRead  = 1
	eventFdWrite = 2

	flagAbstime = 1

	clockRealtime  = 0
	clockMonotonic = 1

	subscriptionSize = 48
	eventSize        = 32
)

// subscription is one thing that the guest waits for.
type subscription struct {
	userdata uint64
	kind     byte
	fd       uint32 // with eventFdRead and eventFdWrite
	deadline int64  // with eventClock: nanoseconds from the start of this call
}

// event is one thing that came.
type event struct {
	userdata uint64
	errno    uint16
	kind     byte
}

// pollOneoff is poll_oneoff(in, out, nsubscriptions, nevents) -> errno.
//
// wazero's own knows no absolute clock and acknowledges every clock at once;
// this one gives what poll(2) users expect: it returns as soon as something is
// ready, with all that is ready then and nothing else.
func (p *program) pollOneoff(_ context.Context, mod api.Module, stack []uint64) {
	stack[0] = uint64(p.poll(mod.Memory(), uint32(stack[0]), uint32(stack[1]), uint32(stack[2]), uint32(stack[3])))
}

func (p *program) poll(mem api.Memory, in, out, n, nevents uint32) uint16 {
	if n == 0 {
		return errnoInval
	}
	if mem == nil || uint64(n)*subscriptionSize > math.MaxUint32 {
		return errnoFault
	}
	raw, ok := mem.Read(in, n*subscriptionSize)
	if !ok {
		return errnoFault
	}
	room, ok := mem.Read(out, n*eventSize)
	if !ok {
		return errnoFault
	}
	subs, errno := p.subscriptions(raw)
	if errno != errnoSuccess {
		return errno
	}
	events := p.wait(subs)
	if !mem.WriteUint32Le(nevents, uint32(len(events))) {
		return errnoFault
	}
	for i, e := range events {
		b := room[i*eventSize : (i+1)*eventSize]
		clear(b)
		binary.LittleEndian.PutUint64(b, e.userdata)
		binary.LittleEndian.PutUint16(b[8:], e.errno)
		b[10] = e.kind
		if e.kind == eventFdRead {
			binary.LittleEndian.PutUint64(b[16:], 1) // at least one byte, or end of file
		}
	}
	return errnoSuccess
}

// subscriptions decodes what the guest waits for.
func (p *program) subscriptions(raw []byte) ([]subscription, uint16) {
	subs := make([]subscription, 0, len(raw)/subscriptionSize)
	for b := range slices.Chunk(raw, subscriptionSize) {
		s := subscription{userdata: binary.LittleEndian.Uint64(b), kind: b[8]}
		switch s.kind {
		case eventClock:
			var ok bool
			s.deadline, ok = p.deadline(b[16:])
			if !ok {
				return nil, errnoInval
			}
		case eventFdRead, eventFdWrite:
			s.fd = binary.LittleEndian.Uint32(b[16:])
		default:
			return nil, errnoInval
		}
		subs = append(subs, s)
	}
	return subs, errnoSuccess
}

// deadline decodes subscription_clock: id, timeout, precision, flags.
func (p *program) deadline(b []byte) (int64, bool) {
	timeout := int64(min(binary.LittleEndian.Uint64(b[8:]), math.MaxInt64))
	var now int64
	switch id := binary.LittleEndian.Uint32(b); id {
	case clockRealtime:
		now = p.clock.Realtime()
	case clockMonotonic:
		now = p.clock.Monotonic()
	default:
		return 0, false
	}
	switch binary.LittleEndian.Uint16(b[24:]) {
	case 0:
		return timeout, true
	case flagAbstime:
		return max(0, timeout-now), true
	default:
		return 0, false
	}
}

// wait returns what is ready, at once if anything is, else when the first clock
// is due or input comes.
func (p *program) wait(subs []subscription) []event {
	due := int64(math.MaxInt64)
	var ready []event
	var waiting []subscription // for input that may not be there yet
	for _, s := range subs {
		switch {
		case s.kind == eventClock:
			due = min(due, s.deadline)
		case s.kind == eventFdRead && s.fd == 0 && !p.stdin.known:
			waiting = append(waiting, s)
		default:
			ready = append(ready, p.fdEvent(s))
		}
	}
	if len(ready) > 0 {
		due = 0 // look, but don't wait
	}
	switch {
	case len(waiting) > 0:
		if p.stdin.wait(due) {
			for _, s := range waiting {
				ready = append(ready, event{userdata: s.userdata, kind: s.kind})
			}
			due = 0
		} else {
			p.clock.Slept(due)
		}
	case due > 0:
		p.clock.Sleep(due)
	}
	for _, s := range subs {
		if s.kind == eventClock && s.deadline <= due {
			ready = append(ready, event{userdata: s.userdata, kind: s.kind})
		}
	}
	return ready
}

// fdEvent answers for a descriptor that never makes anyone wait: output, known
// input, and files. Which numbers above 2 are open is known to wazero alone: they
// are taken as open where the guest has folders.
func (p *program) fdEvent(s subscription) event {
	e := event{userdata: s.userdata, kind: s.kind}
	writable := s.fd == 1 || s.fd == 2
	file := s.fd > 2 && p.dirs
	if (s.kind == eventFdRead && s.fd != 0 && !file) || (s.kind == eventFdWrite && !writable && !file) {
		e.errno = errnoBadf
	}
	return e
}
