package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"plasm/lib/job"
)

// TestHostFaults is for workers that die of what the machine does not give them.
func TestHostFaults(t *testing.T) {
	t.Parallel()
	const threads = "say=runtime:_failed_to_create_new_OS_thread_(have_9_already;_errno=11) exit=2"
	for name, mode := range map[string]string{
		"at once": threads, "with the module": "ready=process module " + threads,
		"loaded": "ready=process module loaded " + threads,
	} {
		_, err := supervisor(t, fakeConfig(t, mode)).Run(t.Context(), described(t, "nothing"))
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != job.CodeInternal || !strings.Contains(e.Message, "could have no more threads") ||
			!strings.Contains(e.Hint, "ulimit -u") {
			t.Errorf("%s: %#v", name, err)
		}
	}
	r := play(t.Context(), t, supervisor(t, fakeConfig(t, begun+threads)), described(t, "nothing"))
	r.wantStatus(t, job.EngineFailed, "the worker could have no more threads")
}

// TestOutOfThreads tells a thread that could not be had from memory for its stack.
func TestOutOfThreads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		line string
		took int64 // KiB
		want bool
	}{
		{"runtime: failed to create new OS thread (have 9 already; errno=11)\n", 1 << 20, true},
		{"runtime/cgo: pthread_create failed: Resource temporarily unavailable\n", 30 << 10, true},
		{"runtime/cgo: pthread_create failed: Resource temporarily unavailable\n", 1 << 20, false},
		{"fatal error: runtime: out of memory\n", 30 << 10, false},
	} {
		p := &process{last: &head{}}
		_, _ = p.last.Write([]byte(test.line))
		p.usage.Maxrss = test.took
		if got := p.outOfThreads(); got != test.want {
			t.Errorf("%q with %d KiB: %v", test.line, test.took, got)
		}
	}
}

// TestStartErrors says of each way in which a worker cannot be started what to do.
func TestStartErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		program string
		err     error
		hint    string
	}{
		{"/bin/w", syscall.EAGAIN, "ulimit -u"},
		{"/bin/w", syscall.EMFILE, "ulimit -n"},
		{"/bin/w", syscall.ENFILE, "fs.file-max"},
		{"/bin/w", syscall.ENOMEM, "out of memory"},
		{"/bin/w", syscall.ENOENT, "install it again: /bin/w"},
		{"w", syscall.ENOENT, "/proc must be there"},
		{"/bin/w", &fs.PathError{Op: "open", Path: os.DevNull, Err: syscall.ENOENT}, os.DevNull + " must be there"},
		{"/bin/w", &fs.PathError{Op: "open", Path: os.DevNull, Err: syscall.EACCES}, "open to this user"},
	} {
		err := startError(test.program, test.err)
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != job.CodeInternal || !strings.Contains(e.Hint, test.hint) || !errors.Is(err, test.err) ||
			!errors.Is(err, ErrNoWorker) {
			t.Errorf("%v: %#v", test.err, err)
		}
	}
}
