package preview1

import (
	"encoding/binary"
	"math"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/wasi"
)

// Where the tests of poll put what they hand over, in a memory of one page.
const (
	pageSize  = 64 << 10
	pollIn    = 1024
	pollOut   = 32 << 10
	pollCount = 64
)

const (
	millisecond = int64(time.Millisecond)
	hour        = int64(time.Hour)
)

// event is one thing that came.
type event struct {
	userdata uint64
	errno    uint16
	kind     byte
}

// The kinds of events.
const (
	eventClock   = byte(wasi.Due)
	eventFdRead  = byte(wasi.Readable)
	eventFdWrite = byte(wasi.Writable)
)

// page is a guest's memory of one page, filled with 0xff.
func page() []byte {
	all := make([]byte, pageSize)
	for i := range all {
		all[i] = 0xff
	}
	return all
}

// call calls a function that is there, and returns its errno.
func call(t *testing.T, g *Guest, name string, mem []byte, args ...uint64) wasi.Errno {
	t.Helper()
	f := Find(name)
	if len(args) != len(f.Params) {
		t.Fatalf("%s has %d parameters, not %d", name, len(f.Params), len(args))
	}
	stack := make([]uint64, max(1, len(args)))
	copy(stack, args)
	if err := g.Call(f, mem, stack); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return wasi.Errno(stack[0])
}

// onClock is a subscription to a clock.
func onClock(userdata uint64, clock uint32, timeout int64, flags uint16) []byte {
	b := make([]byte, subscriptionSize)
	binary.LittleEndian.PutUint64(b, userdata)
	b[8] = eventClock
	binary.LittleEndian.PutUint32(b[16:], clock)
	binary.LittleEndian.PutUint64(b[24:], uint64(timeout))
	binary.LittleEndian.PutUint16(b[40:], flags)
	return b
}

// onFile is a subscription to a descriptor.
func onFile(userdata uint64, kind byte, fd uint32) []byte {
	b := make([]byte, subscriptionSize)
	binary.LittleEndian.PutUint64(b, userdata)
	b[8] = kind
	binary.LittleEndian.PutUint32(b[16:], fd)
	return b
}

// ask polls for subs and returns the events, which must be written as they are
// specified.
func ask(t *testing.T, g *Guest, subs ...[]byte) (events []event, errno wasi.Errno) {
	t.Helper()
	mem := page()
	for i, s := range subs {
		copy(mem[pollIn+i*subscriptionSize:], s)
	}
	if errno = call(t, g, "poll_oneoff", mem, pollIn, pollOut, uint64(len(subs)), pollCount); errno != 0 {
		return nil, errno
	}
	n := int(binary.LittleEndian.Uint32(mem[pollCount:]))
	if n > len(subs) {
		t.Fatalf("%d events for %d subscriptions", n, len(subs))
	}
	for i := range n {
		raw := mem[pollOut+i*eventSize:][:eventSize]
		e := event{userdata: binary.LittleEndian.Uint64(raw), errno: binary.LittleEndian.Uint16(raw[8:]), kind: raw[10]}
		want := make([]byte, eventSize)
		binary.LittleEndian.PutUint64(want, e.userdata)
		want[8], want[10] = byte(e.errno), e.kind
		if e.kind == eventFdRead {
			want[16] = 1
		}
		if diff := cmp.Diff(want, raw); diff != "" {
			t.Errorf("event %d (-want +got):\n%s", i, diff)
		}
		events = append(events, e)
	}
	for _, b := range mem[pollOut+n*eventSize:][:eventSize] {
		if b != 0xff {
			t.Errorf("something is written behind %d events", n)
			break
		}
	}
	return events, errno
}

// guestWith is a program with these.
func guestWith(t *testing.T, c wasi.Config) *Guest {
	t.Helper()
	g := New(wasi.New(c))
	t.Cleanup(g.Close)
	return g
}

func TestPoll(t *testing.T) {
	t.Parallel()
	clock := func(userdata uint64) event { return event{userdata: userdata, kind: eventClock} }
	read := func(userdata uint64) event { return event{userdata: userdata, kind: eventFdRead} }
	write := func(userdata uint64) event { return event{userdata: userdata, kind: eventFdWrite} }
	bad := func(e event) event { e.errno = uint16(wasi.EBADF); return e }
	const tick = 1000 // each subscription to a clock looks at it once
	tests := []struct {
		name  string
		subs  [][]byte
		files bool
		want  []event
		now   int64 // on the clock, when it was 0 before
	}{
		{
			"relative",
			[][]byte{onClock(7, clockMonotonic, 5*millisecond, 0)},
			false,
			[]event{clock(7)},
			5*millisecond + tick,
		},
		{
			"relative, real time",
			[][]byte{onClock(1<<63, clockRealtime, hour, 0)},
			false,
			[]event{clock(1 << 63)},
			hour + tick,
		},
		{"no time", [][]byte{onClock(7, clockMonotonic, 0, 0)}, false, []event{clock(7)}, tick},
		{"absolute", [][]byte{onClock(7, clockMonotonic, hour, flagAbstime)}, false, []event{clock(7)}, hour + tick},
		{
			"absolute, real time",
			[][]byte{onClock(7, clockRealtime, wasi.Epoch+hour, flagAbstime)},
			false,
			[]event{clock(7)},
			hour + tick,
		},
		{"past", [][]byte{onClock(7, clockRealtime, hour, flagAbstime)}, false, []event{clock(7)}, tick},
		{
			"the end of time",
			[][]byte{onClock(7, clockMonotonic, -1, 0)},
			false,
			[]event{clock(7)},
			math.MaxInt64 - wasi.Epoch,
		},
		{
			"the first of three clocks",
			[][]byte{
				onClock(1, clockMonotonic, 3, 0), onClock(2, clockRealtime, 2, 0),
				onClock(3, clockMonotonic, hour, flagAbstime),
			},
			false,
			[]event{clock(2)},
			2 + 3*tick,
		},
		{
			"two clocks at once",
			[][]byte{
				onClock(1, clockMonotonic, 2, 0), onClock(2, clockRealtime, 9, 0),
				onClock(3, clockRealtime, 2, 0),
			},
			false,
			[]event{clock(1), clock(3)},
			2 + 3*tick,
		},
		{"input", [][]byte{onFile(5, eventFdRead, 0)}, false, []event{read(5)}, 0},
		{
			"input before an hour",
			[][]byte{onClock(1, clockMonotonic, hour, 0), onFile(5, eventFdRead, 0)},
			false,
			[]event{read(5)},
			tick,
		},
		{
			"input and no time",
			[][]byte{onClock(1, clockMonotonic, 0, 0), onFile(5, eventFdRead, 0)},
			false,
			[]event{clock(1), read(5)},
			tick,
		},
		{
			"output",
			[][]byte{onFile(5, eventFdWrite, 1), onFile(6, eventFdWrite, 2)},
			false,
			[]event{write(5), write(6)},
			0,
		},
		{
			"wrong descriptors",
			[][]byte{
				onFile(1, eventFdRead, 1), onFile(2, eventFdRead, 2), onFile(3, eventFdRead, 3),
				onFile(4, eventFdWrite, 0),
				onFile(5, eventFdWrite, 3), onFile(6, eventFdRead, math.MaxUint32),
			},
			false,
			[]event{bad(read(1)), bad(read(2)), bad(read(3)), bad(write(4)), bad(write(5)), bad(read(6))},
			0,
		},
		{
			"files",
			[][]byte{onFile(1, eventFdRead, 3), onFile(2, eventFdWrite, 3), onFile(3, eventFdRead, 9)},
			true,
			[]event{read(1), write(2), bad(read(3))},
			0,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := guestWith(t, wasi.Config{StdinKnown: true})
			if test.files {
				g.add(fileDescriptor())
			}
			got, errno := ask(t, g, test.subs...)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(event{})); diff != "" || errno != wasi.Success {
				t.Errorf("errno %d, events (-want +got):\n%s", errno, diff)
			}
			if now := g.host.Clock.Monotonic(); now != test.now {
				t.Errorf("the clock is at %d, want %d", now, test.now)
			}
		})
	}
}

func TestPollWrong(t *testing.T) {
	t.Parallel()
	kind3 := onFile(1, 3, 0)
	for name, sub := range map[string][]byte{
		"a processor's clock": onClock(1, 2, 0, 0),
		"no clock":            onClock(1, math.MaxUint32, 0, 0),
		"flags":               onClock(1, clockMonotonic, 0, 2),
		"a kind of event":     kind3,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := guestWith(t, wasi.Config{})
			if _, errno := ask(t, g, onFile(9, eventFdRead, 0), sub); errno != wasi.EINVAL {
				t.Errorf("errno %d, want %d", errno, wasi.EINVAL)
			}
		})
	}
}

func TestPollPointers(t *testing.T) {
	t.Parallel()
	const last = math.MaxUint32
	tests := []struct {
		name              string
		in, out, n, count uint64
		want              wasi.Errno
	}{
		{name: "nothing to wait for", in: pollIn, out: pollOut, n: 0, count: pollCount, want: wasi.EINVAL},
		{name: "in behind the end", in: pageSize, out: pollOut, n: 1, count: pollCount, want: wasi.EFAULT},
		{
			name: "in across the end", in: pageSize - subscriptionSize + 1, out: pollOut, n: 1, count: pollCount,
			want: wasi.EFAULT,
		},
		{name: "in that wraps", in: last, out: pollOut, n: 1, count: pollCount, want: wasi.EFAULT},
		{
			name: "out across the end", in: pollIn, out: pageSize - eventSize + 1, n: 1, count: pollCount,
			want: wasi.EFAULT,
		},
		{name: "out that wraps", in: pollIn, out: last, n: 1, count: pollCount, want: wasi.EFAULT},
		{name: "count across the end", in: pollIn, out: pollOut, n: 1, count: pageSize - 3, want: wasi.EFAULT},
		{name: "count that wraps", in: pollIn, out: pollOut, n: 1, count: last, want: wasi.EFAULT},
		{name: "as many as there are numbers", in: pollIn, out: pollOut, n: last, count: pollCount, want: wasi.EFAULT},
		{
			name: "so many that their size wraps", in: pollIn, out: pollOut, n: last/subscriptionSize + 2,
			count: pollCount, want: wasi.EFAULT,
		},
		{
			name: "more than fit", in: pollIn, out: pollOut, n: pageSize / subscriptionSize, count: pollCount,
			want: wasi.EFAULT,
		},
		{
			name: "at the very end", in: pageSize - subscriptionSize, out: 0, n: 1, count: pageSize - 4,
			want: wasi.Success,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := guestWith(t, wasi.Config{})
			mem := page()
			copy(mem[pollIn:], onFile(1, eventFdRead, 0))
			copy(mem[pageSize-subscriptionSize:], onFile(1, eventFdRead, 0))
			if got := call(t, g, "poll_oneoff", mem, test.in, test.out, test.n, test.count); got != test.want {
				t.Errorf("errno %d, want %d", got, test.want)
			}
		})
	}
}

// TestPollPipe waits for input that is not known before.
func TestPollPipe(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		feed func(w *os.File) error
		want []event
		now  int64
	}{
		{
			"silence", func(*os.File) error { return nil },
			[]event{{userdata: 1, kind: eventClock}},
			20*millisecond + 1000,
		},
		{
			"a byte",
			func(w *os.File) error { _, err := w.WriteString("x"); return err },
			[]event{{userdata: 2, kind: eventFdRead}, {userdata: 3, kind: eventFdRead}},
			1000,
		},
		{
			"the end", (*os.File).Close,
			[]event{{userdata: 2, kind: eventFdRead}, {userdata: 3, kind: eventFdRead}},
			1000,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, w := inputPipe(t)
			must(t, test.feed(w))
			g := guestWith(t, wasi.Config{Stdin: r})
			begun := time.Now()
			got, errno := ask(t, g, onClock(1, clockMonotonic, 20*millisecond, 0), onFile(2, eventFdRead, 0),
				onFile(3, eventFdRead, 0))
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(event{})); diff != "" || errno != wasi.Success {
				t.Errorf("errno %d, events (-want +got):\n%s", errno, diff)
			}
			if now := g.host.Clock.Monotonic(); now != test.now {
				t.Errorf("the clock is at %d, want %d", now, test.now)
			}
			if took := time.Since(begun); test.now > 1000 && took < 20*time.Millisecond {
				t.Errorf("it has waited %v, want 20 ms", took)
			}
		})
	}
}

// TestPollWaits is for input that comes while a guest waits for it alone.
func TestPollWaits(t *testing.T) {
	t.Parallel()
	for _, timeout := range []int64{math.MaxInt64, math.MaxInt64 - 1, hour} {
		r, w := inputPipe(t)
		wrote := make(chan error)
		go func() {
			_, err := w.WriteString("x")
			wrote <- err
		}()
		g := guestWith(t, wasi.Config{Stdin: r})
		subs := [][]byte{onFile(2, eventFdRead, 0)}
		if timeout != math.MaxInt64 {
			subs = append(subs, onClock(1, clockMonotonic, timeout, 0))
		}
		got, errno := ask(t, g, subs...)
		must(t, <-wrote)
		if errno != wasi.Success || len(got) != 1 || got[0].userdata != 2 {
			t.Errorf("with %d ns: errno %d, events %v", timeout, errno, got)
		}
	}
}

// TestPollRealClock really waits.
func TestPollRealClock(t *testing.T) {
	t.Parallel()
	const wait = 20 * time.Millisecond
	g := guestWith(t, wasi.Config{Real: true, StdinKnown: true})
	for name, sub := range map[string]func() []byte{
		"relative": func() []byte { return onClock(1, clockMonotonic, int64(wait), 0) },
		"realtime": func() []byte { return onClock(1, clockRealtime, time.Now().Add(wait).UnixNano(), flagAbstime) },
		"absolute": func() []byte {
			return onClock(1, clockMonotonic, g.host.Clock.Monotonic()+int64(wait),
				flagAbstime)
		},
	} {
		begun := time.Now() // before the end of the wait is said
		if got, errno := ask(t, g, sub()); errno != wasi.Success || len(got) != 1 {
			t.Errorf("%s: errno %d, events %v", name, errno, got)
		}
		if took := time.Since(begun); took < wait/2 { // a half, as the clocks are two
			t.Errorf("%s: waited %v", name, took)
		}
	}
}

// fileDescriptor is an open file.
func fileDescriptor() *descriptor {
	return &descriptor{Descriptor: wasi.NewDescriptor(emptyFile{}, wasi.Flags{}), base: fileRights}
}

// emptyFile is a file of which nothing is asked.
type emptyFile struct{ wasi.File }

func (emptyFile) Close() wasi.Errno { return 0 }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// inputPipe is a pipe; what closes its write end may be called twice.
func inputPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() {
		_ = w.Close() // a test may have closed it
		must(t, r.Close())
	})
	return r, w
}
