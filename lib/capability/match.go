package capability

import (
	"fmt"
	"slices"
	"strings"

	"plasm/lib/job"
)

// Need is what somebody wants of a node. The zero value is any node.
type Need struct {
	Arch        string   // a GOARCH; "": any
	OS          string   // a GOOS; "": any
	Engine      string   // "": any
	MinMemoryMB int64    // what one job may have, units of 2^20 bytes
	MinCores    int64    // cores of the node
	MinDiskMB   int64    // what one job may write to folders, units of 2^20 bytes
	Guards      []string // of job.Guards; all must be there
	Free        bool     // a free slot at the moment of asking
}

// Against returns why the node doesn't fit, every reason with what is needed and
// what is there; none when it fits. It believes the node.
func (n Need) Against(node *job.Node) []job.Rejection {
	var why []job.Rejection
	add := func(code job.RejectCode, need, have job.Value, format string, args ...any) {
		why = append(why, job.Rejection{Code: code, Message: fmt.Sprintf(format, args...), Need: need, Have: have})
	}
	if n.Arch != "" && n.Arch != node.Arch {
		add(job.RejectArch, n.Arch, node.Arch, "needs arch %s, has %s", n.Arch, node.Arch)
	}
	if n.OS != "" && n.OS != node.OS { // there is no code for it alone
		add(job.RejectArch, n.OS, node.OS, "needs os %s, has %s", n.OS, node.OS)
	}
	if n.Engine != "" && !slices.ContainsFunc(node.Engines, func(e job.NodeEngine) bool { return e.Name == n.Engine }) {
		have := engineNames(node)
		add(job.RejectEngine, n.Engine, value(have), "needs engine %s, has %s", n.Engine, orNone(have))
	}
	if have := node.Limits.MemoryMB; n.MinMemoryMB > have {
		needs, has := job.Amounts(n.MinMemoryMB<<20, have<<20)
		add(job.RejectMemory, n.MinMemoryMB, have, "needs %s of memory for a job, has %s", needs, has)
	}
	if have := node.Limits.DiskMB; n.MinDiskMB > have {
		needs, has := job.Amounts(n.MinDiskMB<<20, have<<20)
		add(job.RejectDisk, n.MinDiskMB, have, "needs %s of disk for a job, has %s", needs, has)
	}
	if n.MinCores > node.CPUCores {
		add(job.RejectCPUCores, n.MinCores, node.CPUCores, "needs %d cores, has %d", n.MinCores, node.CPUCores)
	}
	missing := slices.DeleteFunc(slices.Clone(n.Guards), func(g string) bool { return slices.Contains(node.Guards, g) })
	if len(missing) > 0 {
		need, have := strings.Join(n.Guards, ","), strings.Join(node.Guards, ",")
		add(job.RejectGuards, need, value(have), "needs guards %s, has %s", need, orNone(have))
	}
	if n.Free && node.Slots.Free < 1 {
		add(job.RejectBusy, int64(1), node.Slots.Free, "needs a free slot, has %d of %d", node.Slots.Free,
			node.Slots.Total)
	}
	return why
}

// engineNames returns the engines of a node with commas, no more than a line has
// room for: a stranger names them.
func engineNames(node *job.Node) string {
	const enough = 8
	var names []string
	for i, e := range node.Engines {
		if i == enough {
			names = append(names, "…")
			break
		}
		names = append(names, e.Name)
	}
	return strings.Join(names, ",")
}

// value is s, or nil where a document would leave an empty text out.
func value(s string) job.Value {
	if s == "" {
		return nil
	}
	return s
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
