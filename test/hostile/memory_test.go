//go:build linux

package hostile_test

import (
	"slices"
	"strconv"
	"testing"

	"plasm/lib/job"
	"plasm/test/hostile"
)

// TestResidentMemory grows memory page by page and fills each page: what the
// worker has then is the memory and little more, whatever its size.
func TestResidentMemory(t *testing.T) {
	t.Parallel()
	const little = 24 << 20 // bytes: the Go runtime, the executable's pages, a small module
	cases := hostile.Cases()
	module := cases[slices.IndexFunc(cases, func(c hostile.Case) bool { return c.Name == "grow-and-fill" })].Module()
	for _, engine := range hostile.Engines() {
		for _, mb := range []int64{1, 64, 512} {
			t.Run(engine+"/"+strconv.FormatInt(mb, 10), func(t *testing.T) {
				t.Parallel()
				g := newGround(t)
				r := g.run(t, g.write(t, module), nil, "--engine", engine, "--memory", strconv.FormatInt(mb, 10))
				if r.outcome == nil || r.outcome.Status != job.Exit || r.outcome.MemoryBytes != mb<<20 {
					t.Fatalf("%s %+v", r.message, r.outcome)
				}
				if r.Peak < mb<<20 || r.Peak > mb<<20+little {
					t.Errorf("%d MiB were resident, of %d that the guest has", r.Peak>>20, mb)
				}
			})
		}
	}
}
