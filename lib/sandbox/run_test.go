package sandbox

import (
	"errors"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/wasi"
)

func TestRun(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	j := described(t, "both")
	r := play(t.Context(), t, s, j)
	r.wantExit(t, 7)
	r.wantInput(t, nil, true)
	if r.stdout.String() != "out\n" || r.stderr.String() != "err\n" {
		t.Errorf("stdout %q, stderr %q", r.stdout.String(), r.stderr.String())
	}
	o := r.Outcome
	if o.MemoryBytes != 64<<10 || o.Truncated || o.CompileCached || o.CompileTimeUS <= 0 || o.CPUTimeUS <= 0 ||
		o.WallTimeUS < 0 {
		t.Errorf("outcome %+v", o)
	}
	if runtime.GOOS == "linux" && !slices.Contains(r.Guards, "rlimits") || !slices.Contains(r.Guards, "process") {
		t.Errorf("guards are %v", r.Guards)
	}
}

// TestGuardsAreProvedEachTime runs many workers: a guard that is there must be
// found by each of them.
func TestGuardsAreProvedEachTime(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	first := play(t.Context(), t, s, described(t, "nothing")).Guards
	for range 30 {
		if r := play(t.Context(), t, s, described(t, "nothing")); !slices.Equal(r.Guards, first) {
			t.Errorf("guards are %v, and were %v", r.Guards, first)
		}
	}
	if runtime.GOOS == "linux" && !slices.Contains(first, "pdeathsig") {
		t.Errorf("guards are %v", first)
	}
}

// TestAssignment hands a guest all that a job can have.
func TestAssignment(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	j := described(t, "args")
	j.Manifest.Args = []string{"one", "", "two words"}
	if r := play(t.Context(), t, s, j); r.stdout.String() != "module\x00one\x00\x00two words\x00" {
		t.Errorf("arguments are %q", r.stdout.String())
	}
	j = described(t, "env")
	j.Manifest.Env = map[string]string{"B": "2=2", "A": "1", "C": ""}
	if r := play(t.Context(), t, s, j); r.stdout.String() != "A=1\x00B=2=2\x00C=\x00" {
		t.Errorf("the environment is %q", r.stdout.String())
	}
	j = described(t, "random")
	j.Manifest.Seed = 1
	if r := play(t.Context(), t, s, j); !strings.HasPrefix(r.stdout.String(), "a0956ed007ec77ea") {
		t.Errorf("random bytes of seed 1 are %q", r.stdout.String())
	}
	j = described(t, "clocks")
	j.Manifest.Deterministic = false
	if r := play(t.Context(), t, s, j); strings.HasPrefix(r.stdout.String(), strconv.FormatInt(wasi.Epoch, 10)) {
		t.Errorf("the real clock says %q", r.stdout.String())
	}
	j = described(t, "grow")
	j.Manifest.MemoryMB = 3
	if r := play(t.Context(), t, s, j); r.stdout.String() != "48\n" || r.Outcome.MemoryBytes != 3<<20 {
		t.Errorf("grown to %q pages, peak %d", r.stdout.String(), r.Outcome.MemoryBytes)
	}
	j = described(t, "fd-exhaust")
	j.Dirs = []engine.Dir{{Host: t.TempDir(), Dir: job.Dir{Guest: "/"}}}
	if r := play(t.Context(), t, s, j); r.stdout.String() == "0\n8\n" || r.Outcome.Status != job.Exit {
		t.Errorf("a guest with a folder: %+v, %q", r.Outcome, r.stdout.String())
	}
}

func TestTrap(t *testing.T) {
	t.Parallel()
	r := play(t.Context(), t, supervisor(t, realConfig()), described(t, "unreachable"))
	r.wantStatus(t, job.Trap, "")
	if r.Outcome.Trap != job.TrapUnreachable || r.stdout.String() != "before\n" {
		t.Errorf("trap %q, stdout %q", r.Outcome.Trap, r.stdout.String())
	}
}

func TestBadModule(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]job.Code{
		"text": job.CodeBadModule, "import-env": job.CodeBadModule,
		"min-memory-4097": job.CodeModuleRefused,
	} {
		for _, cached := range []bool{false, true} {
			cfg := realConfig()
			if cached {
				cfg.CacheDir = t.TempDir()
			}
			_, err := supervisor(t, cfg).Run(t.Context(), described(t, name))
			if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != want {
				t.Errorf("%s, with a cache %v: %#v", name, cached, err)
			}
		}
	}
}

// TestManyAtOnce runs jobs of one supervisor side by side.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	done := make(chan string, 12)
	for n := range cap(done) {
		go func() {
			j := described(t, "exit-"+strconv.Itoa(n))
			s.Warm()
			report, err := s.Run(t.Context(), j)
			if err != nil || report.Outcome.ExitCode == nil || int(*report.Outcome.ExitCode) != n {
				done <- strconv.Itoa(n) + " has ended otherwise"
				return
			}
			done <- ""
		}()
	}
	for range cap(done) {
		if wrong := <-done; wrong != "" {
			t.Error(wrong)
		}
	}
}
