package network

import (
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// fair keeps strangers with many addresses from filling what all share. Of what
// others open it counts connections, from their handshake on, and streams, by
// address. The more of them there are, the fewer one address may add, so that a
// newcomer who comes from elsewhere finds a place; and the last part is for
// addresses that are trusted: first contacts that answered, and those from where
// somebody listed has submitted. What the host opens itself is not counted.
type fair struct {
	network.ResourceManager

	log    *slog.Logger
	narrow bool // QUIC's connections begin with small windows

	mu      sync.Mutex
	conns   share
	streams share
	windows int // bytes, of connections that had proved nothing when they asked for them
	peers   map[peer.ID]*place
	trusted map[netip.Addr]time.Time   // since when
	resting map[netip.Prefix]time.Time // until when
	told    time.Time                  // when the log last said that it is crowded
}

// share is what strangers hold together, and by source.
type share struct {
	most int // of all together
	all  int
	by   map[netip.Prefix]int
}

// place is where a peer was connected last, how many connections it has, and
// whether a listed requester has submitted over one of them.
type place struct {
	from   netip.Addr
	conns  int
	proved bool
}

var (
	errCrowded       = errors.New("the share of strangers is used up")
	errCrowdedSource = errors.New("it is crowded, and this address has its share")
	errResting       = errors.New("a connection of this address had to make room just now")
)

func newFair(inner network.ResourceManager, crowd int, log *slog.Logger) *fair {
	return &fair{
		ResourceManager: inner, log: log,
		conns:   share{most: crowd, by: map[netip.Prefix]int{}},
		streams: share{most: maxStrangersStreams, by: map[netip.Prefix]int{}},
		peers:   map[peer.ID]*place{}, trusted: map[netip.Addr]time.Time{}, resting: map[netip.Prefix]time.Time{},
	}
}

// take counts one more of a source, unless it has its share already.
func (s *share) take(source netip.Prefix) error {
	var most int
	switch {
	case s.all < s.most/2:
		most = s.most
	case s.all < s.most*3/4:
		most = 16
	case s.all < s.most*7/8:
		most = 4
	case s.all < s.most:
		most = 1
	default:
		return errCrowded
	}
	if s.by[source] >= most {
		return errCrowdedSource
	}
	s.by[source]++
	s.all++
	return nil
}

func (s *share) giveBack(source netip.Prefix) {
	s.all--
	s.by[source]--
	if s.by[source] == 0 {
		delete(s.by, source)
	}
}

// sourceOf is whom what comes from an address is charged to.
func sourceOf(ip netip.Addr) netip.Prefix {
	bits := addressPrefixV4
	if ip.Is6() {
		bits = wideAddressPrefixV6
	}
	source, _ := ip.Prefix(bits) // fails for more bits than there are
	return source
}

// ipOf returns the IP address in addr, the relay's where there is one, or the
// zero Addr.
func ipOf(addr ma.Multiaddr) netip.Addr {
	ip, err := manet.ToIP(addr)
	if err != nil {
		return netip.Addr{}
	}
	from, _ := netip.AddrFromSlice(ip)
	return from.Unmap()
}

// exempt reports whether what comes from an address is not counted. f.mu is held.
func (f *fair) exempt(from netip.Addr) bool {
	since, known := f.trusted[from]
	return !from.IsValid() || from.IsLoopback() || known && time.Since(since) < trustFor
}

// trust lets what comes from an address in when strangers are not, for a day.
func (f *fair) trust(from netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.trusted[from]; !known && len(f.trusted) >= maxTrusted {
		oldest := from
		for other, since := range f.trusted {
			if oldest == from || since.Before(f.trusted[oldest]) {
				oldest = other
			}
		}
		delete(f.trusted, oldest)
	}
	f.trusted[from] = time.Now()
}

// prove notes that a listed requester has submitted over a peer's connection.
func (f *fair) prove(p peer.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at := f.peers[p]; at != nil {
		at.proved = true
	}
}

// hasProved reports whether prove was called for a peer that has been connected
// since.
func (f *fair) hasProved(p peer.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.peers[p]
	return at != nil && at.proved
}

// rest lets no more connections of an address in for a while: a handshake takes more
// memory than what is held back otherwise.
func (f *fair) rest(from netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if len(f.resting) >= maxResting {
		maps.DeleteFunc(f.resting, func(_ netip.Prefix, until time.Time) bool { return now.After(until) })
	}
	if len(f.resting) < maxResting {
		f.resting[restOf(from)] = now.Add(restFor)
	}
}

// restOf is what rests with an address.
func restOf(ip netip.Addr) netip.Prefix {
	bits := addressPrefixV4
	if ip.Is6() {
		bits = addressPrefixV6
	}
	source, _ := ip.Prefix(bits) // fails for more bits than there are
	return source
}

// refuse says so in the log, but not each time. f.mu is held.
func (f *fair) refuse(err error) error {
	if time.Since(f.told) > crowdedLogEvery {
		f.told = time.Now()
		f.log.Warn("strangers are turned away: too many at a time",
			"connections", f.conns.all, "streams", f.streams.all, "addresses", len(f.conns.by))
	}
	return err
}

// OpenConnection counts a connection that somebody else opens.
func (f *fair) OpenConnection(dir network.Direction, usefd bool,
	endpoint ma.Multiaddr,
) (network.ConnManagementScope, error) {
	conn := &fairConn{fair: f, dir: dir, from: ipOf(endpoint)}
	if dir == network.DirInbound {
		if err := f.admit(conn); err != nil {
			return nil, err
		}
	}
	inner, err := f.ResourceManager.OpenConnection(dir, usefd, endpoint)
	if err != nil {
		conn.leave()
		return nil, err
	}
	conn.ConnManagementScope = inner
	return conn, nil
}

func (f *fair) admit(c *fairConn) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.exempt(c.from) {
		return nil
	}
	if time.Now().Before(f.resting[restOf(c.from)]) {
		return f.refuse(errResting)
	}
	source := sourceOf(c.from)
	if err := f.conns.take(source); err != nil {
		return f.refuse(err)
	}
	c.source = source
	return nil
}

// OpenStream counts a stream that somebody else opens.
func (f *fair) OpenStream(p peer.ID, dir network.Direction) (network.StreamManagementScope, error) {
	if dir != network.DirInbound {
		return f.ResourceManager.OpenStream(p, dir)
	}
	source, err := f.admitStream(p)
	if err != nil {
		return nil, err
	}
	stream := &fairStream{fair: f, source: source}
	if stream.StreamManagementScope, err = f.ResourceManager.OpenStream(p, dir); err != nil {
		stream.leave()
		return nil, err
	}
	return stream, nil
}

func (f *fair) admitStream(p peer.ID) (netip.Prefix, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.peers[p]
	if at == nil || f.exempt(at.from) {
		return netip.Prefix{}, nil
	}
	source := sourceOf(at.from)
	if err := f.streams.take(source); err != nil {
		return netip.Prefix{}, f.refuse(err)
	}
	return source, nil
}

// fairConn is a connection, which is given back with its scope.
type fairConn struct {
	network.ConnManagementScope

	fair   *fair
	dir    network.Direction
	from   netip.Addr
	source netip.Prefix // the zero Prefix: not counted
	peer   peer.ID      // "" until it is known
	window int          // of fair.windows
	left   sync.Once
}

// SetPeer notes from where the peer is connected.
func (c *fairConn) SetPeer(p peer.ID) error {
	if err := c.ConnManagementScope.SetPeer(p); err != nil {
		return err
	}
	c.fair.mu.Lock()
	defer c.fair.mu.Unlock()
	at := c.fair.peers[p]
	if at == nil {
		at = &place{}
		c.fair.peers[p] = at
	}
	at.from = c.from
	at.conns++
	c.peer = p
	return nil
}

// Done gives the connection back. It may be called again.
func (c *fairConn) Done() {
	c.leave()
	c.ConnManagementScope.Done()
}

func (c *fairConn) leave() {
	c.left.Do(func() {
		c.fair.mu.Lock()
		defer c.fair.mu.Unlock()
		c.fair.windows -= c.window
		if c.source.IsValid() {
			c.fair.conns.giveBack(c.source)
		}
		if at := c.fair.peers[c.peer]; at != nil {
			at.conns--
			if at.conns == 0 {
				delete(c.fair.peers, c.peer)
			}
		}
	})
}

// fairStream is a stream, which is given back with its scope.
type fairStream struct {
	network.StreamManagementScope

	fair   *fair
	source netip.Prefix // the zero Prefix: not counted
	left   sync.Once
}

// Done gives the stream back. It may be called again.
func (s *fairStream) Done() {
	s.leave()
	s.StreamManagementScope.Done()
}

func (s *fairStream) leave() {
	s.left.Do(func() {
		if s.source.IsValid() {
			s.fair.mu.Lock()
			defer s.fair.mu.Unlock()
			s.fair.streams.giveBack(s.source)
		}
	})
}

// trustContact trusts the addresses of a contact that answered, but for
// neighbours, who are whoever is there.
func (h *Host) trustContact(id peer.ID, source string) {
	if source == SourceMDNS {
		return
	}
	for _, c := range h.Network().ConnsToPeer(id) {
		if !isRelayed(c.RemoteMultiaddr()) {
			h.fair.trust(ipOf(c.RemoteMultiaddr()))
		}
	}
}

// Trust has connections from where c comes let in when strangers fill what they
// may hold, for a day, and keeps c when others are closed for being too many. It
// is for those whom the node's owner has listed. Of a connection over a relay the
// address is the relay's, which vouches for nobody else.
func (h *Host) Trust(c network.Conn) {
	if !isRelayed(c.RemoteMultiaddr()) {
		h.fair.trust(ipOf(c.RemoteMultiaddr()))
	}
	h.fair.prove(c.RemotePeer())
	h.ConnManager().TagPeer(c.RemotePeer(), listedTag, listedWeight)
}

// Rest lets no more connections of c's address in for some seconds, as long as Trust
// was not called for one of them. It is for a connection that is closed because it
// held too much; over a relay it does nothing.
func (h *Host) Rest(c network.Conn) {
	if !isRelayed(c.RemoteMultiaddr()) {
		h.fair.rest(ipOf(c.RemoteMultiaddr()))
	}
}

// listedTag is the connection manager's tag of peers over whose connections
// listed requesters have come.
const listedTag = "listed"

// Trusted reports whether the address that c comes from is one that Trust was
// called for in the last day, or a first contact's, and whether Trust was called
// for a connection of its peer, which is still connected.
func (h *Host) Trusted(c network.Conn) (address, over bool) {
	if tags := h.ConnManager().GetTagInfo(c.RemotePeer()); tags != nil {
		over = tags.Tags[listedTag] > 0
	}
	if isRelayed(c.RemoteMultiaddr()) {
		return false, over
	}
	h.fair.mu.Lock()
	defer h.fair.mu.Unlock()
	return h.fair.exempt(ipOf(c.RemoteMultiaddr())), over
}
