//go:build linux

package main

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	readWrite = unix.PROT_READ | unix.PROT_WRITE
	readExec  = unix.PROT_READ | unix.PROT_EXEC

	own        = unix.MAP_PRIVATE | unix.MAP_ANON
	unreserved = own | unix.MAP_NORESERVE

	page = 1 << 12
)

// memoryAttacks take no argument.
func memoryAttacks() map[string]func(string) string {
	return map[string]func(string) string{
		"map rw":            mmap(page, readWrite, own),
		"map rwx":           mmap(page, readWrite|readExec, own),
		"map rx":            mmap(page, readExec, own),
		"map rx stack":      mmap(page, readExec, own|unix.MAP_STACK),
		"map rx unreserved": mmap(page, readExec, unreserved),
		"map shared":        mmap(1<<40, readWrite, unix.MAP_SHARED|unix.MAP_ANON|unix.MAP_NORESERVE),
		"map growing":       mmap(1<<40, readWrite, unreserved|unix.MAP_GROWSDOWN),
		"map growing stack": mmap(page, readWrite, own|unix.MAP_STACK|unix.MAP_GROWSDOWN),
		"map stack":         mmap(page, readWrite, own|unix.MAP_STACK),
		"map unreserved":    mmap(page, readWrite, unreserved),
		"map file":          mapFile(unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE),
		"map code":          mapFile(readExec, unix.MAP_PRIVATE),
		"map shared file":   mapFile(unix.PROT_READ, unix.MAP_SHARED),
		"map huge":          mmap(2<<20, readWrite, own|unix.MAP_HUGETLB),

		"map beyond":                mmap(4<<30, readWrite, own),
		"map unreserved beyond":     mmap(4<<30, readWrite, unreserved),
		"reserve beyond":            mmap(16<<30, unix.PROT_NONE, own),
		"reserve unreserved beyond": mmap(16<<30, unix.PROT_NONE, unreserved),
		"use 4 GiB":                 protect(4<<30, unreserved, readWrite),
		"use 8 GiB":                 protect(8<<30, unreserved, readWrite),
		"grow beyond":               remap(4<<30, unix.MREMAP_MAYMOVE),
		"heap beyond":               heapBeyond,
		"threads beyond":            threadsBeyond,

		"make rwx":        protect(page, own, readWrite|readExec),
		"make executable": protect(page, own, readExec),
		"move":            remap(page, unix.MREMAP_MAYMOVE),
		"move onto":       remap(page, unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED),
		"move away":       remap(page, unix.MREMAP_MAYMOVE|unix.MREMAP_DONTUNMAP),
		"poison":          func(string) string { return advise(unix.MADV_HWPOISON) },
		"merge":           func(string) string { return advise(unix.MADV_MERGEABLE) },
		"futex that inherit": func(string) string { // FUTEX_LOCK_PI
			var lock uint32
			_, what := raw(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&lock)), 6) //nolint:gosec // the kernel looks there
			return what
		},
	}
}

func mmap(size, prot, flags uintptr) func(string) string {
	return func(string) string {
		_, what := raw(unix.SYS_MMAP, 0, size, prot, flags, ^uintptr(0), 0)
		return what
	}
}

// mapFile returns an attack that maps a file, which is that of no descriptor: if it
// may be mapped, the kernel says so.
func mapFile(prot, flags uintptr) func(string) string {
	return func(string) string {
		_, what := raw(unix.SYS_MMAP, 0, page, prot, flags, ^uintptr(0), 0)
		return what
	}
}

// protect returns an attack that maps memory, which nobody can use where it is not
// reserved, and changes what can be done with it.
func protect(size, flags, prot uintptr) func(string) string {
	return func(string) string {
		first := uintptr(readWrite)
		if flags == unreserved {
			first = unix.PROT_NONE
		}
		at, what := raw(unix.SYS_MMAP, 0, size, first, flags, ^uintptr(0), 0)
		if what != done {
			return what
		}
		_, what = raw(unix.SYS_MPROTECT, at, size, prot)
		return what
	}
}

// remap returns an attack that moves a page, which may become larger.
func remap(size, flags uintptr) func(string) string {
	return func(string) string {
		at, what := raw(unix.SYS_MMAP, 0, page, readWrite, own, ^uintptr(0), 0)
		if what != done {
			return what
		}
		_, what = raw(unix.SYS_MREMAP, at, page, size, flags, at)
		return what
	}
}

// threadsBeyond takes all addresses that there are, and then starts threads until
// there is no room for another.
func threadsBeyond(string) string {
	for size := uintptr(1 << 40); size >= page; size /= 2 {
		for what := done; what == done; {
			_, what = raw(unix.SYS_MMAP, 0, size, unix.PROT_NONE, own, ^uintptr(0), 0)
		}
	}
	for range 1000 {
		go func() {
			runtime.LockOSThread()
			select {}
		}()
	}
	select {}
}

// heapBeyond makes the C library's heap grow.
func heapBeyond(string) string {
	end, _ := raw(unix.SYS_BRK, 0)
	if now, _ := raw(unix.SYS_BRK, end+4<<30); now == end {
		return "as it was"
	}
	return done
}

func advise(advice uintptr) string {
	at, what := raw(unix.SYS_MMAP, 0, page, readWrite, own, ^uintptr(0), 0)
	if what != done {
		return what
	}
	_, what = raw(unix.SYS_MADVISE, at, page, advice)
	return what
}
