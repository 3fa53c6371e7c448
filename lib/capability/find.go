package capability

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/job"
	"plasm/lib/network"
)

// DefaultTimeout is how long a search takes at most unless it says otherwise.
const DefaultTimeout = 5 * time.Second

// How long a search goes on for what may still come.
const (
	// for neighbours, where nothing else is left; for contacts, where a look-up is through
	listenTime = time.Second
	// for the first peer in the routing table, after a contact connected: two round trips
	readyTime  = 3 * time.Second
	settleTime = 250 * time.Millisecond // for a contact that connected to get into the routing table
	lookEvery  = 20 * time.Millisecond  // at the state of the contacts
)

// Search says what to find. It is copied by Find.
type Search struct {
	Need    Need
	Limit   int           // end after that many nodes; 0: no limit
	Timeout time.Duration // of the whole search; 0: DefaultTimeout
	MDNS    bool          // the host hears neighbours: wait for them where nothing else is left
}

// Find looks for nodes that fit and calls found for each as it arrives, the
// nearest first when several have. Calls come one at a time, from the calling
// goroutine; a slow one holds up the printing but not the searching. Find
// returns when look-ups and answers are through, at the limit, at the timeout,
// or when ctx ends, and nothing that it started is running then.
//
// Whom it asks: the providers of one capability key, looked up once the routing
// table has a peer, and every peer that the host knows directly. Each is asked
// on its own, so one that is silent, slow, gone, or lies delays and spoils nothing
// but its own answer. An answer is not waited for any more after 2 seconds in which
// nothing came of any other question either, once a node has been found: until then,
// and while answers come, a machine is taken to be busy, this one or the other, and the
// search's own timeout is the bound. Where more are to be asked than may be at a time,
// 2 seconds are all that each has. Found may be nil.
func Find(ctx context.Context, h *network.Host, s Search, found func(job.Node)) Report {
	if s.Timeout <= 0 {
		s.Timeout = DefaultTimeout
	}
	if found == nil {
		found = func(job.Node) {}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout, errTimeout)
	defer cancel()
	f := &finder{
		host: h, search: s, key: s.Need.Key(), began: time.Now(), heard: time.Now(),
		seen: map[peer.ID]struct{}{h.ID(): {}}, places: make(chan struct{}, askAtOnce), news: make(chan struct{}, 1),
	}
	f.look(ctx)
	f.running.Go(func() { f.direct(ctx) })
	f.running.Go(func() { f.lookUps(ctx) })
	end := f.collect(ctx, found)
	cancel()
	f.running.Wait()
	if end == EndTimeout { // what came in time counts
		f.handOver(found)
	}
	return f.report(end)
}

// finder is one search under way.
type finder struct {
	host    *network.Host
	search  Search
	key     network.Key
	began   time.Time
	places  chan struct{} // taken by questions
	news    chan struct{} // has a value after something changed
	running sync.WaitGroup

	mu         sync.Mutex
	seen       map[peer.ID]struct{}
	candidates int
	dropped    int // not asked: too many
	asking     int
	heard      time.Time  // when something last came of a question or a look-up
	arrived    []job.Node // fitting, not handed over yet
	found      int        // handed over
	leftOut    []LeftOut

	contacts  contactCount
	connected time.Time // when the last contact was seen to have connected
	lookups   int       // look-ups that are through
	lookingUp bool
	covered   int // contacts whose part of the network a look-up has reached
	table     int // peers in the routing table
	inTable   int // the most that there were
}

// contactCount is how many contacts are in which state.
type contactCount struct {
	dialling, connected int
	beyond              int // connected, and not neighbours
}

// tell makes the collecting goroutine look again.
func (f *finder) tell() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// direct takes the peers that the host knows by itself.
func (f *finder) direct(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case info := <-f.host.Found():
			f.offer(ctx, info)
		case <-tick.C:
			f.look(ctx)
			f.tell()
		case <-ctx.Done():
			return
		}
	}
}

// look counts the contacts, and asks those that are connected.
func (f *finder) look(ctx context.Context) {
	var n contactCount
	for _, c := range f.host.Contacts() {
		switch c.State {
		case network.ContactDialling:
			n.dialling++
		case network.ContactConnected:
			n.connected++
			f.offer(ctx, c.Info)
			if c.Source != network.SourceMDNS {
				n.beyond++
			}
		case network.ContactFailed:
		}
	}
	size := f.host.TableSize()
	f.mu.Lock()
	defer f.mu.Unlock()
	if n.connected > f.contacts.connected {
		f.connected = time.Now()
	}
	f.contacts, f.table, f.inTable = n, size, max(f.inTable, size)
}

// lookUps looks the key up when the routing table has its first peer, and again
// for contacts that connected later, which may lead to another network.
func (f *finder) lookUps(ctx context.Context) {
	select {
	case <-f.host.Ready():
	case <-ctx.Done():
		return
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if f.beginLookUp() {
			f.lookUp(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// lookUp looks the key up once. A look-up may wait long for the last of its
// peers; when it has found one, it is given no longer than an answer is.
func (f *finder) lookUp(ctx context.Context) {
	lookup, cancel := context.WithCancel(ctx)
	defer cancel()
	var first sync.Once
	for info := range f.host.Providers(lookup, f.key) {
		first.Do(func() { after(lookup, askTime, f.longer, cancel) })
		f.offer(ctx, info)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lookingUp = false
	f.lookups++
	f.tell()
}

// beginLookUp reports whether it is time for a look-up. The first is for the
// peer that made the table ready; the next waits until those that connected
// since are in the table.
func (f *finder) beginLookUp() bool {
	size := f.host.TableSize()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case size == 0: // it came, and has gone again
		return false
	case f.lookups == 0:
		f.covered = min(f.contacts.connected, 1)
	case f.contacts.connected <= f.covered || time.Since(f.connected) < settleTime:
		return false
	default:
		f.covered = f.contacts.connected
	}
	f.lookingUp = true
	return true
}

// offer asks a peer, unless it was asked before.
func (f *finder) offer(ctx context.Context, info peer.AddrInfo) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.seen[info.ID]; ok || ctx.Err() != nil {
		return
	}
	if f.candidates >= maxCandidates {
		f.dropped++
		return
	}
	f.seen[info.ID] = struct{}{}
	f.heard = time.Now()
	f.candidates++
	f.asking++
	f.running.Go(func() { f.ask(ctx, info) })
}

// ask asks a peer as soon as there is a place, and keeps what it answers.
func (f *finder) ask(ctx context.Context, info peer.AddrInfo) {
	var node *job.Node
	err := errEnded
	select {
	case f.places <- struct{}{}:
		node, err = ask(ctx, f.host, info, askTime, f.longer)
		<-f.places
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asking--
	f.heard = time.Now()
	if err != nil {
		f.leftOut = append(f.leftOut, LeftOut{PeerID: info.ID.String(), Err: err})
	} else if why := f.search.Need.Against(node); why != nil {
		f.leftOut = append(f.leftOut, LeftOut{PeerID: node.PeerID, Why: why, Node: node})
	} else {
		f.arrived = append(f.arrived, *node)
	}
	f.tell()
}

// longer is how much longer than its time to wait for what is still to come.
func (f *finder) longer() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.asking > askAtOnce: // others wait for its place
		return 0
	case f.found == 0 && len(f.arrived) == 0:
		return askTime
	}
	return askTime - time.Since(f.heard)
}

// collect hands over what arrives, until there is nothing more to come.
func (f *finder) collect(ctx context.Context, found func(job.Node)) End {
	for {
		if f.handOver(found) {
			return EndLimit
		}
		if f.through() {
			return EndThrough
		}
		select {
		case <-f.news:
		case <-ctx.Done():
			if context.Cause(ctx) == errTimeout { //nolint:errorlint // a sentinel that nobody wraps
				return EndTimeout
			}
			return EndStopped
		}
	}
}

// handOver hands over those that have arrived, and reports whether that was as
// many as were asked for.
func (f *finder) handOver(found func(job.Node)) (enough bool) {
	for node := f.nearest(); node != nil; node = f.nearest() {
		found(*node)
		if f.search.Limit > 0 && f.found >= f.search.Limit {
			return true
		}
	}
	return false
}

// nearest takes the nearest of those that have arrived.
func (f *finder) nearest() *job.Node {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.arrived) == 0 {
		return nil
	}
	i := 0
	for j := range f.arrived {
		if f.arrived[j].RTTUS < f.arrived[i].RTTUS {
			i = j
		}
	}
	node := f.arrived[i]
	f.arrived = slices.Delete(f.arrived, i, i+1)
	f.found++
	return &node
}

// through reports whether nothing more can come.
func (f *finder) through() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	age := time.Since(f.began)
	switch {
	case f.asking > 0 || f.lookingUp || len(f.arrived) > 0:
		return false
	case f.search.MDNS && f.contacts.beyond == 0 && age < listenTime:
		return false // only neighbours are left, and they take their time
	case f.contacts.dialling > 0 && (f.found == 0 || f.lookups == 0 || age < listenTime):
		return false
	case f.lookups == 0:
		return f.table == 0 && (f.contacts.connected == 0 || time.Since(f.connected) >= readyTime)
	}
	return f.contacts.connected <= f.covered
}
