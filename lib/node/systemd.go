package node

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"plasm/lib/job"
)

// manager is the service manager, systemd, which is told how the node is
// (sd_notify(3)) where $NOTIFY_SOCKET says that there is one.
type manager struct{ log *slog.Logger }

func tell(state string) error {
	_, err := daemon.SdNotify(false, state)
	return err
}

// ready says that the node is. That the service manager cannot be told is an
// error: it would end the node later.
func (manager) ready() error {
	if err := tell(daemon.SdNotifyReady); err != nil {
		return &job.Error{
			Code:    job.CodeIO,
			Message: fmt.Sprintf("the service manager cannot be told: NOTIFY_SOCKET: %v", err), Err: err,
		}
	}
	return nil
}

// try tells what the node goes on without.
func (m manager) try(state string) {
	if err := tell(state); err != nil {
		m.log.Warn("the service manager was not told", "error", err)
	}
}

// stopGrace is what a node takes to end beside its jobs, and more.
const stopGrace = 15 * time.Second

// stopping says that the node ends, and how long its jobs may take until then: the
// service manager's own limit on that need not know of --drain.
func (m manager) stopping(drain time.Duration) {
	m.try(fmt.Sprintf("%s\nEXTEND_TIMEOUT_USEC=%d", daemon.SdNotifyStopping, (drain + stopGrace).Microseconds()))
}

// reloading says when reloading began, which systemd wants to know from services
// of the type notify-reload.
func (m manager) reloading() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		m.log.Warn("no monotonic clock", "error", err)
		return
	}
	m.try(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000))
}

func (m manager) reloaded() { m.try(daemon.SdNotifyReady) }

// watch pings the service manager's watchdog, where it has one, twice in the time
// that it allows, as long as healthy says that the node is. It ends with ctx, and
// then closes the channel.
func (m manager) watch(ctx context.Context, healthy func(context.Context) bool) <-chan struct{} {
	done := make(chan struct{})
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every <= 0 {
		close(done)
		return done
	}
	every /= 2
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			soon, cancel := context.WithTimeout(ctx, every)
			if healthy(soon) {
				m.try(daemon.SdNotifyWatchdog)
			} else if ctx.Err() == nil {
				m.log.Error("the node is stuck: the watchdog is not told that it is well")
			}
			cancel()
		}
	}()
	return done
}
