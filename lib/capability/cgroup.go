package capability

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"plasm/lib/job"
)

// bound is an upper bound: 0 for none.
type bound int64

func (b bound) lower(n int64) int64 {
	if b == 0 {
		return n
	}
	return min(n, int64(b))
}

func (b *bound) add(n int64) { *b = bound(b.lower(n)) }

// controlGroup is what Linux' control groups allow this process: the least of
// its own group and of all groups around it. Versions 1 and 2, and both mounted
// at a time (kernel documentation, admin-guide/cgroup-v1 and cgroup-v2).
type controlGroup struct {
	memory bound // bytes
	cores  bound // whole cores of quota, at least 1
	tasks  bound // processes and threads
}

// readControlGroup reads the groups of this process below root, the folder that
// stands for / . Where there are no control groups, as outside of Linux, there
// are no bounds; nor from groups that this process isn't shown.
func readControlGroup(root string) (controlGroup, error) {
	var c controlGroup
	groups, err := readLines(filepath.Join(root, "proc", "self", "cgroup"))
	if err != nil {
		return c, err
	}
	mounts, err := readLines(filepath.Join(root, "proc", "self", "mountinfo"))
	if err != nil {
		return c, err
	}
	for _, line := range mounts {
		m, ok := parseMount(line)
		if !ok {
			continue
		}
		for _, group := range m.groups(groups) {
			if err := c.walk(filepath.Join(root, m.point), group); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

// readLines returns the lines of a file, none when it isn't there.
func readLines(name string) ([]string, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n"), err
}

// mount is a mounted hierarchy of control groups.
type mount struct {
	root, point string
	v2          bool
	controllers []string // of a version 1 hierarchy, among other options
}

// parseMount reads a line of mountinfo (proc_pid_mountinfo(5)); ok is false when
// it isn't about control groups.
func parseMount(line string) (m mount, ok bool) {
	before, after, found := strings.Cut(line, " - ")
	left, right := strings.Fields(before), strings.Fields(after)
	if !found || len(left) < 5 || len(right) < 3 {
		return mount{}, false
	}
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	m = mount{root: unescape.Replace(left[3]), point: unescape.Replace(left[4])}
	switch right[0] {
	case "cgroup2":
		m.v2 = true
		return m, true
	case "cgroup":
		m.controllers = strings.Split(right[2], ",")
		return m, true
	}
	return mount{}, false
}

// groups returns the paths below the mount of the groups that the lines of
// proc_pid_cgroup(5) say this process is in.
func (m mount) groups(lines []string) []string {
	var paths []string
	for _, line := range lines {
		parts := strings.SplitN(line, ":", 3)
		if len(parts) != 3 {
			continue
		}
		var mine bool
		if m.v2 {
			mine = parts[0] == "0" && parts[1] == ""
		} else {
			mine = slices.ContainsFunc(strings.Split(parts[1], ","), func(c string) bool {
				return (c == "memory" || c == "cpu" || c == "pids") && slices.Contains(m.controllers, c)
			})
		}
		if mine {
			paths = append(paths, m.below(parts[2]))
		}
	}
	return paths
}

// below returns group as a path from the mount point. A group that isn't below
// what is mounted, as in some containers, stands for the mount's own top.
func (m mount) below(group string) string {
	rest, ok := strings.CutPrefix(group, strings.TrimSuffix(m.root, "/"))
	if !ok || rest != "" && rest[0] != '/' || slices.Contains(strings.Split(group, "/"), "..") {
		return "/"
	}
	return path.Clean("/" + rest)
}

// walk takes in the bounds of a group and of those around it, up to the top of
// what is mounted.
func (c *controlGroup) walk(point, group string) error {
	for {
		if err := c.read(filepath.Join(point, group)); err != nil {
			return err
		}
		if group == "/" {
			return nil
		}
		group = path.Dir(group)
	}
}

// read takes in the bounds of one group. memory.high counts, too: beyond it the
// kernel slows a group down until it stands still.
func (c *controlGroup) read(dir string) error {
	for _, name := range []string{"memory.max", "memory.high", "memory.limit_in_bytes"} {
		values, err := readNumbers(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if len(values) == 1 && values[0] >= 0 {
			c.memory.add(max(values[0], 1))
		}
	}
	tasks, err := readNumbers(filepath.Join(dir, "pids.max"))
	if err != nil {
		return err
	}
	if len(tasks) == 1 && tasks[0] >= 0 {
		c.tasks.add(max(tasks[0], 1))
	}
	quota, err := readNumbers(filepath.Join(dir, "cpu.max"))
	if err != nil {
		return err
	}
	if quota == nil { // version 1
		quota, err = readNumbers(filepath.Join(dir, "cpu.cfs_quota_us"))
		if err != nil {
			return err
		}
		period, err := readNumbers(filepath.Join(dir, "cpu.cfs_period_us"))
		if err != nil {
			return err
		}
		quota = append(quota, period...)
	}
	if len(quota) == 2 && quota[0] >= 0 && quota[1] > 0 {
		c.cores.add(max(quota[0]/quota[1], 1))
	}
	return nil
}

// readNumbers returns the numbers in a file of the kernel's, -1 for "max"; none
// when the file isn't there or may not be read.
func readNumbers(name string) ([]int64, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var values []int64
	for word := range strings.FieldsSeq(string(data)) {
		n, err := strconv.ParseInt(word, 10, 64)
		if word == "max" {
			n, err = -1, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s is not a number", name, job.Quote(word))
		}
		values = append(values, n)
	}
	return values, nil
}
