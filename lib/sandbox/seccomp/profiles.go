package seccomp

import "strings"

// Profile is a named filter.
type Profile string

// The profiles, each no wider than its work. A worker is first under one of the
// upper three, with which its module is made ready; one of the lower three goes on
// top of it before the guest's first instruction.
const (
	// Compile is for compiling a module, and writing the result where a descriptor is
	// open: no file can be opened.
	Compile Profile = "compile"
	// Load is for making a compiled module ready. With the C library in it, an
	// executable may also open what Landlock lets it, which is that module's file.
	Load Profile = "load"
	// Mount is for a job with folders: all of Load, ReadFolders and WriteFolders.
	Mount Profile = "mount"

	// Run is for a guest without folders: no file can be opened.
	Run Profile = "run"
	// ReadFolders is for a guest all of whose folders are read-only.
	ReadFolders Profile = "read-folders"
	// WriteFolders is for a guest with folders that it may change.
	WriteFolders Profile = "write-folders"
)

// withC is what the names of profiles begin with that are for executables with the
// C library in them.
const withC = "c-"

// WithC returns the profile for an executable with the C library in it; of "", "".
func (p Profile) WithC() Profile {
	if p == "" {
		return ""
	}
	return withC + p
}

// rulesOf lists the rules of a profile, nil where there is none of that name. Of
// the rules for one call the first that matches counts.
func rulesOf(p Profile, arch Arch, pid int) []rule {
	runtime, code := runtimeCalls(arch, pid), jit()
	base, isC := strings.CutPrefix(string(p), withC)
	if isC {
		runtime, code = join(libraryCalls(), runtime), join(code, flush(arch))
		if Profile(base) == Load || Profile(base) == Mount {
			code = join(mapFiles(), code)
		}
		if Profile(base) == Load {
			code = join([]rule{allow("fstat"), allow("newfstatat")}, openToRead(), code)
		}
	}
	switch Profile(base) {
	case Compile:
		return join(runtime, code)
	case Load:
		return join(runtime, code, narrow())
	case Mount:
		return join(runtime, code, readFiles(), browse(), makeFiles(), change(), []rule{openAny()}, narrow())
	case Run:
		return join(runtime, noJIT())
	case ReadFolders:
		return join(runtime, noJIT(), readFiles(), browse(), openToRead())
	case WriteFolders:
		return join(runtime, noJIT(), readFiles(), browse(), makeFiles(), change(), []rule{openAny()})
	}
	return nil
}

// runtimeCalls is what the Go runtime needs to run goroutines, collect garbage,
// and read and write what is open. mprotect is left to the profile.
func runtimeCalls(arch Arch, pid int) []rule {
	thread := uint64(cloneThread | cloneSetTLS)
	if arch == ARM64 {
		thread = cloneThread
	}
	return []rule{
		// Goroutines wait for each other by futex(2): two operations of some twenty.
		when("futex", equals(1, futexWaitPrivate)),
		when("futex", equals(1, futexWakePrivate)),
		allow("read"),  // input, control
		allow("write"), // frames, and the runtime's last words
		allow("close"), // files that the collector finds are closed whenever it does
		// The poller starts with the first file or timer, which may be in any profile.
		allow("epoll_create1"), allow("eventfd2"), allow("epoll_ctl"), allow("epoll_pwait"),
		allow("ppoll"),                       // whether there is input
		when("fcntl", equals(1, fcntlGetFL)), // whether a descriptor blocks
		allow("nanosleep"), allow("sched_yield"),
		allow("clock_gettime"), // where the kernel has no vDSO for it
		// Goroutines are preempted by a signal to their thread. A thread may also
		// signal itself; and the default action of a signal takes rt_sigaction.
		when("tgkill", equals(0, uint64(pid))),
		allow("rt_sigaction"), allow("rt_sigprocmask"), allow("rt_sigreturn"), allow("sigaltstack"),
		allow("getpid"), allow("gettid"),
		allow("restart_syscall"), // the kernel's own, behind a wait that SIGSTOP broke off
		allow("getrandom"),
		// Threads, not processes: the flags must be Go's to the bit. clone3 has its
		// flags in memory, where a filter cannot look.
		when("clone", equals(0, thread)),
		refuse("clone3", enosys),
		// Private memory of no file. Shared memory, and stacks that grow, would not
		// count against RLIMIT_DATA. wazero tries huge pages, and takes no for an answer.
		when("mmap", without(protExec), cond{3, all64 &^ mapFixed, mapPrivate | mapAnonymous}),
		when("mmap", without(protExec), equals(3, mapDroppable|mapAnonymous)), // getrandom in the vDSO
		refuse("mmap", enomem, without(protExec), cond{3, mapHugeTLB, mapHugeTLB}),
		allow("munmap"),
		when("madvise", equals(2, adviseDontNeed)),
		when("madvise", equals(2, adviseFree)),
		when("madvise", equals(2, adviseHugePage)),
		when("madvise", equals(2, adviseNoHugePage)),
		when("madvise", equals(2, adviseCollapse)),
		when("prctl", equals(0, prSetVMA), equals(1, 0)), // Go names its memory, on kernels that can
		allow("exit"), allow("exit_group"),
		refuse("getpgid", ProbeErrno, equals(0, probePID)),
	}
}

// libraryCalls is what the C library needs for the same work, and for its heap.
func libraryCalls() []rule {
	return []rule{
		when("futex", equals(1, futexWaitBitsetPrivate)), // locks of Rust
		when("clone", equals(0, cloneLibrary)),
		allow("rseq"), allow("set_robust_list"), allow("sched_getaffinity"), // a thread begins
		allow("clock_nanosleep"), // and where it could not, there is another try
		// Stacks of threads, and the reservation for linear memory. Heap, which counts
		// against RLIMIT_DATA.
		when("mmap", without(protExec), equals(3, mapPrivate|mapAnonymous|mapStack)),
		when("mmap", without(protExec), equals(3, mapPrivate|mapAnonymous|mapNoReserve)),
		allow("brk"), when("mremap", equals(3, remapMayMove)),
		refuse("ioctl", enotty, equals(1, ioctlTCGETS)), // whether it writes to a terminal: it does not
	}
}

// jit lets memory that was written be made executable, and never both at once.
func jit() []rule {
	return append(noJIT(), when("mprotect", cond{2, protWrite | protExec, protExec}))
}

// flush has all cores forget what they fetched before memory became code: Wasmtime
// asks the kernel for it on arm64, and first for the right to ask.
func flush(arch Arch) []rule {
	if arch != ARM64 {
		return nil
	}
	return []rule{
		when("membarrier", equals(0, barrierSyncCore)),
		when("membarrier", equals(0, barrierRegisterSyncCore)),
	}
}

// mapFiles is for an engine that does not read what it has compiled, but maps it.
// What is written there stays in memory, and jit says what becomes executable. Rust
// asks for a file's length in the newest way first.
func mapFiles() []rule {
	return []rule{when("mmap", without(protExec), equals(3, mapPrivate)), refuse("statx", enosys)}
}

func noJIT() []rule { return []rule{when("mprotect", without(protExec))} }

// GuestTimer is the number of the timer that ends a worker when its guest's time is
// over.
const GuestTimer = 1

// narrow lets the guest's time begin, and another filter be laid on top.
func narrow() []rule {
	return []rule{
		when("timer_settime", equals(0, GuestTimer)),
		when("seccomp", equals(0, seccompSetModeFilter), equals(1, seccompTSync)),
	}
}

// readFiles is what opening, listing and reading takes but openat; which files
// and folders, Landlock says. newfstatat it does not bound.
func readFiles() []rule {
	return []rule{
		allow("fstat"), allow("newfstatat"), allow("getdents64"),
		when("fcntl", equals(1, fcntlSetFL), without(openAsync)), // a file shall block, or append; never send signals
	}
}

// openToRead is openat for reading. A file for writing is refused and not deadly: a
// guest may ask for one.
func openToRead() []rule {
	return []rule{
		when("openat", without(openWrite|openPath)),
		refuse("openat", eacces, without(openPath)),
	}
}

// openAny is openat, but for O_PATH, which Landlock does not bound.
func openAny() rule { return when("openat", without(openPath)) }

// browse is what else a guest with a folder can do to read.
func browse() []rule {
	return []rule{
		allow("lseek"), allow("pread64"),
		allow("readlinkat"),
		allow("fstatfs"), // to keep away from /proc
	}
}

// makeFiles makes, replaces and removes files and folders; which ones, Landlock
// says.
func makeFiles() []rule {
	return []rule{allow("mkdirat"), allow("renameat"), allow("unlinkat"), allow("fsync")}
}

// change is what else a guest with a folder can do to change it. Calls that
// Landlock does not bound are missing (chmod, chown, attributes), but for one:
// a guest may set times.
func change() []rule {
	return []rule{
		allow("pwrite64"), allow("ftruncate"), allow("fdatasync"),
		allow("linkat"), allow("symlinkat"),
		allow("utimensat"),
	}
}
