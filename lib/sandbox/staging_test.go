package sandbox

import (
	"os"
	"path/filepath"
	"testing"

	"plasm/lib/job"
)

// TestStagingIsRefused is for compiling workers that leave what they must not.
// Nothing of it is kept, and the job runs.
func TestStagingIsRefused(t *testing.T) {
	t.Parallel()
	for _, what := range []string{
		"nothing", "empty", "two-files", "two-folders", "file-beside", "flat", "deep", "link", "linked-folder", "fifo", "odd-name",
		"long-name", "huge",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			cfg := fakeConfig(t, "ready=process,landlock unless-run module stage-"+what+" loaded")
			cfg.CacheDir = t.TempDir()
			r := play(t.Context(), t, supervisor(t, cfg), described(t, "nothing"))
			r.wantExit(t, 0)
			if keys := entries(t, cfg.CacheDir); len(keys) > 0 || r.Outcome.CompileCached {
				t.Errorf("kept is %v, cached %v", keys, r.Outcome.CompileCached)
			}
		})
	}
}

// TestStagingIsTaken shows that the fakes above are refused for what they leave,
// and that a worker without Landlock compiles nothing for others.
func TestStagingIsTaken(t *testing.T) {
	t.Parallel()
	for guards, want := range map[string]int{"process,landlock": 1, "process": 0} {
		cfg := fakeConfig(t, "ready="+guards+" unless-run module stage-good loaded")
		cfg.CacheDir = t.TempDir()
		s := supervisor(t, cfg)
		play(t.Context(), t, s, described(t, "nothing")).wantExit(t, 0)
		keys := entries(t, cfg.CacheDir)
		if len(keys) != want {
			t.Fatalf("with %s there are %d entries", guards, len(keys))
		}
		if r := play(t.Context(), t, s, described(t, "nothing")); r.Outcome.CompileCached != (want > 0) {
			t.Errorf("with %s the second time cached is %v", guards, r.Outcome.CompileCached)
		}
		if want > 0 {
			data, err := os.ReadFile(filepath.Join(cfg.CacheDir, keys[0], codeDir, "sub", "file"))
			if string(data) != "compiled" || err != nil {
				t.Errorf("kept is %q, %v", data, err)
			}
		}
	}
}

// TestCompilingWorkerFails tells the module's fault from the disk's.
func TestCompilingWorkerFails(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]job.Code{
		"failed=bad_module,x":   job.CodeBadModule,
		"failed=io,disk-full":   "", // then it is compiled without being kept
		"exit=1":                job.CodeCompileLimit,
		"kill":                  job.CodeCompileLimit,
		"started hang":          job.CodeInternal,
		`:\x00\x00\x00\x00\xff`: job.CodeInternal,
	} {
		cfg := fakeConfig(t, "ready=process,landlock unless-run module "+mode)
		cfg.CacheDir = t.TempDir()
		_, err := supervisor(t, cfg).Run(t.Context(), described(t, "nothing"))
		if got := codeOf(err); got != want {
			t.Errorf("%s: %#v", mode, err)
		}
		if keys := entries(t, cfg.CacheDir); len(keys) > 0 {
			t.Errorf("%s: kept is %v", mode, keys)
		}
	}
}
