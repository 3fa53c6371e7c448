package wasmtime

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/test/guest"
)

// TestLoad maps what was compiled, and reads it where what is mapped cannot be made
// executable; where there is nothing to be had it compiles.
func TestLoad(t *testing.T) { //nolint:paralleltest // it looks at what this process has mapped
	module, err := guest.Module("exit-3")
	must(t, err)
	for _, test := range []struct {
		name           string
		noexec, damage bool
		mapped         bool
	}{{name: "mapped", mapped: true}, {name: "read", noexec: true}, {name: "compiled", damage: true}} {
		dir := t.TempDir()
		if test.noexec {
			if os.Geteuid() != 0 {
				continue // nobody but root mounts
			}
			must(t, unix.Mount("none", dir, "tmpfs", unix.MS_NOEXEC, ""))
			t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
		}
		must(t, Engine{}.Compile(t.Context(), module, dir))
		file := dir + "/" + entry + "/code"
		if test.damage {
			must(t, os.Truncate(file, 100))
		}
		p, err := Engine{}.Load(t.Context(), module, dir, 1)
		must(t, err)
		maps, err := os.ReadFile("/proc/self/maps")
		must(t, err)
		mapped := false
		for line := range strings.Lines(string(maps)) {
			if strings.Contains(line, file) && strings.Contains(line, " r-xp ") {
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
