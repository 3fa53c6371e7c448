package capability

import (
	"log/slog"
	"sync"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"plasm/lib/job"
	"plasm/lib/network"
)

// Server answers those who ask what a node can do. It reads nothing of what they
// send, waits for none of them, and holds no more than it was made for: a peer
// that asks too often at a time is turned away, whoever else asks is not.
type Server struct {
	host     *network.Host
	describe func() job.Node
	log      *slog.Logger

	mu      sync.Mutex
	closed  bool
	streams map[p2p.Stream]struct{}
	peers   map[peer.ID]int // answers at a time; no entry for none
	running sync.WaitGroup
}

// Serve begins to answer at h. Describe returns the node as it is at the moment;
// it is called for each question, by several goroutines at a time, and must not
// block. Its PeerID, Addrs and RTTUS are replaced by what h knows.
func Serve(h *network.Host, describe func() job.Node, log *slog.Logger) *Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		host: h, describe: describe, log: log,
		streams: map[p2p.Stream]struct{}{}, peers: map[peer.ID]int{},
	}
	h.SetStreamHandler(Protocol, s.handle)
	return s
}

// Close stops answering and waits for answers under way, which it cuts off.
func (s *Server) Close() {
	s.host.RemoveStreamHandler(Protocol)
	s.mu.Lock()
	s.closed = true
	for stream := range s.streams {
		_ = stream.Reset()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// handle answers one question. It runs in a goroutine of the host's.
func (s *Server) handle(stream p2p.Stream) {
	if !s.begin(stream) {
		_ = stream.Reset()
		return
	}
	defer s.end(stream)
	if err := s.answer(stream); err != nil {
		_ = stream.Reset()
		s.log.Debug("question not answered", "peer", stream.Conn().RemotePeer().String(), "err", job.Quote(err.Error()))
	}
}

// begin takes a place for an answer, if there is one.
func (s *Server) begin(stream p2p.Stream) bool {
	id := stream.Conn().RemotePeer()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.streams) >= serveAtOnce || s.peers[id] >= servePerPeer {
		return false
	}
	s.streams[stream] = struct{}{}
	s.peers[id]++
	s.running.Add(1)
	return true
}

func (s *Server) end(stream p2p.Stream) {
	id := stream.Conn().RemotePeer()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, stream)
	s.peers[id]--
	if s.peers[id] == 0 {
		delete(s.peers, id)
	}
	s.running.Done()
}

func (s *Server) answer(stream p2p.Stream) error {
	n := s.describe()
	n.PeerID, n.RTTUS = s.host.ID().String(), 0
	n.Addrs = s.addrs(stream.Conn().RemoteMultiaddr())
	if err := n.Validate(); err != nil {
		return err // a defect of ours: better no answer than one that others refuse
	}
	if err := stream.SetDeadline(time.Now().Add(serveTime)); err != nil {
		return err
	}
	if _, err := stream.Write(n.Encode()); err != nil {
		return err
	}
	return stream.Close()
}

// addrs returns the node's addresses as a document has them, for whoever asks
// from there: those of the loopback mean nothing to anybody else.
func (s *Server) addrs(from ma.Multiaddr) []string {
	addrs := s.host.Addrs()
	if manet.IsIPLoopback(from) {
		addrs = s.host.LocalAddrs()
	}
	whole := []string{}
	for _, a := range addrs {
		if len(whole) < maxTellAddrs {
			whole = append(whole, wholeAddr(s.host.ID(), a))
		}
	}
	return whole
}

// wholeAddr is an address with the peer's ID at its end.
func wholeAddr(id peer.ID, a ma.Multiaddr) string { return a.String() + "/p2p/" + id.String() }
