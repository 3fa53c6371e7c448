package serve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
	"plasm/lib/sandbox"
	"plasm/lib/store"
)

func TestWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	limits := job.NodeLimits{MemoryMB: 128, TimeoutMS: 1000, ModuleBytes: 10, InputBytes: 10, OutputBytes: 1000}
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}, limits: &limits})
	r := newRequester(t, n, nil)
	for _, test := range []struct {
		code       job.RejectCode
		need, have job.Value
		change     func(*testJob)
	}{
		{job.RejectMemory, int64(129), int64(128), func(j *testJob) { j.manifest.MemoryMB = 129 }},
		{job.RejectCPUCores, int64(5), int64(4), func(j *testJob) { j.manifest.CPUCores = 5 }},
		{job.RejectTimeout, int64(1001), int64(1000), func(j *testJob) { j.manifest.TimeoutMS = 1001 }},
		{job.RejectModuleTooLarge, int64(11), int64(10), func(j *testJob) { j.module = make([]byte, 11) }},
		{job.RejectInputTooLarge, int64(11), int64(10), func(j *testJob) { j.stdin = make([]byte, 11) }},
		{job.RejectOutputTooLarge, int64(1001), int64(1000), func(j *testJob) { j.manifest.OutputLimitBytes = 1001 }},
		{job.RejectArch, "pdp11", nil, func(j *testJob) { j.manifest.Arch = "pdp11" }},
		{job.RejectEngine, "steam", nil, func(j *testJob) { j.manifest.Engine = "steam" }},
		{job.RejectBadManifest, nil, nil, func(j *testJob) { j.manifest.Dirs = []job.Dir{{Guest: "/data"}} }},
		{job.RejectBadManifest, nil, nil, func(j *testJob) { j.manifest.TimeoutMS = 0 }},
	} {
		j := newJob([]byte("module"), []byte("input"))
		j.manifest.TimeoutMS, j.manifest.OutputLimitBytes = 1000, 1000
		test.change(j)
		a := r.open(j).end()
		a.rejected(t, test.code)
		if a.rejection.Need != test.need || test.have != nil && a.rejection.Have != test.have {
			t.Errorf("%s: %+v", test.code, a.rejection)
		}
	}
	j := newJob([]byte("0123456789"), []byte("0123456789"))
	j.manifest.TimeoutMS, j.manifest.OutputLimitBytes, j.manifest.MemoryMB, j.manifest.CPUCores = 1000, 1000, 128, 4
	r.outcome(j, r.run(j))
}

func TestStorage(t *testing.T) {
	t.Parallel()
	g := newGate()
	n := startNode(t, setup{
		Config: Config{Run: fakeRun(g.play)},
		store:  store.Config{JobBytes: 10 << 20, ContentBytes: 100_000},
	})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), nil)
	j.manifest.OutputLimitBytes = 11 << 20
	a := r.open(j).end()
	a.rejected(t, job.RejectOutputTooLarge)
	if a.rejection.Have != int64(10<<20) {
		t.Errorf("%+v", a.rejection)
	}
	j.manifest.OutputLimitBytes = 6 << 20
	c := r.open(j).until(wire.KindAccept).give()
	wait(t, "the job", g.entered)
	other := newJob([]byte("module"), nil)
	other.manifest.OutputLimitBytes = 6 << 20
	a = r.open(other).end()
	a.rejected(t, job.RejectBusy)
	if a.rejection.RetryAfterMS < 1 {
		t.Errorf("%+v", a.rejection)
	}
	close(g.open)
	r.outcome(j, c.end())
	n.idle(t)
	r.outcome(other, r.run(other)) // for which the first's result need not go: it is small
	big := newJob(make([]byte, 100_001), nil)
	c = r.open(big).until(wire.KindAccept)
	_ = c.SendData(wire.KindModule, big.module) // the answer may come before it is through
	c.end().rejected(t, job.RejectModuleTooLarge)
}

func TestModulesAreEachRequesters(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	r, other := newRequester(t, n, nil), newRequester(t, n, nil)
	for i, asked := range []bool{true, false} {
		j := newJob([]byte("module"), nil)
		if a := r.run(j); a.accept.Module != asked {
			t.Errorf("offer %d: %+v", i, a.accept)
		}
	}
	if a := other.run(newJob([]byte("module"), nil)); !a.accept.Module {
		t.Error("another requester learns that the module is here")
	}
}

// TestResultThatCannotBeKept takes a job's folder away under it: a receipt that is
// not kept is not shown.
func TestResultThatCannotBeKept(t *testing.T) {
	t.Parallel()
	g := newGate()
	dir := t.TempDir()
	n := startNode(t, setup{Config: Config{Run: fakeRun(g.play)}, dir: dir})
	r := newRequester(t, n, nil)
	j := newJob([]byte("module"), nil)
	c := r.open(j).until(wire.KindAccept).give()
	wait(t, "the job", g.entered)
	folders, _ := filepath.Glob(filepath.Join(dir, "unfinished", "job-*"))
	for _, folder := range folders {
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
	}
	close(g.open)
	a := c.end()
	a.rejected(t, job.RejectInternal)
	if len(folders) != 1 || strings.Contains(a.rejection.Message, dir) {
		t.Errorf("%d folders, %q", len(folders), a.rejection.Message)
	}
	if a := r.run(j); a.accept.Attached || a.receipt == nil {
		t.Errorf("the ID is not free: %+v", a.accept)
	}
}

func TestStoreRejections(t *testing.T) {
	t.Parallel()
	n := startNode(t, setup{Config: Config{Run: fakeRun(echo)}})
	wrap := func(err error) error {
		return &job.Error{Code: job.CodeIO, Message: "/secret/path: " + err.Error(), Err: err}
	}
	for _, test := range []struct {
		err  error
		want job.RejectCode
	}{
		{wrap(&store.RoomError{Need: 2, Most: 1}), job.RejectInputTooLarge},
		{wrap(&store.RoomError{Need: 1, Most: 2}), job.RejectBusy},
		{wrap(syscall.ENOSPC), job.RejectInternal},
		{wrap(syscall.EIO), job.RejectInternal},
	} {
		r := n.storeRejection(test.err, job.RejectInputTooLarge)
		if r.Code != test.want || strings.Contains(r.Message, "secret") ||
			(r.RetryAfterMS > 0) != (r.Code == job.RejectBusy) {
			t.Errorf("%v: %+v", test.err, r)
		}
	}
}

// TestStartRejections has the supervisor refuse jobs.
func TestStartRejections(t *testing.T) {
	t.Parallel()
	for code, want := range map[job.Code]job.RejectCode{
		job.CodeBadModule: job.RejectBadModule, job.CodeModuleRefused: job.RejectModuleRefused,
		job.CodeCompileLimit: job.RejectCompileLimit, job.CodeGuards: job.RejectGuards,
		job.CodeIO: job.RejectInternal, job.CodeInternal: job.RejectInternal,
	} {
		n := startNode(t, setup{Config: Config{Run: func(context.Context, *sandbox.Job) (*sandbox.Report, error) {
			return nil, &job.Error{Code: code, Message: "words"}
		}}})
		r := newRequester(t, n, nil)
		j := newJob([]byte("module"), nil)
		a := r.run(j)
		a.rejected(t, want)
		if (a.rejection.Message == "words") != (want != job.RejectInternal) {
			t.Errorf("%s: %+v", code, a.rejection)
		}
		n.idle(t)
		if _, there, _ := n.store.Find(r.key.PeerID(), j.manifest.ID); there {
			t.Errorf("%s: something was kept", code)
		}
	}
}

// TestSlowReaders has a requester fill the storage with results that it doesn't
// take: another one's job is accepted, and the first one can ask again.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	const output = 4 << 20
	big := func(_ context.Context, g *fakeProgram) job.Status {
		_, _ = g.Write(make([]byte, output))
		return job.Exit
	}
	n := startNode(t, setup{Config: Config{Run: fakeRun(big)}, store: store.Config{JobBytes: 3 * output}})
	r, other := newRequester(t, n, nil), newRequester(t, n, nil)
	for range 2 {
		j := newJob([]byte("module"), nil)
		j.manifest.OutputLimitBytes = output
		r.open(j).until(wire.KindAccept).give() // and reads no further
	}
	eventually(t, "the results are kept", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.seen.count("ended exit") == 2 && len(n.tasks) == 0
	})
	j := newJob([]byte("module"), nil)
	j.manifest.OutputLimitBytes = output
	other.outcome(j, other.run(j))
}

// TestCauses: what a node says of a started job that it has ended, and that the words of
// its files and workers stay with it.
func TestCauses(t *testing.T) {
	t.Parallel()
	secret := func(err error) error { return &job.Error{Message: "/secret/path", Err: err} }
	for _, test := range []struct {
		status job.Status
		cause  error
		reject job.RejectCode // "": nothing is said
		words  string
	}{
		{job.Exit, nil, "", ""},
		{job.OutOfMemory, nil, "", ""},
		{job.Cancelled, errCancelled, "", ""},
		{job.Cancelled, errShuttingDown, job.RejectShuttingDown, "the node is shutting down"},
		{job.Cancelled, &refusalError{internal("no")}, job.RejectInternal, "no"},
		{job.Cancelled, secret(syscall.ENOSPC), job.RejectInternal, "the node's disk is full"},
		{job.Cancelled, secret(io.ErrUnexpectedEOF), job.RejectInternal, "the node's storage does not work"},
		{
			job.OutOfMemory, secret(sandbox.ErrNoMemory), job.RejectMemory,
			"the node is out of memory, and its kernel has killed the program's worker",
		},
		{job.EngineFailed, secret(nil), job.RejectInternal, "the program's worker died, or was killed"},
	} {
		s := &Server{log: slog.New(slog.DiscardHandler)}
		var got job.Rejection
		if r := s.causeOf(&sandbox.Report{Outcome: job.Outcome{Status: test.status}, Cause: test.cause}); r != nil {
			got = *r
		}
		if got.Code != test.reject || got.Message != test.words {
			t.Errorf("%s, %v: %+v", test.status, test.cause, got)
		}
	}
}

// TestWordsThatStay has a worker die, and one not fit: what they said of the machine
// is in the log, and not in the answer.
func TestWordsThatStay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code   job.Code
		cause  error
		reject job.RejectCode
		words  string
	}{
		{
			job.CodeCompileLimit, sandbox.ErrDied, job.RejectCompileLimit,
			"the worker died while it compiled or loaded the module",
		},
		{job.CodeUnsupported, sandbox.ErrNoWorker, job.RejectEngine, "the node's engine cannot be used now"},
		{
			job.CodeInternal, sandbox.ErrNoMemory, job.RejectMemory,
			"the node is out of memory, and its kernel has killed the program's worker",
		},
	} {
		var log bytes.Buffer
		s := &Server{log: slog.New(slog.NewTextHandler(&log, nil))}
		err := &job.Error{Code: test.code, Message: "goroutine 1: /secret/path", Err: errors.Join(test.cause, io.EOF)}
		r := s.startRejection(t.Context(), err).verdict
		if r.Code != test.reject || r.Message != test.words {
			t.Errorf("%s: %+v", test.code, r)
		}
		if !strings.Contains(log.String(), "/secret/path") {
			t.Errorf("%s: the log has %q", test.code, log.String())
		}
	}
}
