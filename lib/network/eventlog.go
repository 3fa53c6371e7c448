package network

import (
	"context"
	"log/slog"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/time/rate"
)

// Peers come and go as strangers like, who must not fill a disk: events above
// this many a second are counted only, and the next one says how many.
const (
	peerEventsPerSecond = 100
	peerEventsBurst     = 2000
)

// eventLog logs the events of peers.
type eventLog struct {
	log   *slog.Logger
	limit *rate.Limiter

	mu         sync.Mutex
	suppressed int
}

func newEventLog(log *slog.Logger) *eventLog {
	return &eventLog{log: log, limit: rate.NewLimiter(peerEventsPerSecond, peerEventsBurst)}
}

// peer logs the event called name of p, unless there are too many.
func (l *eventLog) peer(name string, p peer.ID, attrs ...slog.Attr) {
	l.mu.Lock()
	allowed := l.limit.Allow()
	suppressed := l.suppressed
	if allowed {
		l.suppressed = 0
	} else {
		l.suppressed++
	}
	l.mu.Unlock()
	if !allowed {
		return
	}
	attrs = append([]slog.Attr{slog.String("peer", p.String())}, attrs...)
	if suppressed > 0 {
		attrs = append(attrs, slog.Int("suppressed", suppressed))
	}
	l.log.LogAttrs(context.Background(), slog.LevelInfo, name, attrs...) //nolint:sloglint // callers give literals
}
