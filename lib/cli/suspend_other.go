//go:build unix && !linux

package cli

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// stopProcess stops this process, and returns when it goes on.
func stopProcess() {
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) // to this process: nothing to go wrong
	select {
	case <-continued:
	case <-time.After(time.Second): // it went on before it was looked for
	}
}
