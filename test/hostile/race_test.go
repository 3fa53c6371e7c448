//go:build linux

package hostile_test

import (
	"os"
	"sync"
	"testing"

	"plasm/lib/job"
	"plasm/test/hostile"
)

// TestFolderRace runs two jobs on one folder: one exchanges a folder in it for a
// link that leads out, again and again, and the other one opens a file below that
// name. It must never read what is outside.
func TestFolderRace(t *testing.T) {
	t.Parallel()
	for _, engine := range hostile.Engines() {
		g := newGround(t)
		must(t, os.Mkdir(g.path("rw/swap"), 0o700))
		must(t, os.WriteFile(g.path("rw/swap/secret"), []byte("theirs"), 0o600))
		must(t, os.Symlink("../outside", g.path("rw/link")))
		var modules [2]string
		swapper, opener := hostile.Racers(1000, secret[0])
		for i, module := range [][]byte{swapper, opener} {
			modules[i] = g.path([]string{"swapper.wasm", "opener.wasm"}[i])
			must(t, os.WriteFile(modules[i], module, 0o600))
		}
		before := g.state(t)
		var jobs sync.WaitGroup
		for _, module := range modules {
			jobs.Go(func() {
				r, err := g.start(t.Context(), module, nil, "--engine", engine, "--dir", g.path("rw")+"::/rw")
				switch {
				case err != nil:
					t.Errorf("%s: %v", module, err)
				case r.outcome == nil || r.outcome.Status != job.Exit || *r.outcome.ExitCode != 0:
					t.Errorf("%s: %s %+v", module, r.message, r.outcome)
				}
			})
		}
		jobs.Wait()
		g.unchanged(t, before)
	}
}
