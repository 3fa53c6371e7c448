package serve

import (
	"errors"
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
// dropped last. A connection that has more than maxTogether then, and over which no
// listed requester has submitted, is closed: that frees what its muxer holds, and its
// address has to wait for the next one.
const (
	maxTogether = 4 // units: a requester has a stream for each job on its way

	unitBytes = 16 << 10

	maxUnknown  = 128 // units of connections of which nothing is known
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
	proved   bool // a listed requester has submitted over their connections
	units    int
	order    []*session // the oldest first
	sources  map[string]int
	networks map[string]int
}

func newPool(most int, proved bool) *pool {
	return &pool{most: most, proved: proved, sources: map[string]int{}, networks: map[string]int{}}
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
		with, units := p.together(x)
		x.shut = units > maxTogether
		if !x.shut {
			with = []*session{x}
		}
		for _, y := range with {
			p.remove(y)
			y.dropped = true
		}
		dropped = append(dropped, x) // the others end with the connection
	}
	return dropped
}

// together returns the streams of x's connection and their units, or none if it has
// proved itself.
func (p *pool) together(x *session) (all []*session, units int) {
	for _, y := range p.order {
		if !p.proved && y.link != nil && y.link == x.link {
			all = append(all, y)
			units += y.units
		}
	}
	return all, units
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

// errDropped is why a stream that had to make room reads no more.
var errDropped = errors.New("the stream is dropped to make room for others")

// hold charges an unproven stream for the room that its offer is to get.
func (x *session) hold(bytes int) error {
	x.s.mu.Lock()
	var dropped []*session
	if p := x.pool; p != nil && !p.proved {
		p.charge(x, 1+bytes/unitBytes-x.units)
		dropped = p.overflow()
	}
	var err error
	if x.dropped {
		err = errDropped
	}
	x.s.mu.Unlock()
	x.s.drop(dropped)
	return err
}

// drop breaks off streams that had to make room, and says so, but not each time.
func (s *Server) drop(xs []*session) {
	if len(xs) == 0 {
		return
	}
	for _, x := range xs {
		if x.shut {
			s.cfg.Host.Rest(x.link)
		}
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

// breakOff resets streams, or closes their connections, so that reads and writes
// fail. It does not wait: a connection whose other end takes nothing holds a reset
// up.
func breakOff(xs []*session) {
	for _, x := range xs {
		end := x.stream.Reset
		if x.shut {
			end = x.link.Close
		}
		go func() { _ = end() }() // of what is over: nothing is to be done
	}
}
