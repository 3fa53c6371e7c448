package queue_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"plasm/lib/exchange/queue"
	"plasm/lib/job"
)

// clock is a time that only a test moves.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// at is an unlisted client at an address.
func at(addr string) queue.Client {
	return queue.Client{Requester: "free", Source: queue.SourceOf(netip.MustParseAddr(addr))}
}

// wanted has somebody listed hold a slot, for as long as the test runs.
func wanted(t *testing.T, q *queue.Queue) *queue.Queue {
	t.Helper()
	start(t, q, listed(999), queue.Job{})
	return q
}

// charge returns how many of n offers are within the rate, and what the first that
// is not was told.
func charge(t *testing.T, q *queue.Queue, c queue.Client, n int) (taken int, retry time.Duration) {
	t.Helper()
	for range n {
		r := q.Charge(c)
		if r == nil {
			taken++
			continue
		}
		if r.Code != job.RejectRateLimited || r.RetryAfterMS <= 0 || r.Message == "" {
			t.Fatalf("charge of %v: %+v", c, *r)
		}
		if retry == 0 {
			retry = time.Duration(r.RetryAfterMS) * time.Millisecond
		}
	}
	return taken, retry
}

func TestRate(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]func(int) queue.Client{"listed": listed, "unlisted": unlisted} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := newClock()
			rate := queue.Rate{Every: 300 * time.Millisecond, Burst: 3}
			q := wanted(t, queue.New(queue.Config{ListedRate: rate, UnlistedRate: rate, Now: now.Now}))
			if taken, retry := charge(t, q, client(1), 10); taken != 3 || retry != rate.Every {
				t.Errorf("%d at once, then told to wait %v; want 3 and %v", taken, retry, rate.Every)
			}
			if taken, _ := charge(t, q, client(2), 1); taken != 1 {
				t.Error("somebody else is limited by it")
			}
			now.pass(rate.Every - 700*time.Microsecond)
			if taken, retry := charge(t, q, client(1), 1); taken != 0 || retry != time.Millisecond {
				t.Errorf("0.7 ms early: %d taken, told to wait %v", taken, retry)
			}
			now.pass(700 * time.Microsecond)
			if taken, _ := charge(t, q, client(1), 10); taken != 1 {
				t.Errorf("%d after the time that was told, want 1", taken)
			}
			now.pass(time.Hour)
			if taken, _ := charge(t, q, client(1), 10); taken != 3 {
				t.Errorf("%d after a long time, want 3", taken)
			}
			now.pass(-time.Hour)
			if _, retry := charge(t, q, client(2), 10); retry > time.Hour+time.Second {
				t.Errorf("told to wait %v after the clock went back", retry)
			}
		})
	}
}

// TestPeerIDsShareARate: what is free to make has no rate of its own.
func TestPeerIDsShareARate(t *testing.T) {
	t.Parallel()
	now := newClock()
	q := wanted(t, queue.New(queue.Config{UnlistedRate: queue.Rate{Every: time.Second, Burst: 5}, Now: now.Now}))
	taken := 0
	for i := range 100 {
		if q.Charge(queue.Client{Requester: fmt.Sprint(i), Source: "192.0.2.1/32"}) == nil {
			taken++
		}
	}
	if taken != 5 {
		t.Errorf("100 peer IDs at one address made %d offers, want 5", taken)
	}
}

// TestMoreSourcesThanRoom: the table is full of sources that have spent something.
func TestMoreSourcesThanRoom(t *testing.T) {
	t.Parallel()
	now := newClock()
	rate := queue.Rate{Every: time.Second, Burst: 4}
	q := wanted(t, queue.New(queue.Config{UnlistedRate: rate, Sources: 2, Now: now.Now}))
	steps := []struct {
		client queue.Client
		taken  int // of 3 offers
	}{
		{at("192.0.2.1"), 3},    // a bucket
		{at("192.0.2.2"), 3},    // another, the last
		{at("203.0.113.1"), 3},  // the bucket of a network
		{at("203.0.250.1"), 1},  // is the same one
		{at("2001:db8::1"), 3},  // the bucket of another network, the last
		{at("2001:db8:9::"), 1}, // is the same one
		{at("198.51.100.1"), 3}, // the bucket of everybody else
		{queue.Client{Source: ""}, 1},
		{at("192.0.2.1"), 1}, // has had its own all the time
	}
	for i, step := range steps {
		if taken, _ := charge(t, q, step.client, 3); taken != step.taken {
			t.Errorf("step %d, %s: %d of 3 offers, want %d", i, step.client.Source, taken, step.taken)
		}
	}
	// Nobody gets back what was spent by making others come and go.
	now.pass(rate.Every)
	if taken, _ := charge(t, q, at("192.0.2.1"), 3); taken != 1 {
		t.Errorf("%d of 3 offers a second later, want 1", taken)
	}
	// When what was spent has come back, there is room.
	now.pass(3 * rate.Every * time.Duration(rate.Burst))
	for _, client := range []queue.Client{at("198.51.100.1"), at("198.51.100.2")} {
		if taken, _ := charge(t, q, client, 5); taken != 4 {
			t.Errorf("%s: %d of 5 offers, want 4", client.Source, taken)
		}
	}
}

// TestNothingSpentIsForgotten looks across the changes of the table.
func TestNothingSpentIsForgotten(t *testing.T) {
	t.Parallel()
	now := newClock()
	q := wanted(t, queue.New(queue.Config{UnlistedRate: queue.Rate{Every: time.Second, Burst: 4}, Now: now.Now}))
	taken, seconds := 0, 30
	for range seconds * 10 {
		now.pass(100 * time.Millisecond)
		n, _ := charge(t, q, unlisted(1), 1)
		taken += n
	}
	if taken != seconds+3 {
		t.Errorf("%d offers in %d s, want the %d that come in and the 3 there at first", taken, seconds, seconds)
	}
	// The last use is just before a change of the table, the next one just after.
	now.pass(time.Hour)
	charge(t, q, unlisted(2), 1)
	now.pass(3900 * time.Millisecond)
	charge(t, q, unlisted(1), 4)
	for range 3 {
		now.pass(200 * time.Millisecond)
		if n, _ := charge(t, q, unlisted(1), 1); n != 0 {
			t.Error("an offer taken before there is one again")
		}
	}
}

// TestManyAddresses: a stranger with as many addresses as it likes grows nothing.
func TestManyAddresses(t *testing.T) {
	t.Parallel()
	now := newClock()
	const sources = 64
	rate := queue.Rate{Every: time.Second, Burst: 10}
	q := wanted(t, queue.New(queue.Config{UnlistedRate: rate, Sources: sources, Now: now.Now}))
	taken, offers := 0, 200_000
	for i := range offers {
		a := netip.AddrFrom4([4]byte{byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 4)})
		now.pass(100 * time.Microsecond)
		if q.Charge(queue.Client{Source: queue.SourceOf(a)}) == nil {
			taken++
		}
		if _, rates, _ := queue.Known(q); rates > 2*sources {
			t.Fatalf("%d buckets after %d addresses, want at most %d", rates, i+1, 2*sources)
		}
	}
	// In 20 s: what the buckets hold at first, and what they gain, in tables that
	// changed twice at the most.
	if most := (2*sources + 1) * (10 + 20) * 3; taken > most {
		t.Errorf("%d of %d offers taken, want at most %d", taken, offers, most)
	}
}

func TestSourceOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, addr, want string
	}{
		{"IPv4", "192.0.2.7", "192.0.2.7/32"},
		{"IPv4 in IPv6", "::ffff:192.0.2.7", "192.0.2.7/32"},
		{"IPv4 in IPv6, with a zone", "::ffff:192.0.2.7%eth0", "192.0.2.7/32"},
		{"IPv6", "2001:db8:1:2ff:3::4", "2001:db8:1:200::/56"},
		{"IPv6, the next /56", "2001:db8:1:300::", "2001:db8:1:300::/56"},
		{"IPv6 with a zone", "fe80::1%eth0", "fe80::/56"},
		{"none", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var addr netip.Addr
			if test.addr != "" {
				addr = netip.MustParseAddr(test.addr)
			}
			if got := queue.SourceOf(addr); got != test.want {
				t.Errorf("source %q, want %q", got, test.want)
			}
		})
	}
}

// TestRateOfIdleNode: nobody unlisted waits for a node that nobody else wants, and who
// is listed has a rate all the same.
func TestRateOfIdleNode(t *testing.T) {
	t.Parallel()
	now := newClock()
	rate := queue.Rate{Every: time.Hour, Burst: 1}
	q := queue.New(queue.Config{Slots: 2, MemoryMB: 10, Waiting: 4, ListedRate: rate, UnlistedRate: rate, Now: now.Now})
	if taken, _ := charge(t, q, unlisted(1), 10); taken != 10 {
		t.Errorf("%d of 10 offers on an idle node", taken)
	}
	own := start(t, q, unlisted(1), small)
	if taken, _ := charge(t, q, unlisted(1), 10); taken != 10 {
		t.Errorf("%d of 10 offers beside a job of its own", taken)
	}
	if taken, _ := charge(t, q, unlisted(2), 10); taken != 1 {
		t.Errorf("%d of 10 offers beside a job of another one, want 1", taken)
	}
	waits := offer(t, q, unlisted(2), small)
	own.Release()
	wantState(t, waits, queue.Granted)
	if taken, _ := charge(t, q, unlisted(1), 10); taken != 0 {
		t.Errorf("%d of 10 offers, when all are spent and another one has a job", taken)
	}
	waits.Release()
	if taken, _ := charge(t, q, listed(1), 10); taken != 1 {
		t.Errorf("%d of 10 offers of a listed one, want 1", taken)
	}
}
