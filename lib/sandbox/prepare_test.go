package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plasm/lib/job"
	"plasm/lib/meter"
	"plasm/test/bin"
	"plasm/test/hostile"
)

// engineConfig is for workers that are handed prepared modules by a worker that takes
// the steps of mode, and whose guest writes the digest of what it was handed.
func engineConfig(t *testing.T, mode string) Config {
	t.Helper()
	cfg := fakeConfig(t, "version=dev ready=landlock module loaded unless-compile started tell-module ended")
	self, err := os.Executable()
	must(t, err)
	cfg.Preparer, cfg.Version = []string{self, fakeMode, "version=dev " + mode}, "dev" // what plasm-run is of here
	return cfg
}

// asked is a job whose module is to be rewritten.
func asked(t *testing.T, fuel int64, nan bool) *Job {
	t.Helper()
	j := described(t, "both")
	j.Manifest.Fuel, j.Manifest.CanonicalNaN = fuel, nan
	return j
}

// TestPreparer hands an engine's worker what a worker of plasm-run has prepared,
// whether its machine code is kept, found, or of this job alone.
func TestPreparer(t *testing.T) {
	t.Parallel()
	for name, j := range map[string]*Job{
		"nothing": asked(t, 0, false), "fuel": asked(t, 1000, false), "NaNs": asked(t, 0, true),
		"both": asked(t, 1000, true),
	} {
		want := j.Module
		if o := (meter.Options{
			Fuel: j.Manifest.Fuel > 0, CanonicalNaN: j.Manifest.CanonicalNaN,
			Limits: meter.DefaultLimits(),
		}); o.Fuel || o.CanonicalNaN {
			var err error
			want, err = meter.Rewrite(j.Module, o)
			must(t, err)
		}
		for _, cache := range []bool{false, true} {
			cfg := engineConfig(t, "")
			cfg.Preparer = bin.Worker(built)
			if cache {
				cfg.CacheDir = filepath.Join(t.TempDir(), "cache")
			}
			s := supervisor(t, cfg)
			for try := range 2 {
				r := play(t.Context(), t, s, j)
				r.wantExit(t, 0)
				if got := job.Digest(r.stdout.String()); got != job.Sum(want) {
					t.Errorf("%s, cache %v, try %d: it was handed %s, want %s", name, cache, try, got, job.Sum(want))
				}
				if hit := cache && try > 0; r.Outcome.CompileCached != hit || (r.Outcome.CompileTimeUS == 0) != hit {
					t.Errorf("%s, cache %v, try %d: %+v", name, cache, try, r.Outcome)
				}
				j.Stdout = nil
			}
		}
	}
}

// TestPreparerIsSpared starts no second worker for what is in the cache, and has
// nothing to be rewritten.
func TestPreparerIsSpared(t *testing.T) {
	t.Parallel()
	tally := filepath.Join(t.TempDir(), "tally")
	cfg := engineConfig(t, "tally="+tally+",0 ready=process,landlock module loaded")
	cfg.CacheDir = filepath.Join(t.TempDir(), "cache")
	s := supervisor(t, cfg)
	for try := range 3 {
		play(t.Context(), t, s, asked(t, 0, false)).wantExit(t, 0)
		if started, err := os.ReadFile(tally); err != nil || len(started) != 1 {
			t.Errorf("job %d: %d workers have prepared, %v", try, len(started), err)
		}
	}
}

// TestPreparerRefuses refuses what is beyond a static limit before an engine sees it.
func TestPreparerRefuses(t *testing.T) {
	t.Parallel()
	cfg := fakeConfig(t, "version=dev ready=landlock module say=saw_it exit=1")
	cfg.Preparer, cfg.Version, cfg.CacheDir = bin.Worker(built), "dev", filepath.Join(t.TempDir(), "cache")
	s, refused := supervisor(t, cfg), 0
	for _, c := range hostile.Cases() {
		// that is for the job to allow
		if c.Want.Code != job.CodeModuleRefused || strings.Contains(c.Want.Says, "memory begins") {
			continue
		}
		refused++
		j := described(t, "nothing")
		j.Module = c.Module()
		j.Manifest.ModuleHash = job.Sum(j.Module)
		if _, err := s.Run(t.Context(), j); codeOf(err) != c.Want.Code {
			t.Errorf("%s: %v, want %s", c.Name, err, c.Want.Code)
		}
	}
	if refused == 0 {
		t.Error("nothing was to be refused")
	}
}

// TestLyingPreparers is for workers that prepare as they should not.
func TestLyingPreparers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, mode string
		fuel       int64
		code       job.Code
		words      string
	}{
		{
			"another version", "version=v1 ready=process hang", 1, job.CodeUnsupported,
			"which is of plasm v1, and should be of dev",
		},
		{
			"dies at once", "say=boom exit=3", 1, job.CodeInternal,
			"the worker died before it took the job: exit code 3: boom",
		},
		{"dies with the module", "ready=process module kill", 1, job.CodeInternal, "was killed: signal 9"},
		{"dies in the middle", "ready=process module prepared=70000 kill", 1, job.CodeInternal, "was killed: signal 9"},
		{"nothing", "ready=process module loaded hang", 1, job.CodeInternal, "frame 'l' while it prepares"},
		{"starts unasked", "ready=process module started hang", 0, job.CodeInternal, "frame 's' while it prepares"},
		{"too much", "ready=process module prepared=67108865 hang", 1, job.CodeInternal, "more than 67108864 bytes"},
		{"starts", "ready=process module started hang", 1, job.CodeInternal, "frame 's' while it prepares"},
		{"refuses", "ready=process module failed=module_refused,too-deep hang", 1, job.CodeModuleRefused, "too-deep"},
		{"blames others", "ready=process module failed=guards,x hang", 1, job.CodeInternal, "x"},
		{"hangs", "ready=process module hang", 1, job.CodeCompileLimit, "more than 10s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := engineConfig(t, test.mode)
			if test.name == "hangs" {
				cfg.CompileTimeout = 10 * time.Second
			}
			_, err := supervisor(t, cfg).Run(t.Context(), asked(t, test.fuel, false))
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != test.code || !strings.Contains(e.Message, test.words) {
				t.Errorf("%v; want %s, …%s…", err, test.code, test.words)
			}
		})
	}
}

// TestPreparerGuards wants of a preparing worker what it wants of the other.
func TestPreparerGuards(t *testing.T) {
	t.Parallel()
	j := asked(t, 0, false)
	j.RequireGuards = []string{"landlock"}
	_, err := supervisor(t, engineConfig(t, "ready=process module say=saw_it exit=1")).Run(t.Context(), j)
	if codeOf(err) != job.CodeGuards {
		t.Errorf("%v", err)
	}
}
