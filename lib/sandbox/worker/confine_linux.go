package worker

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/limit"
	"plasm/lib/sandbox/seccomp"
	"plasm/lib/sandbox/wire"
)

// What a worker may have beyond its guest's linear memory, in bytes of writable
// private memory (RLIMIT_DATA).
const (
	runMemory     = 320 << 20  // the Go runtime, the engine, compiled code, the module, tables and stacks
	compileMemory = 1536 << 20 // the compiler
)

// confinement is what confines this process.
type confinement struct {
	native
	clock
	proved []string
	born   bool            // the process was started with no_new_privs: every thread has it
	files  seccomp.Files   // that may be read or written at an offset
	second seccomp.Profile // what narrows the filter for the guest; "" where there is none to narrow
}

// process sets what no job changes and returns the guards that were proved: what
// was tried, and failed as it should. The rest is gone without, and the
// supervisor decides whether that will do.
func (c *confinement) process() ([]string, error) {
	c.add("nofds", closeInherited() && noDescriptors())
	c.born = control(unix.PR_GET_NO_NEW_PRIVS) == 1
	offerToOOMKiller()
	if err := limitProcess(); err != nil {
		return nil, err
	}
	c.add("process", true)
	c.add("pdeathsig", bornTied)
	c.add("nodump", unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) == nil && control(unix.PR_GET_DUMPABLE) == 0)
	return c.proved, nil
}

// job sets what depends on the job, in an order in which each step can still be
// taken, and returns what was proved anew.
func (c *confinement) job(a *wire.Assignment, f files) ([]string, error) {
	before := len(c.proved)
	if err := c.possible(a); err != nil {
		return nil, err
	}
	c.start(a)
	reserve := c.beyond(a)
	bound, err := limitMemory(a, reserve)
	if err != nil {
		return nil, err
	}
	most := uint64(0)
	switch {
	case a.Task == wire.Compile:
		most = wire.MaxCode
	case len(a.Dirs) > 0:
		most = unix.RLIM_INFINITY
	case len(a.Folders) > 0:
		most = uint64(a.DiskMB) << 20
	}
	if err := lower("fsize", unix.RLIMIT_FSIZE, most); err != nil {
		return nil, err
	}
	held := most != 0 || fileHeld()
	if f.pack != nil {
		c.files = seccomp.Files{Pack: int(f.pack.Fd()), Scratch: int(f.scratch.Fd())}
		held = most == unix.RLIM_INFINITY || scratchHeld(c.files.Scratch, int64(most))
	}
	c.add("rlimits", limitsHold() && memoryHeld(bound, reserve) && held)
	c.add("landlock", restrict(a, c.mapped(a, f.code)))
	c.add("seccomp", c.filter(a))
	// Landlock and the filter set it on all threads, so that asking one will do.
	all := c.born || c.has("landlock") || c.has("seccomp")
	c.add("nnp", all && (c.has("seccomp") || control(unix.PR_GET_NO_NEW_PRIVS) == 1))
	return c.proved[before:], nil
}

// possible tells what keeps the engine from working on this machine, whatever the
// module. To prepare one takes neither code nor address space.
func (c *confinement) possible(a *wire.Assignment) error {
	if a.Task == wire.Prepare {
		return nil
	}
	if err := executable(); err != nil {
		return err
	}
	if a.Task == wire.Run {
		return c.reserved()
	}
	return nil
}

// executable tells what keeps memory that was written from being made executable, as
// engines do with what they compile.
func executable() error {
	m, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("a page of memory: %w", err)
	}
	m[0] = 1 // or there would be nothing to execute
	err = unix.Mprotect(m, unix.PROT_READ|unix.PROT_EXEC)
	if err == nil {
		return unix.Munmap(m)
	}
	_ = unix.Munmap(m)
	return &job.Error{
		Code:    job.CodeUnsupported,
		Message: fmt.Sprintf("engine: it makes memory executable, and here that is refused: %v", err),
		Hint: "let it: in a service MemoryDenyWriteExecute=no, with SELinux the right execmem, and no " +
			"PR_SET_MDWE in what starts it",
	}
}

// reserved tells what keeps the engine from reserving its address space: a limit that
// this process was started with.
func (c *confinement) reserved() error {
	if c.reserve == 0 {
		return nil
	}
	m, err := unix.Mmap(-1, 0, int(c.reserve), unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err == nil {
		return unix.Munmap(m)
	}
	return &job.Error{
		Code: job.CodeUnsupported,
		Message: fmt.Sprintf("engine: it reserves %d bytes of address space, and here that is refused: %v", c.reserve,
			err),
		Hint: "raise the limit (ulimit -v), or take the built-in engine with --engine wazero",
	}
}

// beyond returns how much address space the engine reserves beyond the bound on
// memory: that covers what the guest may have of the reservation.
func (c *confinement) beyond(a *wire.Assignment) uint64 {
	memory := uint64(a.MemoryMB) << 20
	if a.Task != wire.Run || c.reserve < memory {
		return 0
	}
	return c.reserve - memory
}

func (c *confinement) has(guard string) bool { return slices.Contains(c.proved, guard) }

func (c *confinement) add(guard string, proved bool) {
	if proved {
		c.proved = append(c.proved, guard)
	}
}

// filter loads the system-call filter for the job's task.
func (c *confinement) filter(a *wire.Assignment) bool {
	if seccomp.Proved() {
		return false // somebody else answers the probe: it would prove nothing
	}
	first, second := c.profiles(a)
	if c.c {
		first, second = first.WithC(), second.WithC()
	}
	if seccomp.Apply(first, c.files) != nil || !seccomp.Proved() {
		return false
	}
	c.second = second
	return true
}

// profiles returns the filters for before and for during the guest's run.
func (c *confinement) profiles(a *wire.Assignment) (first, second seccomp.Profile) {
	switch {
	case a.Task == wire.Prepare: // nothing is made executable for that
		return seccomp.Run, ""
	case a.Task == wire.Compile:
		return seccomp.Compile, ""
	case slices.ContainsFunc(a.Dirs, func(d engine.Dir) bool { return !d.ReadOnly }):
		return seccomp.Mount, seccomp.WriteFolders
	case len(a.Dirs) > 0:
		return seccomp.Mount, seccomp.ReadFolders
	}
	return seccomp.Load, seccomp.Run
}

// guest starts the guest's time and narrows the filter before its first instruction.
func (c *confinement) guest() error {
	if err := c.startGuest(); err != nil {
		return err
	}
	if c.second == "" {
		return nil
	}
	return seccomp.Apply(c.second, c.files)
}

// bornTied is whether the kernel will kill this process when its parent dies. The
// supervisor asked for it between fork and exec, where it has also been made sure
// that the parent was still there. The kernel keeps the wish for each thread apart,
// and shows a thread its own only. It was made for the thread that became this
// process, and packages are initialised on that thread, which Go never ends.
var bornTied = parentDeathSignal() == unix.SIGKILL

// parentDeathSignal returns the signal that this thread is sent when its parent
// dies, 0 for none.
func parentDeathSignal() unix.Signal {
	var signal int32
	if unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&signal)), 0, 0, 0) != nil { //nolint:gosec // the kernel writes there
		return 0
	}
	return unix.Signal(signal)
}

// offerToOOMKiller makes the kernel take this process first when memory runs
// out. A process that cannot be dumped could no longer say so.
func offerToOOMKiller() {
	fd, err := unix.Open("/proc/self/oom_score_adj", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	_, _ = unix.Write(fd, []byte("1000"))
	_ = unix.Close(fd)
}

// control asks prctl for a number, -1 where it knows none.
func control(option int) int {
	n, err := unix.PrctlRetInt(option, 0, 0, 0, 0)
	if err != nil {
		return -1
	}
	return n
}

// closeInherited closes what the supervisor's parent left open. What the Go runtime
// has opened meanwhile (on arm64 a package reads a file before main begins, and
// from then on there is an epoll descriptor) stays: it is to be closed on exec,
// which nothing that has come through exec can be.
func closeInherited() bool {
	for _, fd := range inherited() {
		_ = unix.Close(fd)
	}
	return unix.CloseRange(maxFiles, math.MaxUint32, 0) == nil
}

// noDescriptors reports whether nothing is open beyond what was passed on
// purpose and what this process has opened itself.
func noDescriptors() bool { return len(inherited()) == 0 }

// inherited returns what is open, below the limit, and has come through exec, but
// for what was passed on purpose. To poll says of all in one call which are open.
func inherited() (found []int) {
	var polled [maxFiles - wire.LastDescriptor - 1]unix.PollFd
	for i := range polled {
		polled[i].Fd = int32(wire.LastDescriptor + 1 + i)
	}
	_, err := unix.Poll(polled[:], 0)
	for _, p := range &polled {
		if err == nil && p.Revents&unix.POLLNVAL != 0 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(p.Fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			found = append(found, int(p.Fd))
		}
	}
	return found
}

// limitMemory bounds the memory that the process can write, and returns the
// bound. Where the process was started with a lower limit, that one is the bound if it
// leaves the job what its manifest says, and the engine what it needs for most modules.
func limitMemory(a *wire.Assignment, reserve uint64) (uint64, error) {
	bound, least := uint64(compileMemory), uint64(runMemory)
	if a.Task == wire.Run {
		bound = runMemory + namesMemory(a)
		least = bound
	}
	memory := uint64(0)
	if a.Task == wire.Run {
		memory = uint64(a.MemoryMB) << 20
	}
	space, err := addressSpace()
	if err != nil {
		return 0, fmt.Errorf("rlimit as: %w", err)
	}
	beside := space + heapArena + reserve
	for _, l := range []struct {
		limit.Resource
		beside uint64
	}{{limit.Data, 0}, {limit.AddressSpace, beside}} {
		_, most := l.Get()
		if need := l.beside + least + memory; most < need {
			return 0, l.TooLow(most, fmt.Sprintf("a job with %d MB", a.MemoryMB), need)
		}
		bound = min(bound, most-l.beside-memory)
	}
	debug.SetMemoryLimit(int64(bound / 4 * 3)) // of the Go heap: collect rather than die
	bound += memory
	return bound, errors.Join(
		lower("data", unix.RLIMIT_DATA, bound),
		// The kernel does not count as data what is mapped over a reservation, which is
		// how the Go heap grows: without this one allocation could be of any size.
		lower("as", unix.RLIMIT_AS, beside+bound),
	)
}

// namesMemory is what the names in a job's folders may take, in bytes: those that came, which
// are in the index of the pack, and those that the guest makes.
func namesMemory(a *wire.Assignment) uint64 {
	if len(a.Folders) == 0 {
		return 0
	}
	return 256<<20 + 6*uint64(max(0, a.IndexBytes))
}

// heapArena is by how much the Go heap's reservation grows at a time, in bytes.
const heapArena = 128 << 20

// addressSpace returns the size of this process's address space, in bytes.
func addressSpace() (uint64, error) {
	fd, err := unix.Open("/proc/self/statm", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(fd) }() // it was only read
	var buf [128]byte
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return 0, err
	}
	pages, _, _ := strings.Cut(string(buf[:n]), " ") // proc(5): the first number, in pages
	size, err := strconv.ParseUint(pages, 10, 40)
	return size * uint64(os.Getpagesize()), err
}

// memoryHeld tries to map more than the bound, and to reserve more.
func memoryHeld(bound, reserve uint64) bool {
	held := func(size uint64, prot int) bool {
		m, err := unix.Mmap(-1, 0, int(size), prot, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
		if err == nil {
			_ = unix.Munmap(m)
		}
		return errors.Is(err, unix.ENOMEM)
	}
	return held(bound+1<<20, unix.PROT_READ|unix.PROT_WRITE) && held(bound+heapArena+reserve+1<<20, unix.PROT_NONE)
}

// fileHeld tries to write one byte to a file.
func fileHeld() bool {
	fd, err := unix.MemfdCreate("probe", unix.MFD_CLOEXEC)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }()
	_, err = unix.Write(fd, []byte{0})
	return errors.Is(err, unix.EFBIG)
}

// scratchHeld tries to write one byte to the scratch file where it may not reach.
func scratchHeld(fd int, most int64) bool {
	_, err := unix.Pwrite(fd, []byte{0}, most)
	return errors.Is(err, unix.EFBIG)
}

// What a job may do below a folder (linux/landlock.h). Devices, sockets and FIFOs
// it may not make, and nothing it may execute.
const (
	readRights  = ll.AccessFSReadFile | ll.AccessFSReadDir
	writeRights = readRights | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSMakeReg | ll.AccessFSMakeDir |
		ll.AccessFSRemoveFile | ll.AccessFSRemoveDir | ll.AccessFSRefer | ll.AccessFSMakeSym
)

// mapped returns the name under which an engine with the C library opens the file with
// its machine code, to map it; "" where none does. What the supervisor has made in
// memory needs no rule, and can have none.
func (c *confinement) mapped(a *wire.Assignment, code *os.File) string {
	if !c.c || a.Task != wire.Run || code == nil {
		return ""
	}
	if seals, err := unix.FcntlInt(code.Fd(), unix.F_GET_SEALS, 0); err == nil && seals&unix.F_SEAL_WRITE != 0 {
		return ""
	}
	return fmt.Sprintf("/proc/self/fd/%d", code.Fd())
}

// restrict takes all of the file system from this process but the job's own
// folders and the one file with its machine code, to read. It reports whether a
// folder that could be opened before can no longer be opened.
func restrict(a *wire.Assignment, code string) bool {
	var rules []landlock.Rule
	var granted []string
	grant := func(path string, rights landlock.AccessFSSet) {
		if path != "" {
			// What is missing is the engine's to say, or to do without.
			rules = append(rules, landlock.PathAccess(rights, path).IgnoreIfMissing())
			granted = append(granted, path)
		}
	}
	grant(code, ll.AccessFSReadFile)
	for _, d := range a.Dirs {
		if d.ReadOnly {
			grant(d.Host, readRights)
		} else {
			grant(d.Host, writeRights)
		}
	}
	probe := forbidden(granted)
	if probe == "" {
		return false
	}
	return landlock.V7.BestEffort().Restrict(rules...) == nil && errors.Is(openFolder(probe), unix.EACCES)
}

// forbidden returns a folder that can be opened now and that no rule will grant.
func forbidden(granted []string) string {
	for _, dir := range []string{"/", "/proc", "/usr", "/etc"} {
		within := slices.ContainsFunc(granted, func(g string) bool {
			return dir == g || strings.HasPrefix(dir, filepath.Clean(g)+"/") || filepath.Clean(g) == "/"
		})
		if !within && openFolder(dir) == nil {
			return dir
		}
	}
	return ""
}

func openFolder(dir string) error {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0) // os.Open would start the poller
	if err != nil {
		return err
	}
	return unix.Close(fd)
}
