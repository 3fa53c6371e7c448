package seccomp

import "slices"

// Values of arguments, the same on both architectures.
const (
	protWrite = 0x2
	protExec  = 0x4

	mapPrivate   = 0x2
	mapDroppable = 0x8
	mapFixed     = 0x10
	mapAnonymous = 0x20
	mapNoReserve = 0x4000
	mapStack     = 0x20000
	mapHugeTLB   = 0x40000

	remapMayMove = 1

	adviseDontNeed   = 4
	adviseFree       = 8
	adviseHugePage   = 14
	adviseNoHugePage = 15
	adviseCollapse   = 25

	futexWaitPrivate = 128
	futexWakePrivate = 129

	futexWaitBitsetPrivate = 137

	// How Go makes a thread, to the flag: CLONE_VM, FS, FILES, SIGHAND, SYSVSEM
	// and THREAD, and on amd64 SETTLS. Anything else would be a process.
	cloneThread = 0x50f00
	cloneSetTLS = 0x80000

	// How the C library does: besides, CLONE_SETTLS, PARENT_SETTID, CHILD_CLEARTID.
	cloneLibrary = cloneThread | cloneSetTLS | 0x100000 | 0x200000

	ioctlTCGETS = 0x5401

	// MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, and that of its registration.
	barrierSyncCore         = 32
	barrierRegisterSyncCore = 64

	prSetVMA = 0x53564d41

	seccompSetModeFilter = 1
	seccompTSync         = 1

	fcntlGetFL = 3
	fcntlSetFL = 4

	openWrite = 0o1 | 0o2 | 0o100 | 0o1000 | 0o2000 | 0o20000000 // WRONLY RDWR CREAT TRUNC APPEND __O_TMPFILE
	openAsync = 0o20000
	openPath  = 0o10000000
)

// Errors that a filter answers (asm-generic/errno.h).
const (
	enomem = 12
	eacces = 13
	enotty = 25
	enosys = 38
	// ProbeErrno is what the probe answers under a filter: ENOTNAM, which no
	// system call of Linux uses.
	ProbeErrno = 118

	// probePID is no process: they are at most 2^22.
	probePID = 0x7ffffff5
)

// cond is a condition on one argument: arg & mask == value, over 64 bits.
type cond struct {
	arg   int
	mask  uint64
	value uint64
}

const all64 = ^uint64(0)

func equals(arg int, value uint64) cond { return cond{arg, all64, value} }

// without is a condition on the third argument, where flags often are.
func without(bits uint64) cond { return cond{2, bits, 0} }

// rule allows a system call when every condition holds, or answers errno.
type rule struct {
	call  string
	conds []cond
	errno uint32 // 0: allow
}

func allow(call string) rule { return rule{call: call} }

func when(call string, conds ...cond) rule { return rule{call: call, conds: conds} }

func refuse(call string, errno uint32, conds ...cond) rule { return rule{call, conds, errno} }

func join(rules ...[]rule) []rule { return slices.Concat(rules...) }
