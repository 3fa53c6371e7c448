package sandbox

import (
	"runtime"

	"plasm/lib/job"
	"plasm/lib/receipt"
)

// Statement returns what a receipt says of the job m and its end. The caller
// gives of node what it knows of itself; engine, guards, system and architecture
// are filled in.
func (r *Report) Statement(m *job.Manifest, node receipt.Node) *receipt.Statement {
	node.OS, node.Arch, node.Guards = runtime.GOOS, runtime.GOARCH, r.Guards
	node.Engine = receipt.Engine{Name: r.Engine.Name, Version: r.Engine.Version}
	return &receipt.Statement{
		Stdout: r.StdoutHash, Stderr: r.StderrHash, Manifest: m, Outcome: &r.Outcome, Node: node,
		StartedAt: r.Started, FinishedAt: r.Finished,
	}
}
