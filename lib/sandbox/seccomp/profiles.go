package seccomp

// Values of arguments (Linux, the same on both architectures but for O_ flags
// that no rule names).
const (
	protWrite = 2
	protExec  = 4

	// How Go makes a thread, to the flag: CLONE_VM, FS, FILES, SIGHAND, SYSVSEM
	// and THREAD, and on amd64 SETTLS. Anything else would be a process.
	cloneThread = 0x50f00
	cloneSetTLS = 0x80000

	prSetVMA       = 0x53564d41
	prGetSeccomp   = 21
	fDupFD         = 0
	fGetFD         = 1
	fGetFL         = 3
	fSetFL         = 4
	openWriteFlags = 0o1 | 0o2 | 0o100 | 0o1000 | 0o2000 | 0o20000000 // WRONLY RDWR CREAT TRUNC APPEND __O_TMPFILE
	openAccMode    = 0o3
)

func allow(calls ...string) []rule {
	var rules []rule
	for _, c := range calls {
		rules = append(rules, rule{call: c})
	}
	return rules
}

func when(call string, conds ...cond) rule { return rule{call: call, conds: conds} }

func equals(arg int, value uint64) cond { return cond{arg, all64, value} }

func without(arg int, bits uint64) cond { return cond{arg, bits, 0} }

// profiles lists the rules of each profile.
func profiles(arch Arch, pid int) map[Profile][]rule {
	run := append(runtimeCalls(arch, pid), when("mprotect", without(2, protExec)))
	load := append(runtimeCalls(arch, pid), jit()...)
	load = append(load, readFiles()...)
	load = append(load, allow("seccomp")...) // to go on to Run
	folders := append(runtimeCalls(arch, pid), jit()...)
	folders = append(folders, readFiles()...)
	folders = append(folders, writeFiles()...)
	compile := append(runtimeCalls(arch, pid), jit()...)
	compile = append(compile, readFiles()...)
	compile = append(compile, writeFiles()...)
	return map[Profile][]rule{Run: run, Load: load, Folders: folders, Compile: compile}
}

// runtimeCalls is what the Go runtime needs to run goroutines, collect garbage
// and read and write what is open. mprotect is left to the profile.
func runtimeCalls(arch Arch, pid int) []rule {
	thread := uint64(cloneThread)
	if arch == AMD64 {
		thread |= cloneSetTLS
	}
	rules := allow(
		"read", "write", "writev", "close", "fstat",
		"futex", "sched_yield", "sched_getaffinity", "nanosleep", "clock_nanosleep", "clock_gettime", "gettimeofday",
		"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall",
		"getpid", "gettid", "getrandom", "madvise", "munmap", "mincore",
		"epoll_create1", "epoll_ctl", "epoll_pwait", "eventfd2", "poll", "ppoll",
		"exit", "exit_group",
	)
	return append(rules,
		when("clone", equals(0, thread)),
		rule{call: "clone3", errno: enosys},
		when("mmap", without(2, protExec)),
		when("tgkill", equals(0, uint64(pid))),
		when("prctl", equals(0, prSetVMA)),
		when("fcntl", equals(1, fGetFL)),
		when("fcntl", equals(1, fSetFL)),
		when("fcntl", equals(1, fGetFD)),
		rule{call: "getpgid", conds: []cond{equals(0, probePID)}, errno: ProbeErrno},
	)
}

// jit lets written memory be made executable, and never both at once.
func jit() []rule {
	return []rule{
		when("mprotect", without(2, protExec)),
		when("mprotect", cond{2, protWrite | protExec, protExec}),
	}
}

// readFiles is reading files and folders; which ones, Landlock says.
func readFiles() []rule {
	return append(allow("lseek", "pread64", "getdents64", "newfstatat", "readlinkat", "fstatfs"),
		when("openat", without(2, openWriteFlags)))
}

// writeFiles is changing files and folders; which ones, Landlock says.
func writeFiles() []rule {
	return allow(
		"openat", "pwrite64", "ftruncate", "fsync", "fdatasync", "fchmod", "fchmodat", "utimensat", "flock",
		"mkdirat", "unlinkat", "renameat", "renameat2", "linkat", "symlinkat", "copy_file_range", "fcntl",
	)
}
