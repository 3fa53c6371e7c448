package sandbox

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
)

// TestTimeout is for guests that nothing but a kill can end.
func TestTimeout(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"loop", "calls", "start-loop", "hang", "yes", "sleep-hour", "cat"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const timeout = 300 * time.Millisecond
			j := described(t, name)
			j.Manifest.TimeoutMS = timeout.Milliseconds()
			j.Manifest.OutputLimitBytes = job.MaxSafeInt
			j.Manifest.Deterministic = name != "sleep-hour"
			if name == "cat" { // waits for input that never comes
				in, _ := pipe2(t)
				j.Manifest.StdinHash, j.Input = "", Input{Reader: in}
			}
			if name == "yes" {
				j.Stdout = discard{}
			}
			r := play(t.Context(), t, supervisor(t, realConfig()), j)
			r.wantStatus(t, job.Timeout, "")
			if wall := time.Duration(r.Outcome.WallTimeUS) * time.Microsecond; wall < timeout ||
				wall >= timeout+time.Minute {
				t.Errorf("it ended after %v, want %v", wall, timeout)
			}
			if name == "hang" && r.stdout.String() != "ready\n" {
				t.Errorf("stdout is %q", r.stdout.String())
			}
			if r.Outcome.Truncated {
				t.Error("output is truncated")
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// pipe2 is a pipe of which the test may close either end.
func pipe2(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() {
		_ = w.Close() // perhaps again
		_ = r.Close()
	})
	return r, w
}

// TestOutputLimit cuts to the byte, on the sum of both streams in their order.
func TestOutputLimit(t *testing.T) {
	t.Parallel()
	turns := strings.Repeat("out\nerror\n", 10_001)
	tests := []struct {
		guest  string
		limit  int64
		status job.Status
		want   string
	}{
		{"write-0", 0, job.Exit, ""},
		{"write-1", 0, job.OutputLimit, ""},
		{"write-1", 1, job.Exit, "x"},
		{"write-100", 99, job.OutputLimit, strings.Repeat("x", 99)},
		{"write-100", 100, job.Exit, strings.Repeat("x", 100)},
		{"write-100000", 99_999, job.OutputLimit, strings.Repeat("x", 99_999)},
		{"write-100000", 100_000, job.Exit, strings.Repeat("x", 100_000)},
		{"both", 8, job.Exit, "out\nerr\n"},
		{"both", 7, job.OutputLimit, "out\nerr"},
		{"both", 4, job.OutputLimit, "out\n"},
		{"both", 3, job.OutputLimit, "out"},
		{"flood-both", 0, job.OutputLimit, ""},
		{"flood-both", 13, job.OutputLimit, turns[:13]},
		{"flood-both", 100_000, job.OutputLimit, turns[:100_000]},
		{"flood-both", 100_003, job.OutputLimit, turns[:100_003]},
	}
	s := supervisor(t, realConfig())
	for _, test := range tests {
		t.Run(test.guest+" "+strconv.FormatInt(test.limit, 10), func(t *testing.T) {
			t.Parallel()
			j := described(t, test.guest)
			j.Manifest.OutputLimitBytes = test.limit
			r := play(t.Context(), t, s, j)
			r.wantStatus(t, test.status, "")
			if r.both.String() != test.want || r.Outcome.Truncated != (test.status == job.OutputLimit) {
				t.Errorf("%d bytes of output, truncated %v; want %d", r.both.Len(), r.Outcome.Truncated, len(test.want))
			}
		})
	}
}

// atReady calls a function once something has been written.
type atReady struct {
	bytes.Buffer
	call func()
}

func (a *atReady) Write(p []byte) (int, error) {
	if a.call != nil {
		a.call()
		a.call = nil
	}
	return a.Buffer.Write(p)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	why := errors.New("somebody wants it so")
	ctx, cancel := context.WithCancelCause(t.Context())
	j := described(t, "hang")
	j.Stdout = &atReady{call: func() { cancel(why) }}
	r := play(ctx, t, supervisor(t, realConfig()), j)
	if r.Outcome.Status != job.Cancelled || !errors.Is(r.Cause, why) {
		t.Errorf("status %s, cause %v", r.Outcome.Status, r.Cause)
	}
}

func TestCancelBeforeTheStart(t *testing.T) {
	t.Parallel()
	why := errors.New("somebody wants it so")
	gone, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	for name, cfg := range map[string]Config{
		"at once": realConfig(), "loading": fakeConfig(t, "ready=process module hang"),
		"before the start": fakeConfig(t, "ready=process module loaded hang"),
	} {
		_, err := supervisor(t, cfg).Run(gone, described(t, "nothing"))
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeCancelled || !errors.Is(err, why) {
			t.Errorf("%s: %#v", name, err)
		}
	}
	cfg := fakeConfig(t, "ready=process,landlock module hang")
	cfg.CacheDir = t.TempDir()
	_, err := supervisor(t, cfg).Run(gone, described(t, "nothing"))
	if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeCancelled {
		t.Errorf("compiling: %#v", err)
	}
}

// TestBlockedOutput writes into a pipe that nobody reads: the job ends all the
// same, and its report has what was taken.
func TestBlockedOutput(t *testing.T) {
	t.Parallel()
	t.Run("timeout", func(t *testing.T) {
		t.Parallel()
		_, w := pipe2(t)
		j := described(t, "write-2147483647")
		j.Manifest.TimeoutMS, j.Manifest.OutputLimitBytes, j.Stdout = 500, job.MaxSafeInt, w
		from := time.Now()
		r := play(t.Context(), t, supervisor(t, realConfig()), j)
		r.wantStatus(t, job.Timeout, "")
		if took := time.Since(from); took > time.Minute || !r.Outcome.Truncated || r.Outcome.StdoutBytes == 0 {
			t.Errorf("after %v: %+v", took, r.Outcome)
		}
		if want := job.Sum([]byte(strings.Repeat("x", int(r.Outcome.StdoutBytes)))); r.StdoutHash != want {
			t.Errorf("the digest is not that of the %d bytes that were taken", r.Outcome.StdoutBytes)
		}
	})
	t.Run("cancelled, after the guest's end", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, errors.New("enough"))
		defer cancel()
		_, w := pipe2(t)
		j := described(t, "write-1000000") // more than the pipe holds, less than the worker's own
		j.Stdout = w
		r := play(ctx, t, supervisor(t, realConfig()), j)
		r.wantStatus(t, job.Cancelled, "enough")
		if !r.Outcome.Truncated {
			t.Error("output is not truncated")
		}
	})
}

// refuse is an output that takes nothing.
type refuse struct{ err error }

func (r refuse) Write([]byte) (int, error) { return 0, r.err }

// TestBrokenOutput cannot write.
func TestBrokenOutput(t *testing.T) {
	t.Parallel()
	own := &job.Error{Code: job.CodeIO, Message: "out.txt: no space left on device"}
	for _, test := range []struct {
		err   error
		cause string
	}{{unix.EPIPE, "writing the output: broken pipe"}, {own, "out.txt: no space left on device"}} {
		for _, stream := range []string{"stdout", "stderr"} {
			j := described(t, "flood-both")
			if stream == "stdout" {
				j.Stdout = refuse{test.err}
			} else {
				j.Stderr = refuse{test.err}
			}
			r := play(t.Context(), t, supervisor(t, realConfig()), j)
			r.wantStatus(t, job.Cancelled, test.cause)
			if e, ok := errors.AsType[*job.Error](r.Cause); !ok || e.Code != job.CodeIO ||
				!errors.Is(r.Cause, test.err) || !r.Outcome.Truncated {
				t.Errorf("%s: %#v", stream, r.Cause)
			}
		}
	}
}

// TestWorkerKilled kills a real worker from outside, while its guest runs.
func TestWorkerKilled(t *testing.T) {
	t.Parallel()
	cfg := realConfig()
	file := filepath.Join(t.TempDir(), "pid")
	cfg.Worker = withPID(cfg.Worker, file)
	j := described(t, "hang")
	j.Stdout = &atReady{call: func() {
		if err := unix.Kill(pidFrom(t, file), unix.SIGKILL); err != nil {
			t.Error(err)
		}
	}}
	r := play(t.Context(), t, supervisor(t, cfg), j)
	r.wantStatus(t, job.EngineFailed, "the worker was killed: signal 9 (killed)")
	if r.Outcome.StdoutBytes != 6 {
		t.Errorf("of %d bytes of output before its death %d are known", 6, r.Outcome.StdoutBytes)
	}
}

// withPID is a worker's command line that leaves the number of each worker in a file.
func withPID(command []string, file string) []string {
	return append([]string{"/bin/sh", "-c", `echo $$ >>"$0"; exec "$@"`, file}, command...)
}

// pidFrom returns the number of the worker that lives: the one that compiled is gone
// when another runs.
func pidFrom(t *testing.T, file string) (pid int) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
	}
	for line := range strings.FieldsSeq(string(data)) {
		if pid, err = strconv.Atoi(line); err != nil {
			t.Error(err)
		}
		if unix.Kill(pid, 0) == nil {
			return pid
		}
	}
	return pid
}
