package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// TestCodeIsRefused is for compiling workers that leave what they must not. Nothing of
// it is kept or run.
func TestCodeIsRefused(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"nothing", "huge"} {
		cfg := fakeConfig(t, "ready=process,landlock unless-run module code-"+what+" loaded")
		cfg.CacheDir = t.TempDir()
		_, err := supervisor(t, cfg).Run(t.Context(), described(t, "nothing"))
		if got := codeOf(err); got != job.CodeInternal {
			t.Errorf("%s: %v", what, err)
		}
		if keys := entries(t, cfg.CacheDir); len(keys) > 0 {
			t.Errorf("%s: kept is %v", what, keys)
		}
	}
}

// TestCodeIsHandedOver takes machine code from one worker to the next, with a cache and
// without one: it can be read there, and not changed. Without Landlock nothing is kept.
func TestCodeIsHandedOver(t *testing.T) {
	t.Parallel()
	const mode = " unless-compile module loaded started tell-code ended"
	for _, test := range []struct {
		name, guards string
		cache        bool
		kept         int
	}{
		{"kept", "process,landlock", true, 1},
		{"no Landlock", "process", true, 0},
		{"no cache", "process,landlock", false, 0},
		{"neither", "process", false, 0},
	} {
		cfg := fakeConfig(t, "ready="+test.guards+mode)
		dir := t.TempDir()
		if test.cache {
			cfg.CacheDir = dir
		}
		s := supervisor(t, cfg)
		for _, again := range []bool{false, true} {
			r := play(t.Context(), t, s, described(t, "nothing"))
			r.wantExit(t, 0)
			if got := r.stdout.String(); got != "compiled, writing true" {
				t.Errorf("%s: the worker has %q", test.name, got)
			}
			if r.Outcome.CompileCached != (again && test.kept > 0) {
				t.Errorf("%s: cached is %v", test.name, r.Outcome.CompileCached)
			}
		}
		keys := entries(t, dir)
		if len(keys) != test.kept {
			t.Fatalf("%s: there are %d entries", test.name, len(keys))
		}
		if test.kept > 0 {
			data, err := os.ReadFile(filepath.Join(dir, keys[0], codeFile))
			if string(data) != "compiled" || err != nil {
				t.Errorf("kept is %q, %v", data, err)
			}
		}
	}
}

// TestRequesters have each their own: none learns what another has had compiled.
func TestRequesters(t *testing.T) {
	t.Parallel()
	cfg := cachedConfig(t)
	s := supervisor(t, cfg)
	for _, test := range []struct {
		who    string
		cached bool
	}{{"one", false}, {"two", false}, {"", false}, {"one", true}, {"two", true}, {"", true}} {
		j := described(t, "exit-3")
		j.Requester = test.who
		r := play(t.Context(), t, s, j)
		r.wantExit(t, 3)
		if r.Outcome.CompileCached != test.cached {
			t.Errorf("%q: cached %v", test.who, r.Outcome.CompileCached)
		}
	}
	if keys := entries(t, cfg.CacheDir); len(keys) != 3 {
		t.Errorf("entries are %v", keys)
	}
}

// TestStaleCode is for an engine that does not take what is in the cache: the module is
// compiled anew, once, and another time it is an error.
func TestStaleCode(t *testing.T) {
	t.Parallel()
	for times, want := range map[string]job.Code{"2": "", "9": job.CodeInternal} {
		// Workers: compile, run (stale), compile, run.
		cfg := fakeConfig(t, "tally="+filepath.Join(t.TempDir(), "tally")+
			",0 ready=process,landlock module stale-until="+times+" loaded started ended")
		cfg.CacheDir = t.TempDir()
		_, err := supervisor(t, cfg).Run(t.Context(), described(t, "nothing"))
		if got := codeOf(err); got != want {
			t.Errorf("stale %s times: %v", times, err)
		}
	}
}

// TestCompilingWorkerFails tells the module's fault from the system's.
func TestCompilingWorkerFails(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]job.Code{
		"failed=bad_module,x":   job.CodeBadModule,
		"failed=io,no-room":     job.CodeIO,
		"exit=1":                job.CodeCompileLimit,
		"kill":                  job.CodeInternal,
		"started hang":          job.CodeInternal,
		`:\x00\x00\x00\x00\xff`: job.CodeInternal,
	} {
		for _, dir := range []string{t.TempDir(), ""} {
			cfg := fakeConfig(t, "ready=process,landlock unless-run module "+mode)
			cfg.CacheDir = dir
			_, err := supervisor(t, cfg).Run(t.Context(), described(t, "nothing"))
			if got := codeOf(err); got != want {
				t.Errorf("%s: %#v", mode, err)
			}
			if dir == "" {
				continue
			}
			if keys := entries(t, dir); len(keys) > 0 {
				t.Errorf("%s: kept is %v", mode, keys)
			}
		}
	}
}

// TestWorkersKilled has something kill the workers that compile, of which the
// module is not guilty: another is tried, but not for ever.
func TestWorkersKilled(t *testing.T) {
	t.Parallel()
	for killed, want := range map[int]job.Code{1: "", mostWorkers - 1: "", mostWorkers: job.CodeInternal} {
		tally := filepath.Join(t.TempDir(), "tally")
		cfg := fakeConfig(t, fmt.Sprintf("ready=process,landlock unless-run module killed=%s,%d code-good loaded",
			tally, killed))
		_, err := supervisor(t, cfg).Run(t.Context(), described(t, "nothing"))
		if got := codeOf(err); got != want {
			t.Errorf("%d killed: %v", killed, err)
		}
		info, err := os.Stat(tally)
		if tried := int64(min(killed+1, mostWorkers)); err != nil || info.Size() != tried {
			t.Errorf("%d killed: %v workers, %v; want %d", killed, info, err, tried)
		}
	}
}

// TestAssignments looks at what a compiling worker learns: never how much memory the
// guest may have, by which it would take more for itself.
func TestAssignments(t *testing.T) {
	t.Parallel()
	j := described(t, "nothing")
	j.Manifest.MemoryMB = 4096
	r := newRun(New(realConfig()), j, nil)
	t.Cleanup(r.s.Close)
	for _, task := range []wire.Task{wire.Prepare, wire.Compile, wire.Run} {
		if got := r.assignment(task, true).MemoryMB; (got == 4096) != (task == wire.Run) {
			t.Errorf("%s: %d MB", task, got)
		}
	}
}
