package capability

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"plasm/lib/network"
)

// Republishing. A record and the addresses beside it count for 24 hours
// (lib/network), and are forgotten earlier by a peer that restarts.
const (
	DefaultRepublish = 11 * time.Hour // leaves room for one that fails, and for the next
	DefaultDebounce  = 250 * time.Millisecond

	provideAtOnce = 4                // keys provided at a time
	provideTime   = time.Minute      // for one key
	retryTime     = 30 * time.Second // after a key that could not be provided
	tableGap      = 6 * time.Second  // between announcements because the routing table changed, for each peer in it
)

// Announcement says how to announce. It is copied by Announce.
type Announcement struct {
	Keys      []network.Key
	Republish time.Duration // 0: DefaultRepublish
	Debounce  time.Duration // how long changes gather before they count; 0: DefaultDebounce
	Log       *slog.Logger  // nil: nothing is logged
}

// Announcer keeps a node announced in the DHT: at once, or as soon as there is
// a first peer; when addresses changed, as records carry them; when the routing
// table changed much, as records belong with the nearest peers; and in time
// before records expire.
//
// A record can't be taken back: Kademlia has no message for it, and if it had,
// anybody could send it. After Close a node is announced no more and its records
// run out, within two days. Until then those who find a record ask the node
// itself, which is gone and so left out.
type Announcer struct {
	host   *network.Host
	plan   Announcement
	cancel context.CancelFunc
	done   chan struct{}
	kick   chan struct{}

	mu    sync.Mutex
	keys  []network.Key
	state Announced
}

// Announced is how far announcing has come.
type Announced struct {
	Keys    int       // to be announced
	Pending int       // of them, those that nobody but this node holds yet
	At      time.Time // when all were last provided; zero: never
}

// Announce begins to announce h. It must be the only reader of h.Changed.
func Announce(h *network.Host, plan Announcement) *Announcer {
	if plan.Republish <= 0 {
		plan.Republish = DefaultRepublish
	}
	if plan.Debounce <= 0 {
		plan.Debounce = DefaultDebounce
	}
	if plan.Log == nil {
		plan.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &Announcer{host: h, plan: plan, cancel: cancel, done: make(chan struct{}), kick: make(chan struct{}, 1)}
	a.keys = slices.Clone(plan.Keys)
	a.state = Announced{Keys: len(a.keys), Pending: len(a.keys)}
	go func() {
		defer close(a.done)
		a.run(ctx)
	}()
	return a
}

// Close stops announcing and waits until nothing of it runs.
func (a *Announcer) Close() {
	a.cancel()
	<-a.done
}

// Update announces other keys from now on. Records of keys that are gone run
// out like those of a node that is.
func (a *Announcer) Update(keys []network.Key) {
	a.mu.Lock()
	a.keys = slices.Clone(keys)
	a.state.Keys, a.state.Pending = len(keys), len(keys)
	a.mu.Unlock()
	select {
	case a.kick <- struct{}{}:
	default:
	}
}

// State returns how far announcing has come.
func (a *Announcer) State() Announced {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}

// run announces whenever it is time to, until ctx ends.
func (a *Announcer) run(ctx context.Context) {
	last := a.announce(ctx)
	due := last.at.Add(last.wait(a.plan))
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(time.Until(due))
		select {
		case <-ctx.Done():
			return
		case <-a.kick:
			due = time.Now()
		case <-a.host.Changed(): // the first peer, too; the first of several changes counts
			due = earlier(due, last.dueAfterChange(a.look(), a.plan))
		case <-timer.C:
			last = a.announce(ctx)
			due = time.Now().Add(last.wait(a.plan))
		}
	}
}

// view is what decides when to announce again.
type view struct {
	at      time.Time
	addrs   string
	peers   int
	pending bool // something was left to provide for want of peers
	failed  bool // or for another reason
}

func (a *Announcer) look() view {
	addrs := a.host.Addrs()
	texts := make([]string, len(addrs))
	for i, addr := range addrs {
		texts[i] = addr.String()
	}
	slices.Sort(texts)
	return view{at: time.Now(), addrs: strings.Join(texts, " "), peers: a.host.TableSize()}
}

// wait is how long to wait when nothing changes.
func (v view) wait(plan Announcement) time.Duration {
	if v.failed {
		return min(retryTime, plan.Republish)
	}
	return plan.Republish
}

// dueAfterChange returns when to announce again, given how it was when it was
// done last and how it is now.
func (v view) dueAfterChange(now view, plan Announcement) time.Time {
	switch {
	case v.pending && now.peers > 0:
		return now.at // somebody has come
	case now.addrs != v.addrs || now.peers >= 2*v.peers && now.peers > v.peers:
		return now.at.Add(plan.Debounce)
	}
	due := v.at.Add(time.Duration(now.peers) * tableGap)
	if soon := now.at.Add(plan.Debounce); due.Before(soon) {
		due = soon
	}
	return due
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// announce provides every key once.
func (a *Announcer) announce(ctx context.Context) view {
	if a.host.Reachability() == network.ReachabilityPrivate {
		// Who finds the record dials at once, and a hole is punched for the
		// first connection only.
		a.host.Punchable(ctx)
	}
	v := a.look()
	a.mu.Lock()
	keys := a.keys
	a.mu.Unlock()
	var mu sync.Mutex
	var running sync.WaitGroup
	places := make(chan struct{}, provideAtOnce)
	left := 0
	for _, key := range keys {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			err := a.provide(ctx, key)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				left++
			}
			v.pending = v.pending || errors.Is(err, network.ErrNoPeers)
			v.failed = v.failed || err != nil && !errors.Is(err, network.ErrNoPeers)
		})
	}
	running.Wait()
	a.note(ctx, v, keys, left)
	return v
}

// provide announces one key.
func (a *Announcer) provide(ctx context.Context, key network.Key) error {
	ctx, cancel := context.WithTimeout(ctx, provideTime)
	defer cancel()
	return a.host.Provide(ctx, key)
}

// note keeps and tells what came of an announcement.
func (a *Announcer) note(ctx context.Context, v view, keys []network.Key, left int) {
	if ctx.Err() != nil {
		return
	}
	a.mu.Lock()
	if slices.Equal(keys, a.keys) { // else another announcement follows
		a.state.Pending = left
		if left == 0 {
			a.state.At = time.Now()
		}
	}
	a.mu.Unlock()
	if left > 0 {
		a.plan.Log.Debug("announcement pending", "keys", len(keys), "pending", left, "peers", v.peers)
		return
	}
	a.plan.Log.Info("capability.advertised", "keys", len(keys), "peers", v.peers, "duration", time.Since(v.at))
}
