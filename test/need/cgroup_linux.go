package need

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// hierarchy is where control groups for memory are made, of one of the two versions.
type hierarchy struct {
	folder string
	files  []string // for memory, and for memory with swap or swap alone, which may not be there
	noSwap string   // what the second file gets; "": the same as the first
	mount  string   // lines for sh that mount it where a network namespace has hidden it
}

var hierarchies = []hierarchy{
	{
		"/sys/fs/cgroup",
		[]string{"memory.max", "memory.swap.max"},
		"0",
		"mount -t cgroup2 none /sys/fs/cgroup",
	},
	{
		"/sys/fs/cgroup/memory",
		[]string{"memory.limit_in_bytes", "memory.memsw.limit_in_bytes"},
		"",
		"mount -t tmpfs none /sys/fs/cgroup\nmkdir /sys/fs/cgroup/memory\nmount -t cgroup -o memory none " +
			"/sys/fs/cgroup/memory",
	},
}

// Group is a control group with a bound on its memory.
type Group struct {
	// Join are lines for sh by which a shell joins the group, with the programs that it
	// starts, also in a mount namespace in which ip-netns has mounted /sys anew.
	Join string

	hierarchy *hierarchy
	folder    string
}

// MemoryGroup makes a control group with so many bytes of memory and no swap. It is gone
// after the test, whose programs have ended by then. Where none can be made, the test is
// skipped.
func MemoryGroup(tb testing.TB, bytes int64) *Group {
	tb.Helper()
	var why error
	for i := range hierarchies {
		g, err := hierarchies[i].make(bytes)
		if err != nil {
			why = err
			continue
		}
		tb.Cleanup(func() {
			if err := os.Remove(g.folder); err != nil {
				tb.Errorf("control group: %v", err)
			}
		})
		return g
	}
	tb.Skip(fmt.Errorf("no control group for memory can be made: %w", why))
	return nil
}

// make makes a control group with that limit.
func (h *hierarchy) make(bytes int64) (*Group, error) {
	dir, err := os.MkdirTemp(h.folder, "plasm-test-*")
	if err != nil {
		return nil, err
	}
	procs := filepath.Join(dir, "cgroup.procs")
	g := &Group{fmt.Sprintf("[ -e %s ] || {\n%s\n}\necho $$ >%[1]s\n", procs, h.mount), h, dir}
	if err := g.limit(bytes); err != nil {
		_ = os.Remove(dir)
		return nil, err
	}
	return g, nil
}

// Lower leaves the group less memory than it had.
func (g *Group) Lower(tb testing.TB, bytes int64) {
	tb.Helper()
	if err := g.limit(bytes); err != nil {
		tb.Fatal(err)
	}
}

func (g *Group) limit(bytes int64) error {
	limit := strconv.FormatInt(bytes, 10)
	values := []string{limit, g.hierarchy.noSwap}
	if g.hierarchy.noSwap == "" {
		values[1] = limit
	}
	for i, name := range g.hierarchy.files {
		f, err := os.OpenFile(filepath.Join(g.folder, name), os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString(values[i])
			_ = f.Close() // the kernel has taken it, or has not
		}
		if err != nil && (i == 0 || !os.IsNotExist(err)) {
			return err
		}
	}
	return nil
}
