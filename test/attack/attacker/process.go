//go:build linux

package main

import (
	"fmt"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"plasm/test/attack"
	"plasm/test/attack/clone"
)

// processAttacks take no argument but for socket, which takes a family. What
// takes no more than numbers is an attack named call.
func processAttacks() map[string]func(string) string {
	fork := func(flags uintptr) func(string) string {
		return func(string) string {
			pid, what := raw(unix.SYS_CLONE, flags)
			if what == done && pid == 0 {
				for {
					raw(unix.SYS_EXIT, 0)
				}
			}
			return what
		}
	}
	path := append([]byte("/proc/self/exe"), 0)
	return map[string]func(string) string{
		"threads": func(flags string) string {
			f, err := strconv.ParseUint(flags, 0, 64)
			if err != nil {
				return err.Error()
			}
			made, err := clone.Threads(uintptr(f), attack.MostThreads)
			return fmt.Sprintf("%d %s", made, outcome(err))
		},
		"socket": func(family string) string {
			n, err := strconv.Atoi(family)
			if err != nil {
				return err.Error()
			}
			fd, err := unix.Socket(n, unix.SOCK_DGRAM, 0)
			if err == nil {
				_ = unix.Close(fd)
			}
			return outcome(err)
		},
		"socketpair": func(string) string {
			_, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			return outcome(err)
		},
		"exec": func(program string) string {
			name := &path[0]
			if program != "" {
				name = &append([]byte(program), 0)[0]
			}
			_, what := raw(unix.SYS_EXECVE, uintptr(unsafe.Pointer(name))) //nolint:gosec // the kernel reads it there
			return what
		},
		"fork":            fork(uintptr(unix.SIGCHLD)),
		"vfork":           fork(unix.CLONE_VFORK | uintptr(unix.SIGCHLD)),
		"fork namespaces": fork(unix.CLONE_NEWUSER | unix.CLONE_NEWNET | uintptr(unix.SIGCHLD)),
		"fork with this memory": fork(unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES |
			unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM),
		"clone to mprotect": fork(10), // flags that are a number which is allowed
	}
}

// look tries to attach to a process and to open its memory.
func look(process string) string {
	pid, err := strconv.Atoi(process)
	if err != nil {
		return err.Error()
	}
	_, seized := raw(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid))
	fd, err := unix.Open("/proc/"+process+"/mem", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		_ = unix.Close(fd)
	}
	return seized + " " + outcome(err)
}
