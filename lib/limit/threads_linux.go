package limit

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is here is called before the Go runtime has begun, too: see entry.

// Threads counts the threads of a user's processes, but for those processes that
// without, which may be nil, says to leave out by their number and their parent's.
func Threads(uid int, without func(pid, parent int) bool) (total uint64, err error) {
	path := [...]byte{'/', 'p', 'r', 'o', 'c', 0}
	proc, errno := openAt(unix.AT_FDCWD, &path[0])
	if errno != 0 {
		return 0, errno
	}
	var entries [4096]byte
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_GETDENTS64, proc, uintptr(unsafe.Pointer(&entries)), uintptr(len(entries))) //nolint:gosec // the kernel writes there
		if errno != 0 || n == 0 {
			closeFile(proc)
			if errno != 0 {
				return 0, errno
			}
			return total, nil
		}
		for at := 0; at < int(n); {
			entry := (*unix.Dirent)(unsafe.Pointer(&entries[at])) //nolint:gosec // it is what the kernel wrote
			at += int(entry.Reclen)
			var p process
			if !p.read(proc, entry) || p.user != uid {
				continue
			}
			if without == nil || !without(p.pid, p.parent) {
				total += uint64(max(p.threads, 0))
			}
		}
	}
}

// process is what proc_pid_status(5) says of a process, -1 for what it does not.
type process struct {
	pid, parent, user, threads int

	line [64]byte // the beginning of the current one
	n    int
}

// read reads the status of a process in /proc. It reports whether the entry is one,
// which is still there, and may be seen.
func (p *process) read(proc uintptr, entry *unix.Dirent) bool {
	p.pid, p.parent, p.user, p.threads = 0, -1, -1, -1
	var path [32]byte
	n := 0
	for ; entry.Name[n] != 0; n++ {
		c := byte(entry.Name[n])
		if c < '0' || c > '9' || n > 10 {
			return false
		}
		path[n] = c
		p.pid = 10*p.pid + int(c-'0')
	}
	const file = "/status"
	for i := range len(file) {
		path[n+i] = file[i]
	}
	fd, errno := openAt(int(proc), &path[0])
	if errno != 0 {
		return false
	}
	var text [1024]byte
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&text)), uintptr(len(text))) //nolint:gosec // the kernel writes there
		if errno != 0 || n == 0 {
			closeFile(fd)
			return errno == 0
		}
		for i := range int(n) {
			p.take(text[i])
		}
	}
}

// take takes the next byte of the status.
func (p *process) take(c byte) {
	if c != '\n' {
		if p.n < len(p.line) {
			p.line[p.n] = c
			p.n++
		}
		return
	}
	p.field("PPid:", &p.parent)
	p.field("Uid:", &p.user)
	p.field("Threads:", &p.threads)
	p.n = 0
}

// field takes the first number of the current line, if it is the named one.
func (p *process) field(name string, to *int) {
	if p.n < len(name) {
		return
	}
	for i := range len(name) {
		if p.line[i] != name[i] {
			return
		}
	}
	at := len(name)
	for at < p.n && p.line[at] == '\t' {
		at++
	}
	for *to = 0; at < p.n && '0' <= p.line[at] && p.line[at] <= '9'; at++ {
		*to = 10**to + int(p.line[at]-'0')
	}
}

// openAt opens what a path, which ends with a NUL, names in a folder.
func openAt(folder int, path *byte) (fd uintptr, errno syscall.Errno) {
	fd, _, errno = syscall.RawSyscall6(syscall.SYS_OPENAT, uintptr(folder), uintptr(unsafe.Pointer(path)), syscall.O_RDONLY|syscall.O_CLOEXEC, 0, 0, 0) //nolint:gosec // the kernel reads the path there
	return fd, errno
}

func closeFile(fd uintptr) { _, _, _ = syscall.RawSyscall(syscall.SYS_CLOSE, fd, 0, 0) }
