package serve

import (
	"slices"
	"time"

	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/wire"
)

// A stream is unproven until its offer has come and its signature holds. Unproven
// streams wait in three pools, by what is known of their connection, so that no
// number of addresses keeps those who are known from being heard. A pool has room
// for so many units. A stream takes one, and one more for each unitBytes that its
// offer has been given room for. In a pool that is full the newcomer is let in,
// and the oldest stream is dropped: of the network that has most, in it of the
// source that has most. So one who comes from elsewhere, and has one stream, is
// dropped last.
const (
	unitBytes = 16 << 10

	maxUnknown  = 256 // units of connections of which nothing is known
	maxTrusted  = 256 // units of addresses from which listed requesters have submitted
	maxVouching = 256 // streams of connections over which listed requesters have submitted
)

// standing is what is known of a connection.
type standing int

// The standings, in the order of what is known.
const (
	unknown  standing = iota // nothing
	trusted                  // its address is trusted: network.Host.Trust
	vouching                 // a listed requester has submitted over it
	standings
)

// pool is the unproven streams of one standing. It needs Server.mu.
type pool struct {
	most     int
	bytes    bool // whether they count too
	units    int
	order    []*session // the oldest first
	sources  map[string]int
	networks map[string]int
}

func newPool(most int, bytes bool) *pool {
	return &pool{most: most, bytes: bytes, sources: map[string]int{}, networks: map[string]int{}}
}

// add puts a stream in, with one unit.
func (p *pool) add(x *session) {
	x.pool = p
	p.order = append(p.order, x)
	p.charge(x, 1)
}

// charge changes what a stream is charged by so many units.
func (p *pool) charge(x *session, units int) {
	x.units += units
	p.units += units
	add(p.sources, x.source, units)
	add(p.networks, queue.NetworkOf(x.source), units)
}

// remove takes a stream out.
func (p *pool) remove(x *session) {
	p.charge(x, -x.units)
	i := slices.Index(p.order, x)
	p.order = slices.Delete(p.order, i, i+1)
	x.pool = nil
}

// overflow takes out what is too much, and returns it for breakOff.
func (p *pool) overflow() []*session {
	var dropped []*session
	for p.units > p.most {
		x := p.victim()
		p.remove(x)
		x.dropped = true
		dropped = append(dropped, x)
	}
	return dropped
}

// victim returns the stream to drop next. There is one.
func (p *pool) victim() *session {
	var victim *session
	var network, source int // what those of victim have
	for _, x := range p.order {
		n, s := p.networks[queue.NetworkOf(x.source)], p.sources[x.source]
		if victim == nil || n > network || n == network && s > source {
			victim, network, source = x, n, s
		}
	}
	return victim
}

// add changes a count, and forgets it at zero.
func add(counts map[string]int, name string, n int) {
	counts[name] += n
	if counts[name] == 0 {
		delete(counts, name)
	}
}

// standingOf returns the standing of a session's connection.
func (s *Server) standingOf(x *session) standing {
	address, over := s.cfg.Host.Trusted(x.stream.Conn())
	switch {
	case over:
		return vouching
	case address:
		return trusted
	}
	return unknown
}

// enter begins a stream. False: the server takes none any more.
func (s *Server) enter(x *session) bool {
	as := s.standingOf(x)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false
	}
	p := s.streams.pools[as]
	x.patience = wire.OfferTime
	if p.units >= p.most/2 {
		x.patience = wire.CrowdedOfferTime
	}
	s.streams.all[x] = struct{}{}
	p.add(x)
	x.conn = wire.NewConn(x.stream, wire.Node, s.cfg.Wire)
	x.conn.Held(x.hold)
	s.sessions.Add(1)
	dropped := p.overflow()
	s.mu.Unlock()
	s.drop(dropped)
	return true
}

// hold charges an unproven stream for the room that its offer has got.
func (x *session) hold(bytes int) {
	x.s.mu.Lock()
	p := x.pool
	if p == nil || !p.bytes {
		x.s.mu.Unlock()
		return
	}
	p.charge(x, 1+bytes/unitBytes-x.units)
	dropped := p.overflow()
	x.s.mu.Unlock()
	x.s.drop(dropped)
}

// drop breaks off streams that had to make room, and says so, but not each time.
func (s *Server) drop(xs []*session) {
	if len(xs) == 0 {
		return
	}
	breakOff(xs)
	s.mu.Lock()
	due := time.Since(s.crowded) > crowdedLogEvery
	if due {
		s.crowded = time.Now()
	}
	s.mu.Unlock()
	if due {
		s.log.Warn("streams without an offer are dropped: too many at a time", "source", xs[0].source)
	}
}

// breakOff resets streams, whose reads and writes fail then. It does not wait: a
// connection whose other end takes nothing holds a reset up.
func breakOff(xs []*session) {
	for _, x := range xs {
		go func() { _ = x.stream.Reset() }() // of a stream that is over: nothing is to be done
	}
}
