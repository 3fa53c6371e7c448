package limit_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/lib/limit"
)

func TestTooLow(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		of         limit.Resource
		have, need uint64
		words      string
		hint       string
	}{
		{
			limit.AddressSpace, 1 << 20, 1<<20 + 1, "address space is too low: it is 1024 KiB, and x needs 1025 KiB",
			"raise it: ulimit -v 1025",
		},
		{
			limit.CPU, 5, limit.Unlimited, "processor time is too low: it is 5 s, and x needs unlimited",
			"raise it: ulimit -t unlimited",
		},
		{limit.Files, 5, 64, "open files is too low: it is 5, and x needs 64", "raise it: ulimit -n 64"},
	} {
		e := test.of.TooLow(test.have, "x", test.need)
		if e.Code != job.CodeUnsupported || e.Message != "the limit on "+test.words || e.Hint != test.hint {
			t.Errorf("%#v", e)
		}
	}
}

// TestCheck asks for what this process has, and for more.
func TestCheck(t *testing.T) {
	t.Parallel()
	if err := (limit.Need{Data: 1, Files: 1, CPU: 1, Signals: 1}).Check("x"); err != nil {
		t.Error(err)
	}
	now, _ := limit.Files.Get()
	err := limit.Need{Files: now + 1}.Check("x")
	if e, ok := errors.AsType[*job.Error](err); now < limit.Unlimited &&
		(!ok || !strings.Contains(e.Message, "the limit on open files is too low: it is ")) {
		t.Errorf("got %v", err)
	}
}

// TestThreads counts the threads of a process that is left out the second time.
func TestThreads(t *testing.T) {
	t.Parallel()
	child := exec.CommandContext(t.Context(), "sleep", "3600")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	mine := func(pid, parent int) bool { return pid != child.Process.Pid || parent != os.Getpid() }
	alone, err := limit.Threads(os.Geteuid(), mine)
	if err != nil || alone != 1 {
		t.Errorf("the child has %d threads, %v", alone, err)
	}
	none, err := limit.Threads(os.Geteuid(), func(int, int) bool { return true })
	if err != nil || none != 0 {
		t.Errorf("without any there are %d threads, %v", none, err)
	}
	if others, err := limit.Threads(64999, nil); err != nil || others != 0 {
		t.Errorf("a user without processes has %d threads, %v", others, err)
	}
}
