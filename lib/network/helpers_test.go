package network

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// patience is how long a test waits for what should take a moment.
const patience = 2 * time.Minute

// loopback is where hosts of tests listen.
func loopback() []string {
	return []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}
}

// start starts a host on loopback that ends with the test.
func start(t *testing.T, cfg Config) *Host {
	t.Helper()
	if cfg.Listen == nil {
		cfg.Listen = loopback()
	}
	h, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return h
}

// at is where to find h.
func at(h *Host) []peer.AddrInfo {
	return []peer.AddrInfo{{ID: h.ID(), Addrs: h.LocalAddrs()}}
}

// patiently returns a context that ends with the test's patience.
func patiently(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// wait waits for c to have a value or be closed.
func wait[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited %v for %s", patience, what)
		panic("unreachable")
	}
}

// settled waits until the first contact of h is no longer being dialled, and
// returns it.
func settled(t *testing.T, h *Host) Contact {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ctx := patiently(t); ; {
		if all := h.Contacts(); len(all) > 0 && all[0].State != ContactDialling {
			return all[0]
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("still dialling: %+v", h.Contacts())
		}
	}
}

// providers collects what a lookup of key finds.
func providers(t *testing.T, h *Host, key Key) map[peer.ID]peer.AddrInfo {
	t.Helper()
	found := make(map[peer.ID]peer.AddrInfo)
	for info := range h.Providers(patiently(t), key) {
		if _, twice := found[info.ID]; twice {
			t.Errorf("%v was found twice", info.ID)
		}
		found[info.ID] = info
	}
	return found
}

// journal is a log that a test can wait for.
type journal struct {
	mu      sync.Mutex
	records []map[string]string
	wrote   chan struct{} // closed and replaced by each record
}

func newJournal() *journal { return &journal{wrote: make(chan struct{})} }

func (j *journal) logger() *slog.Logger { return slog.New(journalHandler{j, nil}) }

type journalHandler struct {
	*journal
	attrs []slog.Attr
}

func (h journalHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h journalHandler) Handle(_ context.Context, r slog.Record) error {
	record := map[string]string{"msg": r.Message, "level": r.Level.String()}
	for _, a := range h.attrs {
		record[a.Key] = a.Value.String()
	}
	r.Attrs(func(a slog.Attr) bool {
		record[a.Key] = a.Value.String()
		return true
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records = append(h.records, record)
	close(h.wrote)
	h.wrote = make(chan struct{})
	return nil
}

func (h journalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return journalHandler{h.journal, append(slices.Clip(h.attrs), attrs...)}
}

func (h journalHandler) WithGroup(string) slog.Handler { return h }

// await waits for a record of msg that has each of attrs (key, value, …).
func (j *journal) await(t *testing.T, msg string, attrs ...string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		j.mu.Lock()
		for _, record := range j.records {
			if record["msg"] == msg && hasAll(record, attrs) {
				j.mu.Unlock()
				return
			}
		}
		wrote := j.wrote
		j.mu.Unlock()
		select {
		case <-wrote:
		case <-deadline:
			t.Fatalf("no %s with %v in %d records", msg, attrs, len(j.records))
		}
	}
}

func hasAll(record map[string]string, attrs []string) bool {
	for i := 0; i < len(attrs); i += 2 {
		if record[attrs[i]] != attrs[i+1] {
			return false
		}
	}
	return true
}
