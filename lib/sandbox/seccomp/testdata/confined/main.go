// Command confined lays a filter on itself and tries what its argument says. It
// is built without cgo, whose threads Go's filter does not allow.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"plasm/lib/sandbox/seccomp"
)

func main() {
	switch os.Args[1] {
	case "threads":
		threads(os.Stdout)
	case "disobedient thread":
		disobedient(os.Stdout)
	case "twice":
		if seccomp.Apply(seccomp.Load, seccomp.Files{}) == nil && seccomp.Apply(seccomp.Run, seccomp.Files{}) == nil &&
			seccomp.Proved() {
			_, _ = fmt.Fprintln(os.Stdout, seccomp.Apply(seccomp.Run, seccomp.Files{}))
		}
	case "churn":
		churn(os.Stdout)
	}
}

// threads says of each thread whether it is filtered and can gain privileges.
func threads(out io.Writer) {
	hold := make(chan struct{})
	for range 4 {
		started := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(started)
			<-hold
		}()
		<-started
	}
	_, _ = fmt.Fprintln(out, seccomp.Apply(seccomp.Mount, seccomp.Files{}), seccomp.Proved())
	tasks, err := filepath.Glob("/proc/self/task/*/status")
	_, _ = fmt.Fprintln(out, len(tasks) > 4, err)
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if err != nil {
			_, _ = fmt.Fprintln(out, err)
		}
		for line := range strings.Lines(string(status)) {
			if strings.HasPrefix(line, "Seccomp:") || strings.HasPrefix(line, "NoNewPrivs:") {
				_, _ = io.WriteString(out, strings.ReplaceAll(line, "\t", " "))
			}
		}
	}
	close(hold)
}

// disobedient has a thread with a filter of its own, which thus cannot take
// another's.
func disobedient(out io.Writer) {
	filter := []unix.SockFilter{{Code: 0x06, K: 0x7fff0000}} // allow all
	program := unix.SockFprog{Len: 1, Filter: &filter[0]}
	started, hold := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		if err == nil {
			err = unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
		}
		started <- err
		<-hold
	}()
	_, _ = fmt.Fprintln(out, <-started)
	_, _ = fmt.Fprintln(out, seccomp.Apply(seccomp.Mount, seccomp.Files{}))
	_, _ = fmt.Fprintln(out, seccomp.Proved())
	close(hold)
}

// churn keeps the runtime busy under the narrowest filters: goroutines, threads,
// garbage, preemption.
func churn(out io.Writer) {
	if err := seccomp.Apply(seccomp.Load, seccomp.Files{}); err != nil {
		_, _ = fmt.Fprintln(out, err)
	}
	if err := seccomp.Apply(seccomp.Run, seccomp.Files{}); err != nil {
		_, _ = fmt.Fprintln(out, err)
	}
	done := make(chan int)
	for i := range 500 {
		go func() {
			if i%50 == 0 {
				runtime.LockOSThread() // and end with the thread
			}
			var kept [][]byte
			for n := range 40 {
				kept = append(kept, make([]byte, 1<<12+n))
				runtime.Gosched()
			}
			if i%100 == 0 {
				runtime.GC()
			}
			done <- len(kept)
		}()
	}
	sum := 0
	for range 500 {
		sum += <-done
	}
	_, _ = fmt.Fprintln(out, sum)
}
