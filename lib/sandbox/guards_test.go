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

// TestGuardsAreThoseOfAJob compares what a machine is said to have with what a job
// gets there.
func TestGuardsAreThoseOfAJob(t *testing.T) {
	t.Parallel()
	s := supervisor(t, realConfig())
	got, err := s.Guards(t.Context())
	must(t, err)
	report, err := s.Run(t.Context(), described(t, "nothing"))
	must(t, err)
	if !slices.Equal(got, report.Guards) || !slices.Contains(got, "process") {
		t.Errorf("the machine has %q, a job had %q", got, report.Guards)
	}
}

func TestGuardsOfLiars(t *testing.T) {
	t.Parallel()
	got, err := supervisor(t, fakeConfig(t, "ready=seccomp,faith,process,process hang")).Guards(t.Context())
	if err != nil || !slices.Equal(got, []string{"process", "seccomp"}) {
		t.Errorf("got %q, %v", got, err)
	}
	none := filepath.Join(t.TempDir(), "none")
	hangs := fakeConfig(t, "hang")
	hangs.CompileTimeout = 50 * time.Millisecond
	for name, c := range map[string]struct {
		cfg   Config
		code  job.Code
		words string
		hint  string
	}{
		"dies":     {fakeConfig(t, "say=boom exit=3"), job.CodeInternal, "the worker died before it took the job: exit code 3: boom", ""},
		"nonsense": {fakeConfig(t, ":hello, world;hang"), job.CodeInternal, "broke the protocol", ""},
		"hangs":    {hangs, job.CodeInternal, "did not confine itself within 50ms", ""},
		"is lost":  {Config{Worker: []string{"plasm-run"}}, job.CodeInternal, "starting a worker: no such file or directory", "on Linux /proc must be there, by which a command finds its own executable"},
		"is none":  {Config{Worker: []string{none}}, job.CodeInternal, "starting a worker: no such file or directory", "install it again: " + none},
	} {
		_, err := supervisor(t, c.cfg).Guards(t.Context())
		e, ok := errors.AsType[*job.Error](err)
		if !ok || e.Code != c.code || !strings.Contains(e.Message, c.words) {
			t.Errorf("%s: %v", name, err)
		}
		if ok && e.Hint != c.hint {
			t.Errorf("%s: hint %q", name, e.Hint)
		}
	}
}

func TestGuardsCanBeCancelled(t *testing.T) {
	t.Parallel()
	s := supervisor(t, fakeConfig(t, "hang"))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	_, err := s.Guards(ctx)
	if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeCancelled {
		t.Errorf("got %v", err)
	}
}
