package serve

import "plasm/lib/exchange/wire"

// Streams that a node holds at a time. Each takes two goroutines, or four while it
// is sent output, and at most 256 KiB of buffers.
const (
	maxStreams  = 1024
	maxUnlisted = maxStreams / 2 // of unlisted requesters
	maxFresh    = maxStreams / 2 // that have not offered anything yet

	maxFreshSource = 64  // of these, from one source
	maxUnlistedOne = 64  // of one source of unlisted requesters
	maxListedOne   = 256 // of one listed requester
)

// streams counts who has how many streams. It needs Server.mu.
type streams struct {
	all      map[*session]struct{}
	fresh    map[string]int // without an offer, by source
	allFresh int
	held     map[string]int // by who answers for them, of those with an offer
	unlisted int
}

func newStreams() streams {
	return streams{all: map[*session]struct{}{}, fresh: map[string]int{}, held: map[string]int{}}
}

// enter begins a stream, if there is room for it.
func (s *Server) enter(x *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := &s.streams
	if s.closed || len(n.all) >= maxStreams || n.allFresh >= maxFresh || n.fresh[x.source] >= maxFreshSource {
		return false
	}
	n.all[x] = struct{}{}
	n.allFresh++
	n.fresh[x.source]++
	x.fresh = true
	x.conn = wire.NewConn(x.stream, wire.Node, s.cfg.Wire)
	s.sessions.Add(1)
	return true
}

// promote counts a stream, that has proved whose it is, with that requester's, if
// there is room for it.
func (s *Server) promote(x *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := &s.streams
	who, most := x.client.Source, maxUnlistedOne
	if x.client.Listed {
		who, most = x.client.Requester, maxListedOne
	}
	if n.held[who] >= most || !x.client.Listed && n.unlisted >= maxUnlisted {
		return false
	}
	n.unfresh(x)
	n.held[who]++
	x.holder = who
	if !x.client.Listed {
		n.unlisted++
	}
	return true
}

func (n *streams) unfresh(x *session) {
	if x.fresh {
		x.fresh = false
		n.allFresh--
		decrease(n.fresh, x.source)
	}
}

// leave ends a stream.
func (s *Server) leave(x *session) {
	s.mu.Lock()
	n := &s.streams
	delete(n.all, x)
	n.unfresh(x)
	if x.holder != "" {
		decrease(n.held, x.holder)
		if !x.client.Listed {
			n.unlisted--
		}
	}
	s.mu.Unlock()
	s.sessions.Done()
}

func decrease(m map[string]int, name string) {
	m[name]--
	if m[name] == 0 {
		delete(m, name)
	}
}

// dropFresh breaks off the streams without an offer.
func (n *streams) dropFresh() {
	for x := range n.all {
		if x.fresh {
			_ = x.stream.Reset() // whose reads and writes fail now
		}
	}
}

// dropAll breaks off every stream.
func (n *streams) dropAll() {
	for x := range n.all {
		_ = x.stream.Reset() // as above
	}
}
