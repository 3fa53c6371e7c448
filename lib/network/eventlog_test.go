package network

import (
	"strconv"
	"testing"

	"golang.org/x/time/rate"
)

// However many peers come and go, the log grows at a bounded pace, and says how
// much it left out.
func TestPeerEventsAreBounded(t *testing.T) {
	t.Parallel()
	log := newJournal()
	events := newEventLog(log.logger())
	const many = 3 * peerEventsBurst
	p := somebody(t)
	for range many {
		events.peer("peer.connected", p)
	}
	log.mu.Lock()
	written := len(log.records)
	log.mu.Unlock()
	if written < peerEventsBurst || written > peerEventsBurst+peerEventsBurst/2 {
		t.Errorf("%d of %d events are logged", written, many)
	}
	events.limit.SetLimit(rate.Inf)
	events.peer("peer.connected", p) // tells of those that were left out before it
	left := 0
	for _, r := range log.records {
		if n, err := strconv.Atoi(r["suppressed"]); err == nil {
			left += n
		}
	}
	if left+written != many {
		t.Errorf("%d events are logged and %d left out, of %d", written, left, many)
	}
}
