package wasmtime

/*
#include <stddef.h>
int plasm_thread(size_t stack);
*/
import "C"

import (
	"fmt"
	"syscall"

	"plasm/lib/job"
)

// thread is the one that a guest runs on, with a stack of our choice: what the
// runtime's threads have is for whoever started the process to say.
type thread struct{ jobs chan func() }

// waiting hands a new thread its jobs.
var waiting = make(chan *thread, 1)

// newThread starts a thread. An error is this machine's fault.
func newThread() (*thread, error) {
	t := &thread{jobs: make(chan func())}
	waiting <- t
	if errno := C.plasm_thread(threadStack); errno != 0 {
		<-waiting
		return nil, &job.Error{
			Code: job.CodeInternal, Message: fmt.Sprintf("engine: it could not have a thread: %v",
				syscall.Errno(errno)),
			Hint: "raise the limit on processes and threads (ulimit -u), or TasksMax= of the service",
		}
	}
	return t, nil
}

//export plasmGuest
func plasmGuest() {
	for f := range (<-waiting).jobs {
		f()
	}
}

// run runs f on the thread, and waits for it. There is one run in its life.
func (t *thread) run(f func()) {
	done := make(chan struct{})
	t.jobs <- func() {
		defer close(done)
		f()
	}
	<-done
	close(t.jobs)
}
