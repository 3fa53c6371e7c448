package cli

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Suspend has pause called before SIGTSTP, which Ctrl-Z sends, stops this process, and
// resume when it goes on. Where the parent process has had the signal ignored nothing
// changes. release ends that, and may be called more than once. SIGSTOP cannot be
// caught.
func Suspend(pause, resume func()) (release func()) {
	if signal.Ignored(syscall.SIGTSTP) {
		return func() {}
	}
	stops := make(chan os.Signal, 1)
	signal.Notify(stops, syscall.SIGTSTP)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stops:
				pause()
				stopProcess()
				resume()
			case <-done:
				signal.Stop(stops)
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(done)
		<-ended
	})
}
