package sandbox

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"plasm/lib/job"
)

// TestProbeHasTheGuardsOfAJob compares what a machine is said to have with what a job
// gets there.
func TestProbeHasTheGuardsOfAJob(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	got, err := s.Probe(t.Context(), nil)
	must(t, err)
	report, err := s.Run(t.Context(), described(t, "nothing"))
	must(t, err)
	if !slices.Equal(got, report.Guards) || !slices.Contains(got, "process") {
		t.Errorf("the machine has %q, a job had %q", got, report.Guards)
	}
}

func TestProbeOfLiars(t *testing.T) {
	t.Parallel()
	const begun = "ready=seccomp,faith,process,process module loaded started "
	got, err := supervisor(t, fakeConfig(t, begun+"ended=42")).Probe(t.Context(), nil)
	if err != nil || !slices.Equal(got, []string{"process", "seccomp"}) {
		t.Errorf("got %q, %v", got, err)
	}
	none := filepath.Join(t.TempDir(), "none")
	hangs := fakeConfig(t, "hang")
	hangs.CompileTimeout = 50 * time.Millisecond
	for name, c := range map[string]struct {
		cfg   Config
		words string
		hint  string
	}{
		"dies": {
			fakeConfig(t, "say=boom exit=3"),
			"the worker died before it took the job: exit code 3: boom", "",
		},
		"nonsense": {fakeConfig(t, ":hello, world;hang"), "broke the protocol", ""},
		"hangs":    {hangs, "did not confine itself within 50ms", ""},
		"is lost": {
			Config{Worker: []string{"plasm-run"}},
			"starting a worker: no such file or directory",
			"on Linux /proc must be there, by which a command finds its own executable",
		},
		"is none": {
			Config{Worker: []string{none}},
			"starting a worker: no such file or directory",
			"install it again: " + none,
		},
		"blames the probe": {
			fakeConfig(t, "ready=process module failed=bad_module,no"),
			"the engine cannot run a module of plasm's own: no", "",
		},
		"refuses it": {
			fakeConfig(t, "ready=process module failed=module_refused,no"),
			"the engine cannot run a module of plasm's own: no", "",
		},
		"does not run it": {
			fakeConfig(t, begun+"ended"),
			"the engine cannot run a module of plasm's own: it ended with exit", "",
		},
		"traps": {
			fakeConfig(t, begun+"end=trap,unreachable"),
			"the engine cannot run a module of plasm's own: it ended with trap", "",
		},
		"dies in it": {fakeConfig(t, begun+"exit=3"), "it ended with engine_failed: the worker died: exit code 3", ""},
	} {
		_, err := supervisor(t, c.cfg).Probe(t.Context(), nil)
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != job.CodeInternal || !strings.Contains(e.Message, c.words) {
			t.Errorf("%s: %v", name, err)
		}
		if ok && e.Hint != c.hint {
			t.Errorf("%s: hint %q", name, e.Hint)
		}
	}
}

func TestProbeCanBeCancelled(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"hang", "ready=process module loaded started hang"} {
		s := supervisor(t, fakeConfig(t, mode))
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("enough"))
		_, err := s.Probe(ctx, nil)
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeCancelled {
			t.Errorf("got %v", err)
		}
	}
}
