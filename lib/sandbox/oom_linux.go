package sandbox

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// oomKills returns how many processes the kernel has killed for want of memory: in this
// process's control group, and where that does not say, on this machine. It counts before
// it kills. Nobody's word for it is 0.
func oomKills() uint64 {
	for _, file := range append(oomFiles(), "/proc/vmstat") {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range bytes.Lines(text) {
			name, value, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
			if n, err := strconv.ParseUint(value, 10, 64); name == "oom_kill" && err == nil {
				return n
			}
		}
	}
	return 0
}

// oomFiles are where the control group that this process is in counts, of either version
// of control groups.
func oomFiles() []string {
	const mounted = "/sys/fs/cgroup"
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	var files []string
	for line := range bytes.Lines(groups) {
		parts := strings.SplitN(strings.TrimSpace(string(line)), ":", 3) // number, controllers, path
		switch {
		case len(parts) != 3:
		case parts[1] == "memory":
			files = append(files, filepath.Join(mounted, "memory", parts[2], "memory.oom_control"))
		case parts[1] == "":
			files = append(files, filepath.Join(mounted, parts[2], "memory.events"))
		}
	}
	return files
}
