package node

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestWatchdog shows that the service manager's watchdog is pinged by a healthy
// node only. It is not parallel: the variables are the process's.
func TestWatchdog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	must(t, err)
	defer func() { _ = conn.Close() }()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "20000")
	m := manager{slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	done := m.watch(ctx, func(context.Context) bool {
		asked++
		if asked > 4 {
			cancel()
		}
		return asked == 3
	})
	<-done
	m.stopping(time.Second)
	for _, want := range []string{"WATCHDOG=1", "STOPPING=1\nEXTEND_TIMEOUT_USEC=16000000"} {
		message := make([]byte, 64)
		n, err := conn.Read(message)
		if err != nil || string(message[:n]) != want {
			t.Errorf("told %q, %v; want %q", message[:n], err, want)
		}
	}

	t.Setenv("WATCHDOG_PID", strconv.Itoa(1)) // another process's
	<-m.watch(t.Context(), func(context.Context) bool { t.Error("asked"); return false })
}
