package network

import (
	"context"
	"fmt"
	"io"
	stdlog "log" //nolint:depguard // libraries below write through it: it is routed here, not used
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	golog "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/gologshim"

	"plasm/lib/job"
)

// libp2p's log is one for the whole process, and so is where it goes. Left
// alone, it and the libraries below it write to stderr: through gologshim
// (libp2p), go-log (the DHT) and the standard log package (QUIC, UPnP).
var (
	libraryLog atomic.Pointer[slog.Logger]
	routeOnce  sync.Once
)

// maxLogValue is the longest value that is logged for a library, in bytes:
// strangers have a say in it.
const maxLogValue = 512

// routeLibraryLogs sends what libraries log to log, at job.LevelTrace, whatever level
// they thought it had: what matters of it is logged by us, as an event. The host
// that was started last has it.
func routeLibraryLogs(log *slog.Logger) {
	routeOnce.Do(func() {
		gologshim.SetDefaultHandler(libraryHandler{})
		golog.SetupLogging(golog.Config{Level: golog.LevelFatal, Format: golog.JSONOutput}) // no output at all
		stdlog.SetOutput(libraryWriter{})
		stdlog.SetFlags(0)
		// Read once by quic-go, which otherwise warns that UDP buffers are small.
		_ = os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	})
	libraryLog.Store(log)
}

// unrouteLibraryLogs silences the libraries, unless another host took the log.
func unrouteLibraryLogs(log *slog.Logger) { libraryLog.CompareAndSwap(log, nil) }

// libraryHandler hands records on to whatever log is current.
type libraryHandler struct{ attrs []slog.Attr }

// Enabled reports whether the current log wants what libraries say.
func (libraryHandler) Enabled(ctx context.Context, _ slog.Level) bool {
	log := libraryLog.Load()
	return log != nil && log.Enabled(ctx, job.LevelTrace)
}

// Handle logs r at job.LevelTrace, with its own level beside it.
func (h libraryHandler) Handle(ctx context.Context, r slog.Record) error {
	log := libraryLog.Load()
	if log == nil {
		return nil
	}
	out := slog.NewRecord(r.Time, job.LevelTrace, clip(r.Message), r.PC)
	out.AddAttrs(slog.String("library_level", strings.ToLower(r.Level.String())))
	for _, a := range h.attrs {
		out.AddAttrs(clipAttr(a))
	}
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(clipAttr(a))
		return true
	})
	return log.Handler().Handle(ctx, out)
}

// WithAttrs returns a handler that adds attrs to each record.
func (h libraryHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return libraryHandler{attrs: append(slices.Clip(h.attrs), attrs...)}
}

// WithGroup returns h: groups only say which package spoke.
func (h libraryHandler) WithGroup(string) slog.Handler { return h }

// libraryWriter takes the lines of the standard log package.
type libraryWriter struct{}

var _ io.Writer = libraryWriter{}

// Write logs one line.
func (libraryWriter) Write(p []byte) (int, error) {
	if log := libraryLog.Load(); log != nil {
		log.Log(context.Background(), job.LevelTrace, "library", "text", clip(strings.TrimSpace(string(p))))
	}
	return len(p), nil
}

func clipAttr(a slog.Attr) slog.Attr {
	return slog.String(a.Key, clip(fmt.Sprint(a.Value.Resolve().Any())))
}

// clip bounds a text that a stranger may have written. Escaping is the log
// handler's.
func clip(s string) string {
	if len(s) <= maxLogValue {
		return s
	}
	return strings.ToValidUTF8(s[:maxLogValue], "") + "…"
}
