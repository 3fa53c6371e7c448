package sandbox

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
)

// noCode replaces the process by a program that may make no memory executable. It
// returns only where that does not work.
func noCode(command []string) int {
	if unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == nil {
		_ = unix.Exec(command[0], command, os.Environ())
	}
	return 1
}

// TestNoExecutableMemory runs jobs where memory that was written cannot be made
// executable: no module is to blame.
func TestNoExecutableMemory(t *testing.T) {
	t.Parallel()
	if _, err := unix.PrctlRetInt(unix.PR_GET_MDWE, 0, 0, 0, 0); err != nil {
		t.Skip("PR_SET_MDWE:", err) // before Linux 6.3
	}
	self, err := os.Executable()
	must(t, err)
	cfg := realConfig()
	cfg.Worker = append([]string{self, noCodeMode}, cfg.Worker...)
	cached := cfg
	cached.CacheDir = t.TempDir()
	for name, run := range map[string]func() error{
		"a job": func() error {
			_,
				err := supervisor(t, cfg).Run(t.Context(), described(t, "nothing"))
			return err
		},
		"a job that is cached": func() error {
			_,
				err := supervisor(t, cached).Run(t.Context(), described(t, "nothing"))
			return err
		},
		"the probe": func() error { _, err := supervisor(t, cfg).Probe(t.Context(), nil); return err },
	} {
		wantFault(t, name, run(), job.CodeUnsupported,
			"engine: it makes memory executable, and here that is refused: permission denied",
			"MemoryDenyWriteExecute=no")
	}
}

// wantFault checks an error that blames this machine.
func wantFault(t *testing.T, name string, err error, code job.Code, words, hint string) {
	t.Helper()
	e, ok := errors.AsType[*job.Error](err)
	if !ok || e.Code != code || !strings.Contains(e.Message, words) || !strings.Contains(e.Hint, hint) {
		t.Errorf("%s: %#v, want %s, …%s…, hint …%s…", name, err, code, words, hint)
	}
}

// TestLimitsOfThisMachine starts workers with less than a job is to have.
func TestLimitsOfThisMachine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, limit string
		memory      int64
		words, hint string // none: the job runs
	}{
		{"enough data", "-d 600000", 256, "", ""},
		{
			"too little data", "-d 589823", 256,
			"the limit on data memory is too low: it is 589823 KiB, and a job with 256 MB needs 589824 KiB",
			"ulimit -d 589824",
		},
		{"too little for much", "-d 600000", 512, "and a job with 512 MB needs 851968 KiB", "ulimit -d 851968"},
		{"enough address space", "-v 2100000", 256, "", ""},
		{
			"too little address space", "-v 1800000", 256,
			"the limit on address space is too low: it is 1800000 KiB, and a job with 256 MB needs ", "ulimit -v ",
		},
	} {
		cfg := realConfig()
		cfg.Worker = append([]string{"/bin/sh", "-c", "ulimit " + test.limit + ` && exec "$0" "$@"`}, cfg.Worker...)
		j := described(t, "nothing")
		j.Manifest.MemoryMB = test.memory
		r, err := supervisor(t, cfg).Run(t.Context(), j)
		switch {
		case test.words != "":
			wantFault(t, test.name, err, job.CodeUnsupported, test.words, test.hint)
		case err != nil || r.Outcome.Status != job.Exit:
			t.Errorf("%s: %+v, %v", test.name, r, err)
		}
	}
}
