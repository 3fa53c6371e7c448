//go:build linux

package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// memoryAttacks take no argument.
func memoryAttacks() map[string]func(string) string {
	const (
		rw   = unix.PROT_READ | unix.PROT_WRITE
		rx   = unix.PROT_READ | unix.PROT_EXEC
		own  = unix.MAP_PRIVATE | unix.MAP_ANON
		page = 1 << 12
	)
	mmap := func(size, prot, flags uintptr) func(string) string {
		return func(string) string {
			_, what := raw(unix.SYS_MMAP, 0, size, prot, flags, ^uintptr(0), 0)
			return what
		}
	}
	protect := func(prot uintptr) func(string) string {
		return func(string) string {
			at, what := raw(unix.SYS_MMAP, 0, page, rw, own, ^uintptr(0), 0)
			if what != done {
				return what
			}
			_, what = raw(unix.SYS_MPROTECT, at, page, prot)
			return what
		}
	}
	return map[string]func(string) string{
		"map rw":          mmap(page, rw, own),
		"map rwx":         mmap(page, rw|rx, own),
		"map rx":          mmap(page, rx, own),
		"map shared":      mmap(1<<40, rw, unix.MAP_SHARED|unix.MAP_ANON|unix.MAP_NORESERVE),
		"map growing":     mmap(1<<40, rw, own|unix.MAP_GROWSDOWN|unix.MAP_NORESERVE),
		"map huge":        mmap(2<<20, rw, own|unix.MAP_HUGETLB),
		"map beyond":      mmap(4<<30, rw, own),
		"make rwx":        protect(rw | rx),
		"make executable": protect(rx),
		"poison":          func(string) string { return advise(unix.MADV_HWPOISON) },
		"merge":           func(string) string { return advise(unix.MADV_MERGEABLE) },
		"futex that inherit": func(string) string { // FUTEX_LOCK_PI
			var lock uint32
			_, what := raw(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&lock)), 6) //nolint:gosec // the kernel looks there
			return what
		},
	}
}

func advise(advice uintptr) string {
	at, what := raw(unix.SYS_MMAP, 0, 1<<12, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON, ^uintptr(0), 0)
	if what != done {
		return what
	}
	_, what = raw(unix.SYS_MADVISE, at, 1<<12, advice)
	return what
}
