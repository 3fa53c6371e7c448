package seccomp

import (
	"maps"
	"slices"
	"strings"
)

// call is a system call by its name, or "" for one that no table knows, with its
// arguments.
type call struct {
	name string
	args [6]uint64
}

// every is what every profile allows, whatever the arguments.
var every = []string{
	"read", "write", "close", "epoll_create1", "eventfd2", "epoll_ctl", "epoll_pwait", "nanosleep", "sched_yield",
	"clock_gettime", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "getpid", "gettid",
	"restart_syscall", "ppoll", "getrandom", "munmap", "exit", "exit_group",
}

// some is what some profiles allow, whatever the arguments.
var some = map[string][]Profile{
	"fstat":      {Mount, ReadFolders, WriteFolders},
	"newfstatat": {Mount, ReadFolders, WriteFolders},
	"getdents64": {Mount, ReadFolders, WriteFolders},
	"lseek":      {Mount, ReadFolders, WriteFolders},
	"pread64":    {Mount, ReadFolders, WriteFolders},
	"readlinkat": {Mount, ReadFolders, WriteFolders},
	"fstatfs":    {Mount, ReadFolders, WriteFolders},
	"mkdirat":    {Mount, WriteFolders},
	"renameat":   {Mount, WriteFolders},
	"unlinkat":   {Mount, WriteFolders},
	"fsync":      {Mount, WriteFolders},
	"pwrite64":   {Mount, WriteFolders},
	"ftruncate":  {Mount, WriteFolders},
	"fdatasync":  {Mount, WriteFolders},
	"linkat":     {Mount, WriteFolders},
	"symlinkat":  {Mount, WriteFolders},
	"utimensat":  {Mount, WriteFolders},
}

const testPID = 4242

// expected says what a profile should answer to a call, and was written from the
// reasons for the rules, not from the rules.
func expected(p Profile, arch Arch, c call) uint32 {
	a := c.args
	if base, withC := strings.CutPrefix(string(p), "c-"); withC {
		if verdict := expectedWithC(Profile(base), arch, c); verdict != retKill {
			return verdict
		}
		p = Profile(base)
	}
	conditional := map[string]func() uint32{
		"clone":    func() uint32 { return allowed(a[0] == map[Arch]uint64{AMD64: 0xd0f00, ARM64: 0x50f00}[arch]) },
		"clone3":   func() uint32 { return retErrno | 38 },
		"futex":    func() uint32 { return allowed(a[1] == 128 || a[1] == 129) },
		"tgkill":   func() uint32 { return allowed(a[0] == testPID) },
		"getpgid":  func() uint32 { return answered(a[0] == 0x7ffffff5, 118) },
		"mmap":     func() uint32 { return expectedMap(a[2], a[3]) },
		"madvise":  func() uint32 { return allowed(slices.Contains([]uint64{4, 8, 14, 15, 25}, a[2])) },
		"prctl":    func() uint32 { return allowed(a[0] == 0x53564d41 && a[1] == 0) },
		"mprotect": func() uint32 { return expectedProtect(p, a[2]) },
		"fcntl":    func() uint32 { return expectedControl(p, a[1], a[2]) },
		"openat":   func() uint32 { return expectedOpen(p, a[2]) },
		"timer_settime": func() uint32 { // of the guest's time alone, before it begins
			return allowed(a[0] == 1 && slices.Contains([]Profile{Load, Mount}, p))
		},
		"seccomp": func() uint32 {
			return allowed(a[0] == 1 && a[1] == 1 && slices.Contains([]Profile{Load, Mount}, p))
		},
	}
	if judge, ok := conditional[c.name]; ok {
		return judge()
	}
	return allowed(slices.Contains(every, c.name) || slices.Contains(some[c.name], p))
}

// library is what the C library may call beside what Go does, whatever the arguments.
var library = []string{"rseq", "set_robust_list", "sched_getaffinity", "clock_nanosleep", "brk"}

// expectedWithC: threads as the C library makes them, its waits, stacks and
// reservations without a file and not executable, a heap that may move; and to load
// a module, a file that is mapped and not executable yet.
func expectedWithC(p Profile, arch Arch, c call) uint32 {
	a := c.args
	loads := p == Load || p == Mount
	switch c.name {
	case "membarrier": // where code is made, on the processor whose caches do not agree by themselves
		return allowed(arch == ARM64 && (a[0] == 32 || a[0] == 64) && expectedProtect(p, 5) == retAllow)
	case "clone":
		return allowed(a[0] == 0x3d0f00)
	case "futex":
		return allowed(a[1] == 9|128)
	case "mmap":
		return allowed(a[2]&4 == 0 && (a[3] == 0x20022 || a[3] == 0x4022 || loads && a[3] == 0x2))
	case "statx":
		return answered(loads, 38)
	case "fstat", "newfstatat":
		return allowed(loads)
	case "openat": // the one file of its module
		if p == Load {
			return expectedOpen(ReadFolders, a[2])
		}
	case "mremap":
		return allowed(a[3] == 1)
	case "ioctl":
		return answered(a[1] == 0x5401, 25)
	}
	return allowed(slices.Contains(library, c.name))
}

// named returns the calls that expected speaks of.
func named() []string {
	return slices.Concat(every, library, slices.Collect(maps.Keys(some)), []string{
		"clone", "clone3", "futex", "tgkill", "getpgid", "mmap", "madvise", "prctl", "mprotect", "fcntl", "openat",
		"seccomp", "mremap", "ioctl", "membarrier", "statx", "timer_settime",
	})
}

func allowed(yes bool) uint32 {
	if yes {
		return retAllow
	}
	return retKill
}

func answered(yes bool, errno uint32) uint32 {
	if yes {
		return retErrno | errno
	}
	return retKill
}

// expectedMap: never executable; private and anonymous, fixed or not, or
// droppable and anonymous; huge pages are out of stock.
func expectedMap(prot, flags uint64) uint32 {
	switch {
	case prot&4 != 0:
		return retKill
	case flags == 0x22, flags == 0x32, flags == 0x28:
		return retAllow
	}
	return answered(flags&0x40000 != 0, 12)
}

// expectedProtect: executable only where code is made, and then not writable.
func expectedProtect(p Profile, prot uint64) uint32 {
	executable, writable := prot&4 != 0, prot&2 != 0
	makesCode := slices.Contains([]Profile{Compile, Load, Mount}, p)
	return allowed(!executable || makesCode && !writable)
}

// expectedControl: F_GETFL, and where there are files F_SETFL without O_ASYNC.
func expectedControl(p Profile, command, flags uint64) uint32 {
	return allowed(command == 3 || command == 4 && flags&0o20000 == 0 && opens(p))
}

// opens reports whether a profile is for work with folders.
func opens(p Profile) bool { return slices.Contains([]Profile{Mount, ReadFolders, WriteFolders}, p) }

// expectedOpen: never O_PATH; to write only where something is written.
func expectedOpen(p Profile, flags uint64) uint32 {
	const writing = 0o1 | 0o2 | 0o100 | 0o1000 | 0o2000 | 0o20000000
	switch {
	case !opens(p), flags&0o10000000 != 0:
		return retKill
	case flags&writing != 0 && p == ReadFolders:
		return retErrno | 13
	}
	return retAllow
}
