package capability

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"plasm/lib/job"
)

const gib = 1 << 30

// TestMeasure measures the machine that runs the tests.
func TestMeasure(t *testing.T) {
	t.Parallel()
	m, err := Measure()
	if err != nil {
		t.Fatal(err)
	}
	physical, err := physicalMemory()
	if err != nil {
		t.Fatal(err)
	}
	if m.OS != runtime.GOOS || m.Arch != runtime.GOARCH {
		t.Errorf("%s/%s", m.OS, m.Arch)
	}
	if m.Cores < 1 || m.Cores > int64(runtime.NumCPU()) || m.MemoryMB < 1 || m.MemoryMB >= physical>>20 {
		t.Errorf("%d cores of %d, %d MB of %d", m.Cores, runtime.NumCPU(), m.MemoryMB, physical>>20)
	}
}

// TestTasks reads how many processes and threads there may be, in groups of both versions.
func TestTasks(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{
		"proc/self/cgroup=0::/a/b":   {"pids.max": "4096", "a/pids.max": "max", "a/b/pids.max": "9000"},
		"proc/self/cgroup=7:pids:/a": {"a/pids.max": "4096"},
	} {
		root := t.TempDir()
		_, group, _ := strings.Cut(name, "=")
		mount := "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
		if !strings.HasPrefix(group, "0") {
			mount = "29 23 0:26 / /sys/fs/cgroup rw - cgroup cgroup rw,pids"
		}
		write := func(file, text string) {
			path := filepath.Join(root, file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700),
				os.WriteFile(path, []byte(text+"\n"), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		write("proc/self/cgroup", group)
		write("proc/self/mountinfo", mount)
		for file, text := range files {
			write("sys/fs/cgroup/"+file, text)
		}
		c, err := readControlGroup(root)
		if err != nil || machine(1, gib, c).Tasks != 4096 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

func TestMachine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		cpus, physical int64
		group          controlGroup
		cores, memory  int64
	}{
		{"no limits", 8, 16 * gib, controlGroup{}, 8, 15 * 1024},
		{"1 GiB keeps 128 MiB", 1, gib, controlGroup{}, 1, 1024 - 128},
		{"64 MiB keep half", 1, 64 << 20, controlGroup{}, 1, 32},
		{"next to nothing", 1, 1 << 20, controlGroup{}, 1, 1},
		{"group below physical", 8, 16 * gib, controlGroup{memory: 4 * gib, cores: 2}, 2, 4096 - 256},
		{"group above physical", 2, 4 * gib, controlGroup{memory: 64 * gib, cores: 16}, 2, 4096 - 256},
		{"more cores than a document has", 2048, 16 * gib, controlGroup{}, job.MaxCPUCores, 15 * 1024},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := machine(test.cpus, test.physical, test.group)
			if m.Cores != test.cores || m.MemoryMB != test.memory {
				t.Errorf("%d cores, %d MB; want %d, %d", m.Cores, m.MemoryMB, test.cores, test.memory)
			}
		})
	}
}

func TestLower(t *testing.T) {
	t.Parallel()
	m := Machine{OS: "linux", Arch: "amd64", Cores: 8, MemoryMB: 8000}
	for _, test := range []struct {
		ask, have, perJob int64 // have 0: an error
	}{{0, 8000, 4096}, {1, 1, 1}, {4096, 4096, 4096}, {8000, 8000, 4096}, {8001, 0, 0}, {-1, 0, 0}} {
		got, err := m.Lower(test.ask)
		if test.have == 0 {
			e, ok := errors.AsType[*job.Error](err)
			if !ok || e.Code != job.CodeUsage || !strings.Contains(e.Message, "8000 MB") || e.Hint == "" ||
				got != (Machine{}) {
				t.Errorf("%d: %+v, %v", test.ask, got, err)
			}
			continue
		}
		if err != nil || got.MemoryMB != test.have || got.Cores != 8 || got.MaxJobMemoryMB() != test.perJob {
			t.Errorf("%d: %+v, %v", test.ask, got, err)
		}
	}
}

const (
	mountV2     = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
	mountMemory = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	mountCPU    = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
	mountOther  = "22 28 0:20 / /proc rw,nosuid - proc proc rw\n36 31 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup " +
		"rw,pids\n"
	mountHybrid = "38 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)

func TestControlGroup(t *testing.T) {
	t.Parallel()
	const none = "9223372036854771712\n" // what version 1 has for no limit
	tests := []struct {
		name, groups, mounts string
		files                map[string]string // below sys/fs/cgroup
		memory, cores        bound
	}{
		{
			"v2 without limits", "0::/a\n", mountV2,
			map[string]string{"a/memory.max": "max\n", "a/cpu.max": "max 100000\n"},
			0, 0,
		},
		{
			"v2", "0::/a\n", mountV2,
			map[string]string{"a/memory.max": "1073741824\n", "a/cpu.max": "300000 100000\n"},
			gib, 3,
		},
		{"v2, the group around is narrower", "0::/a/b/c\n", mountV2, map[string]string{
			"a/memory.max": "536870912\n", "a/b/memory.max": "max\n", "a/b/c/memory.max": "1073741824\n",
			"a/cpu.max": "250000 100000\n", "a/b/cpu.max": "max 100000\n", "a/b/c/cpu.max": "800000 100000\n",
		}, gib / 2, 2},
		{"v2, memory.high", "0::/a\n", mountV2, map[string]string{
			"a/memory.max":  "1073741824\n",
			"a/memory.high": "805306368\n",
		}, 805306368, 0},
		{"v2, less than a core", "0::/a\n", mountV2, map[string]string{"a/cpu.max": "20000 100000\n"}, 0, 1},
		{"v2, limited to nothing", "0::/a\n", mountV2, map[string]string{"a/memory.max": "0\n"}, 1, 0},
		{"v2, in a container's namespace", "0::/\n", mountV2, map[string]string{"memory.max": "1073741824\n"}, gib, 0},
		{
			"v2, outside of the namespace", "0::/../a\n", mountV2,
			map[string]string{"memory.max": "1073741824\n"},
			gib,
			0,
		},
		{
			"v2, part of it mounted", "0::/docker/x/y\n", strings.Replace(mountV2, "/ /sys", "/docker/x /sys", 1),
			map[string]string{"y/memory.max": "1073741824\n"},
			gib, 0,
		},
		{
			"v2, a part with a name that only begins alike", "0::/docker/xy\n",
			strings.Replace(mountV2, "/ /sys", "/docker/x /sys", 1),
			map[string]string{"memory.max": "1073741824\n", "y/memory.max": "1\n"},
			gib, 0,
		},
		{"v1 without limits", "4:memory:/a\n1:cpu,cpuacct:/a\n", mountMemory + mountCPU, map[string]string{
			"memory/a/memory.limit_in_bytes": none, "cpu,cpuacct/a/cpu.cfs_quota_us": "-1\n",
			"cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
		}, 9223372036854771712, 0},
		{
			"v1, different groups", "4:memory:/m\n1:cpu,cpuacct:/c\n", mountOther + mountMemory + mountCPU,
			map[string]string{
				"memory/m/memory.limit_in_bytes": "1073741824\n", "memory/c/memory.limit_in_bytes": "1\n",
				"cpu,cpuacct/c/cpu.cfs_quota_us": "450000\n", "cpu,cpuacct/c/cpu.cfs_period_us": "100000\n",
			},
			gib, 4,
		},
		{
			"v1, the group around is narrower", "4:memory:/m/n\n1:cpu,cpuacct:/m/n\n", mountMemory + mountCPU,
			map[string]string{
				"memory/m/n/memory.limit_in_bytes": none, "memory/m/memory.limit_in_bytes": "1073741824\n",
				"cpu,cpuacct/m/n/cpu.cfs_quota_us": "-1\n", "cpu,cpuacct/m/n/cpu.cfs_period_us": "100000\n",
				"cpu,cpuacct/m/cpu.cfs_quota_us": "200000\n", "cpu,cpuacct/m/cpu.cfs_period_us": "100000\n",
			},
			gib, 2,
		},
		{"both", "4:memory:/m\n0::/u\n", mountMemory + mountHybrid, map[string]string{
			"memory/m/memory.limit_in_bytes": "2147483648\n", "unified/u/memory.max": "1073741824\n",
		}, gib, 0},
		{
			"a mount point with a space", "0::/a\n",
			strings.Replace(mountV2, "/sys/fs/cgroup", `/sys/fs/cgroup/my\040groups`, 1),
			map[string]string{"my groups/a/memory.max": "1073741824\n"},
			gib, 0,
		},
		{"no control groups", "", mountOther, nil, 0, 0},
		{"not mounted", "0::/a\n", mountOther, map[string]string{"a/memory.max": "1073741824\n"}, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := groupFiles(t, test.groups, test.mounts, test.files)
			c, err := readControlGroup(root)
			if err != nil || c.memory != test.memory || c.cores != test.cores {
				t.Errorf("%+v, %v; want memory %d, cores %d", c, err, test.memory, test.cores)
			}
		})
	}
}

// groupFiles makes what the kernel shows, below a folder of its own.
func groupFiles(t *testing.T, groups, mounts string, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	all := map[string]string{"proc/self/cgroup": groups, "proc/self/mountinfo": mounts}
	for name, text := range files {
		all["sys/fs/cgroup/"+name] = text
	}
	for name, text := range all {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestControlGroupErrors(t *testing.T) {
	t.Parallel()
	if c, err := readControlGroup(t.TempDir()); err != nil || c != (controlGroup{}) {
		t.Errorf("a system without any: %+v, %v", c, err)
	}
	good := map[string]string{"a/memory.max": "1073741824\n", "a/cpu.max": "300000 100000\n"}
	for name := range good {
		files := maps.Clone(good)
		files[name] = "many\n"
		_, err := readControlGroup(groupFiles(t, "0::/a\n", mountV2, files))
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), `"many"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
