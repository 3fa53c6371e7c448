package capability

import (
	"context"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
)

// answerWith is a handler that writes a text, whatever it is.
func answerWith(text string) p2p.StreamHandler {
	return func(s p2p.Stream) {
		_, _ = s.Write([]byte(text))
		_ = s.Close()
	}
}

// TestServeTellsWhatIsTrueNow: describe is called for each question, and what
// the host knows better is the host's.
func TestServeTellsWhatIsTrueNow(t *testing.T) {
	t.Parallel()
	h, c := server(t), client(t)
	var free atomic.Int64
	s := Serve(h, func() job.Node {
		n := document()
		n.PeerID, n.Addrs, n.RTTUS, n.Slots.Free = "nobody", []string{"nowhere"}, 5, free.Load()
		return n
	}, nil)
	defer s.Close()
	for want := range int64(3) {
		free.Store(want)
		n, err := Ask(t.Context(), c, at(h)[0], patience)
		if err != nil || n.Slots.Free != want || n.PeerID != h.ID().String() {
			t.Fatalf("%+v: %v", n, err)
		}
		if len(n.Addrs) == 0 || !strings.HasSuffix(n.Addrs[0], h.ID().String()) {
			t.Errorf("addresses: %v", n.Addrs)
		}
	}
}

// TestServeNeverSendsWhatIsRefused: a defect of ours is no answer.
func TestServeNeverSendsWhatIsRefused(t *testing.T) {
	t.Parallel()
	h := server(t)
	s := Serve(h, func() job.Node { return job.Node{} }, nil)
	defer s.Close()
	if n, err := Ask(t.Context(), client(t), at(h)[0], patience); err == nil ||
		!strings.HasPrefix(err.Error(), "broke off") {
		t.Errorf("%+v: %v", n, err)
	}
}

func TestServeAddresses(t *testing.T) {
	t.Parallel()
	h := server(t)
	s := Serve(h, document, nil)
	defer s.Close()
	for _, a := range s.addrs(ma.StringCast("/ip4/127.0.0.1/tcp/1")) {
		if !strings.HasSuffix(a, "/p2p/"+h.ID().String()) {
			t.Errorf("not whole: %s", a)
		}
	}
}

// TestServeUnderFlood: one peer opens streams without end, says whatever it
// likes on them and takes no answer; another still has its answers, and what is held
// for the first is bounded.
func TestServeUnderFlood(t *testing.T) {
	t.Parallel()
	h := server(t)
	s := Serve(h, document, nil)
	defer s.Close()
	flooder, c := client(t), client(t)
	ctx, cancel := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	defer flood.Wait()
	defer cancel()
	var opened atomic.Int64
	if err := flooder.Connect(ctx, at(h)[0]); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		flood.Go(func() {
			var open [32]p2p.Stream
			for i := 0; ctx.Err() == nil; i = (i + 1) % len(open) {
				if open[i] != nil {
					_ = open[i].Reset()
				}
				short, done := context.WithTimeout(ctx, time.Second) // one that is not opened by then is tried again
				stream, err := flooder.NewStream(short, h.ID(), Protocol)
				done()
				if open[i] = stream; err == nil {
					opened.Add(1)
					_, _ = stream.Write(make([]byte, 1000)) // neither read nor closed for as long as may be
				}
			}
		})
	}
	eventually(t, "flooded", func() bool { return opened.Load() > 500 })
	for range 20 {
		if _, err := Ask(t.Context(), c, at(h)[0], patience); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		if n := s.peers[flooder.ID()]; n > servePerPeer {
			t.Errorf("%d answers at a time to one peer", n)
		}
		s.mu.Unlock()
	}
}

// stuck is a stream whose writes wait until it is reset, as to a peer that takes
// nothing.
type stuck struct {
	p2p.Stream

	conn  p2p.Conn
	began chan<- struct{}
	reset chan struct{}
	once  sync.Once
}

func (s *stuck) Conn() p2p.Conn { return s.conn }

func (s *stuck) SetDeadline(time.Time) error { return nil }

func (s *stuck) Write([]byte) (int, error) {
	s.began <- struct{}{}
	<-s.reset
	return 0, io.ErrClosedPipe
}

func (s *stuck) Reset() error {
	s.once.Do(func() { close(s.reset) })
	return nil
}

// TestServeHoldsNoMoreThanItMay: one peer has its number of answers at a time,
// another still gets one, and Close ends them all and waits.
func TestServeHoldsNoMoreThanItMay(t *testing.T) {
	t.Parallel()
	h, taker, other := server(t), client(t), client(t)
	s := Serve(h, document, nil)
	if err := taker.Connect(t.Context(), at(h)[0]); err != nil {
		t.Fatal(err)
	}
	conn := h.Network().ConnsToPeer(taker.ID())[0]
	began, ended := make(chan struct{}, servePerPeer+1), make(chan struct{}, servePerPeer+1)
	take := func() *stuck {
		stream := &stuck{conn: conn, began: began, reset: make(chan struct{})}
		go func() {
			s.handle(stream)
			ended <- struct{}{}
		}()
		return stream
	}
	for range servePerPeer {
		take()
		<-began
	}
	over := take()
	<-ended // turned away
	select {
	case <-over.reset:
	default:
		t.Error("one too many was neither answered nor reset")
	}
	if _, err := Ask(t.Context(), other, at(h)[0], patience); err != nil {
		t.Errorf("another peer: %v", err)
	}
	s.Close()
	for range servePerPeer {
		<-ended
	}
	if len(s.streams) != 0 || len(s.peers) != 0 {
		t.Errorf("left: %d streams, %d peers", len(s.streams), len(s.peers))
	}
	s.handle(&stuck{conn: conn, began: began, reset: make(chan struct{})}) // after Close: reset at once
	if _, err := Ask(t.Context(), other, at(h)[0], patience); err == nil {
		t.Error("answered after Close")
	}
}
