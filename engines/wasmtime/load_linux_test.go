package wasmtime

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/test/guest"
	"plasm/test/loading"
)

// TestLoad maps what was compiled, and reads it where what is mapped cannot be made
// executable. What is damaged it refuses.
func TestLoad(t *testing.T) { //nolint:paralleltest // it looks at what this process has mapped
	module, err := guest.Module("exit-3")
	must(t, err)
	for _, test := range []struct {
		name           string
		noexec, damage bool
		mapped         bool
	}{{name: "mapped", mapped: true}, {name: "read", noexec: true}, {name: "damaged", damage: true}} {
		dir := t.TempDir()
		if test.noexec {
			if os.Geteuid() != 0 {
				continue // only root mounts
			}
			must(t, unix.Mount("none", dir, "tmpfs", unix.MS_NOEXEC, ""))
			t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
		}
		code, err := os.Create(dir + "/code")
		must(t, err)
		t.Cleanup(func() { _ = code.Close() })
		must(t, Engine{}.Compile(t.Context(), module, code))
		loading.Rewind(t, code)
		if test.damage {
			must(t, code.Truncate(100))
		}
		p, err := Engine{}.Load(t.Context(), module, code, 1)
		if test.damage {
			if !errors.Is(err, engine.ErrCode) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		must(t, err)
		maps, err := os.ReadFile("/proc/self/maps")
		must(t, err)
		mapped := false
		for line := range strings.Lines(string(maps)) {
			if strings.Contains(line, code.Name()) && strings.Contains(line, " r-xp ") {
				mapped = true
			}
		}
		if mapped != test.mapped {
			t.Errorf("%s: its code is mapped: %v", test.name, mapped)
		}
		r, err := p.Run(t.Context(), engine.Host{})
		if err != nil || r.Status != job.Exit || r.ExitCode != 3 {
			t.Errorf("%s: %+v, %v", test.name, r, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
