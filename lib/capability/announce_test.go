package capability

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/network"
)

// events counts log records by message.
type events struct {
	slog.Handler

	mu    sync.Mutex
	count map[string]int
}

func newEvents() *events { return &events{Handler: slog.DiscardHandler, count: map[string]int{}} }

func (*events) Enabled(context.Context, slog.Level) bool { return true }

func (e *events) Handle(_ context.Context, r slog.Record) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count[r.Message]++
	return nil
}

func (e *events) of(message string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count[message]
}

// holds reports whether h itself has a record of id for key.
func holds(t *testing.T, h *network.Host, key network.Key, id peer.ID) bool {
	t.Helper()
	has := false
	for info := range h.Providers(t.Context(), key) {
		has = has || info.ID == id
	}
	return has
}

// TestAnnounceWhenSomebodyComes: a node that is alone has everything pending,
// and provides it as soon as there is a first peer.
func TestAnnounceWhenSomebodyComes(t *testing.T) {
	t.Parallel()
	h := server(t)
	log := newEvents()
	n := document()
	a := Announce(h, Announcement{Keys: Keys(&n), Debounce: time.Hour, Log: slog.New(log)})
	defer a.Close()
	eventually(t, "tried", func() bool { return log.of("announcement pending") > 0 })
	if s := a.State(); s.Pending != s.Keys || s.Keys != len(Keys(&n)) || !s.At.IsZero() ||
		log.of("capability.advertised") != 0 {
		t.Errorf("alone: %+v", s)
	}
	other := server(t, h)
	eventually(t, "announced", func() bool { return a.State().Pending == 0 })
	if s := a.State(); s.At.IsZero() || log.of("capability.advertised") != 1 {
		t.Errorf("announced: %+v, %d events", s, log.of("capability.advertised"))
	}
	if !holds(t, other, "arch=amd64", h.ID()) {
		t.Error("the first peer has no record")
	}
}

// TestAnnounceRepublishes: in time, without anything having changed.
func TestAnnounceRepublishes(t *testing.T) {
	t.Parallel()
	hub := server(t)
	h := server(t, hub)
	log := newEvents()
	a := Announce(h, Announcement{
		Keys: []network.Key{"k"}, Republish: 50 * time.Millisecond, Debounce: time.Hour,
		Log: slog.New(log),
	})
	defer a.Close()
	eventually(t, "announced three times", func() bool { return log.of("capability.advertised") >= 3 })
}

// TestAnnounceUpdate: other keys are announced at once.
func TestAnnounceUpdate(t *testing.T) {
	t.Parallel()
	hub := server(t)
	h := server(t, hub)
	a := Announce(h, Announcement{Keys: []network.Key{"old"}})
	defer a.Close()
	eventually(t, "announced", func() bool { return a.State().Pending == 0 })
	a.Update([]network.Key{"new", "newer"})
	eventually(t, "announced anew", func() bool { s := a.State(); return s.Pending == 0 && s.Keys == 2 })
	for _, key := range []network.Key{"new", "newer"} {
		if !holds(t, hub, key, h.ID()) {
			t.Errorf("no record of %s", key)
		}
	}
}

// TestAnnounceAfterChange: which change counts, and from when on.
func TestAnnounceAfterChange(t *testing.T) {
	t.Parallel()
	at0 := time.Now()
	plan := Announcement{Republish: 11 * time.Hour, Debounce: time.Second}
	last := view{at: at0, addrs: "a", peers: 10}
	now := at0.Add(time.Minute)
	tests := []struct {
		name      string
		last, now view
		want      time.Time
	}{
		{"the first peer", view{at: at0, pending: true}, view{at: now, peers: 1}, now},
		{"still nobody, same addresses", view{at: at0, pending: true}, view{at: now}, now.Add(time.Second)},
		{"other addresses", last, view{at: now, addrs: "b", peers: 10}, now.Add(time.Second)},
		{"twice the peers", last, view{at: now, addrs: "a", peers: 20}, now.Add(time.Second)},
		{"another peer, long after", last, view{at: now, addrs: "a", peers: 9}, now.Add(time.Second)},
		{
			"another peer, soon after", last,
			view{at: at0.Add(time.Second), addrs: "a", peers: 11},
			at0.Add(66 * time.Second),
		},
		{
			"many peers come and go",
			view{at: at0, addrs: "a", peers: 200},
			view{at: now, addrs: "a", peers: 190},
			at0.Add(19 * time.Minute),
		},
	}
	for _, test := range tests {
		if got := test.last.dueAfterChange(test.now, plan); !got.Equal(test.want) {
			t.Errorf("%s: in %v, want %v", test.name, got.Sub(at0), test.want.Sub(at0))
		}
	}
	if got := (view{failed: true}).wait(plan); got != retryTime {
		t.Errorf("after a failure: %v", got)
	}
}

// TestAnnounceAfterPeersCame: a table that has grown much is reason enough.
func TestAnnounceAfterPeersCame(t *testing.T) {
	t.Parallel()
	hub := server(t)
	h := server(t, hub)
	log := newEvents()
	a := Announce(h, Announcement{Keys: []network.Key{"k"}, Debounce: 10 * time.Millisecond, Log: slog.New(log)})
	defer a.Close()
	eventually(t, "announced", func() bool { return log.of("capability.advertised") == 1 })
	for range 3 {
		server(t, h)
	}
	eventually(t, "announced again", func() bool { return log.of("capability.advertised") >= 2 })
}

// TestAnnounceGathersChanges: many changes within the time in which they gather
// are no announcement each.
func TestAnnounceGathersChanges(t *testing.T) {
	t.Parallel()
	hub := server(t)
	h := server(t, hub)
	log := newEvents()
	a := Announce(h, Announcement{Keys: []network.Key{"k"}, Debounce: time.Hour, Log: slog.New(log)})
	defer a.Close()
	eventually(t, "announced", func() bool { return log.of("capability.advertised") == 1 })
	for range 6 {
		other := server(t, h)
		eventually(t, "known", func() bool { return len(h.Network().ConnsToPeer(other.ID())) > 0 })
	}
	eventually(t, "all in the table", func() bool { return h.TableSize() >= 7 })
	a.Update([]network.Key{"last"})
	eventually(t, "announced for the update", func() bool {
		s := a.State()
		return s.Pending == 0 &&
			holds(t, hub, "last", h.ID())
	})
	if n := log.of("capability.advertised"); n != 2 {
		t.Errorf("announced %d times, not at the start and for the update alone", n)
	}
}

// TestAnnounceClose: nothing runs any more, at whatever moment it comes. It isn't
// parallel, so that only its own goroutines are there to be seen.
func TestAnnounceClose(t *testing.T) {
	hub := server(t)
	for _, h := range []*network.Host{server(t), server(t, hub)} {
		for range 3 {
			n := document()
			a := Announce(h, Announcement{Keys: Keys(&n)})
			a.Close()
			if left := goroutines("capability.(*Announcer)", "capability.Announce"); len(left) > 0 {
				t.Errorf("still running: %s", left)
			}
		}
	}
}
