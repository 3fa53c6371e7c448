package preview1

import (
	"math"

	"plasm/lib/wasi"
)

// Sizes of subscription and event, in bytes.
const (
	subscriptionSize = 48
	eventSize        = 32
)

// maxSubscriptions is how many things one call can wait for.
const maxSubscriptions = 1 << 16

// flagAbstime makes a clock's timeout a time, and not a span (witx: subclockflags).
const flagAbstime = 1

// pollOneoff is poll_oneoff(in, out, nsubscriptions, nevents): it waits until one of the
// subscriptions from in on is ready, and writes an event for each that is ready then from
// out on, in the order of the subscriptions, and how many. Room for as many events as
// there are subscriptions is needed at out. A descriptor that is not open for what is
// asked is ready with EBADF.
//
// A clock's subscription looks at the clock once. EINVAL: there are no subscriptions, or
// more than maxSubscriptions; one has an unknown kind, clock or flag. EFAULT.
func pollOneoff(g *Guest, mem memory, args []uint64) wasi.Errno {
	n := args[2]
	if n == 0 {
		return wasi.EINVAL
	}
	in, errno := mem.slice(args[0], n*subscriptionSize)
	if errno != wasi.Success {
		return errno
	}
	out, errno := mem.slice(args[1], n*eventSize)
	if errno != wasi.Success || !mem.has(args[3], 4) {
		return wasi.EFAULT
	}
	if n > maxSubscriptions {
		return wasi.EINVAL
	}
	subs, userdata := make([]wasi.Subscription, n), make([]uint64, n)
	for i := range subs {
		b := in[i*subscriptionSize:]
		userdata[i] = le.Uint64(b)
		if subs[i], errno = g.subscription(b); errno != wasi.Success {
			return errno
		}
	}
	g.host.Poll(subs)
	return mem.putU32(args[3], events(out, subs, userdata))
}

// subscription decodes a subscription: after userdata, what it is of, and what belongs to
// that.
func (g *Guest) subscription(b []byte) (wasi.Subscription, wasi.Errno) {
	s := wasi.Subscription{Kind: wasi.EventKind(b[8])}
	switch s.Kind {
	case wasi.Due:
		var errno wasi.Errno
		s.Deadline, errno = g.deadline(b[16:])
		return s, errno
	case wasi.Readable, wasi.Writable:
		if d := g.descriptors.Get(le.Uint32(b[16:])); d != nil {
			s.On = d.Descriptor
		}
		return s, wasi.Success
	}
	return s, wasi.EINVAL
}

// deadline decodes subscription_clock: id, timeout, precision, flags.
func (g *Guest) deadline(b []byte) (int64, wasi.Errno) {
	timeout := int64(min(le.Uint64(b[8:]), math.MaxInt64))
	now, ok := g.now(uint64(le.Uint32(b)))
	if !ok {
		return 0, wasi.EINVAL
	}
	switch le.Uint16(b[24:]) {
	case 0:
		return timeout, wasi.Success
	case flagAbstime:
		return max(0, timeout-now), wasi.Success
	}
	return 0, wasi.EINVAL
}

// events writes an event for each subscription that is ready: its userdata, error, kind,
// and of something to read that there is at least one byte, or the end.
func events(out []byte, subs []wasi.Subscription, userdata []uint64) (n uint32) {
	for i, s := range subs {
		if !s.Ready {
			continue
		}
		b := out[n*eventSize:][:eventSize]
		clear(b)
		le.PutUint64(b, userdata[i])
		le.PutUint16(b[8:], uint16(s.Errno))
		b[10] = byte(s.Kind)
		if s.Kind == wasi.Readable {
			le.PutUint64(b[16:], 1)
		}
		n++
	}
	return n
}
