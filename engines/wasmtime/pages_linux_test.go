package wasmtime

import (
	"os"
	"strings"
	"testing"

	"plasm/lib/engine"
	"plasm/test/guest"
	"plasm/test/loading"
)

// large counts what of this process may be in large pages.
func large(t *testing.T) (n int) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/smaps")
	must(t, err)
	for line := range strings.Lines(string(maps)) {
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && strings.Contains(flags, " hg ") {
			n++
		}
	}
	return n
}

// looking looks when the guest writes.
type looking func()

func (look looking) Write(p []byte) (int, error) {
	look()
	return len(p), nil
}

// TestLargePages asks for them while the guest runs.
func TestLargePages(t *testing.T) { //nolint:paralleltest // it looks at what this process has mapped
	module, err := guest.Module("write-1")
	must(t, err)
	p, err := loading.Load(t, Engine{}, module, 64)
	must(t, err)
	before, during := large(t), 0
	_, err = p.Run(t.Context(), engine.Host{Stdout: looking(func() { during = large(t) })})
	must(t, err)
	if during <= before {
		t.Errorf("%d mappings may be in large pages, and %d before", during, before)
	}
}
