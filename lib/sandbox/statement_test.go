package sandbox

import (
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/receipt"
)

func TestStatement(t *testing.T) {
	t.Parallel()
	j := described(t, "both")
	r := play(t.Context(), t, supervisor(t, realConfig()), j)
	node := receipt.Node{
		PeerID: "12D3KooW", Version: "1", Engine: receipt.Engine{Name: "overwritten"},
		OS: "overwritten",
	}
	engine := receipt.Engine{Name: "wazero", Version: realConfig().Engine.Version}
	want := &receipt.Statement{
		Stdout: r.StdoutHash, Stderr: r.StderrHash, Manifest: j.Manifest, Outcome: &r.Outcome, StartedAt: r.Started,
		FinishedAt: r.Finished,
		Node: receipt.Node{
			PeerID: "12D3KooW", Version: "1", Engine: engine, OS: runtime.GOOS, Arch: runtime.GOARCH, Guards: r.Guards,
		},
	}
	if diff := cmp.Diff(want, r.Statement(j.Manifest, node)); diff != "" {
		t.Error(diff)
	}
}
