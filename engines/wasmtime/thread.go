package wasmtime

/*
#include <stddef.h>
int plasm_thread(size_t stack);
*/
import "C"

import "fmt"

// thread is the one that a guest runs on, with a stack of our choice: what the
// runtime's threads have is for whoever started the process to say.
type thread struct{ jobs chan func() }

// waiting hands a new thread its jobs.
var waiting = make(chan *thread, 1)

func newThread() *thread {
	t := &thread{jobs: make(chan func())}
	waiting <- t
	if errno := C.plasm_thread(threadStack); errno != 0 {
		panic(fmt.Sprintf("wasmtime: a thread: error %d", errno))
	}
	return t
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
