// Package clone makes threads that no runtime knows of, as code would that has taken
// a worker over.
package clone

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Threads makes as many threads as it is given, and returns how many came of it, and
// the error of the next. They sleep until the process ends.
func Threads(flags uintptr, most int) (made int, err error) {
	runtime.LockOSThread() // for good: its signals stay blocked, and those of the threads
	all := unix.Sigset_t{}
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, nil); err != nil {
		return 0, err
	}
	for ; made < most; made++ {
		if r := thread(flags); r < 0 {
			return made, unix.Errno(-r)
		}
	}
	return made, nil
}

// thread makes a thread, and returns its number or a negative error.
func thread(flags uintptr) int
