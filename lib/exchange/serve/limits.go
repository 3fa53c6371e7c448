package serve

import (
	"maps"
	"slices"
	"time"
)

// Streams that a node holds at a time, beside those without an offer (fresh.go).
// Each takes two goroutines, or four while it is sent output, and at most 256 KiB
// of buffers.
const (
	maxStreams  = 1024
	maxUnlisted = maxStreams / 2 // of unlisted requesters

	maxUnlistedOne = 64  // of one source of unlisted requesters
	maxListedOne   = 256 // of one listed requester

	crowdedLogEvery = time.Minute
)

// streams counts who has how many streams. It needs Server.mu.
type streams struct {
	all      map[*session]struct{}
	pools    [standings]*pool // without an offer
	held     map[string]int   // by who answers for them, of those with an offer
	proven   int
	unlisted int
}

func newStreams() streams {
	return streams{
		all:   map[*session]struct{}{},
		pools: [standings]*pool{newPool(maxUnknown, false), newPool(maxTrusted, false), newPool(maxVouching, true)},
		held:  map[string]int{},
	}
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
	if x.dropped || n.proven >= maxStreams || n.held[who] >= most || !x.client.Listed && n.unlisted >= maxUnlisted {
		return false
	}
	n.unfresh(x)
	n.proven++
	n.held[who]++
	x.holder = who
	if !x.client.Listed {
		n.unlisted++
	}
	return true
}

func (n *streams) unfresh(x *session) {
	if x.pool != nil {
		x.pool.remove(x)
	}
}

// leave ends a stream.
func (s *Server) leave(x *session) {
	s.mu.Lock()
	n := &s.streams
	delete(n.all, x)
	n.unfresh(x)
	if x.holder != "" {
		n.proven--
		add(n.held, x.holder, -1)
		if !x.client.Listed {
			n.unlisted--
		}
	}
	s.mu.Unlock()
	s.sessions.Done()
}

// dropFresh breaks off the streams without an offer.
func (n *streams) dropFresh() {
	for _, p := range n.pools {
		breakOff(p.order)
	}
}

// dropAll breaks off every stream.
func (n *streams) dropAll() { breakOff(slices.Collect(maps.Keys(n.all))) }
