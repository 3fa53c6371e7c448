package bin

import (
	"os"
	"os/signal"
	"syscall"
)

// HeedSignals has commands that tests start be ended by the signals that this process
// was started to ignore, as one below nohup or in a script's background is: what a
// process ignores its children ignore. Such a signal has this process call end.
func HeedSignals(end func()) {
	var ignored []os.Signal
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM} {
		if signal.Ignored(s) {
			ignored = append(ignored, s)
		}
	}
	if len(ignored) == 0 {
		return
	}
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, ignored...)
	go func() {
		<-heard
		end()
	}()
}
