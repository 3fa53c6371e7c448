package capability

import (
	"crypto/rand"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"

	"plasm/lib/network"
)

// badPeer is a peer that announces itself like any other and then answers badly.
type badPeer struct {
	name string
	want string // why it is left out

	// answer gets a stream on which nothing was read or written. It must end
	// when the stream is reset.
	answer func(h *network.Host, s p2p.Stream)
}

func badPeers() []badPeer {
	other := "12D3KooWE5iTWzHAT9H8TrUbFaDspm6wKFQQVF9B8Amo1viGeTyk"
	self := func(h *network.Host) string {
		n := document()
		n.PeerID = h.ID().String()
		return string(n.Encode())
	}
	return []badPeer{
		{"silent", "no answer within 2s", func(_ *network.Host, s p2p.Stream) { drain(s) }},
		{"slow", "no answer within 2s", func(h *network.Host, s p2p.Stream) {
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			for _, b := range []byte(self(h)) {
				if _, err := s.Write([]byte{b}); err != nil {
					return
				}
				<-tick.C
			}
		}},
		{"never closes", "no answer within 2s", func(h *network.Host, s p2p.Stream) {
			_, _ = s.Write([]byte(self(h)))
			drain(s)
			<-closed(s)
		}},
		{"garbage", "answered nonsense: node: bad JSON at byte 0", func(_ *network.Host, s p2p.Stream) {
			b := make([]byte, 4096)
			_, _ = rand.Read(b)
			_, _ = s.Write(append([]byte{0}, b...))
			_ = s.Close()
		}},
		{"escape sequences", "answered nonsense: node.version: \"\\x1b[2J", func(h *network.Host, s p2p.Stream) {
			_, _ = s.Write([]byte(strings.Replace(self(h), "0.1.0", `\u001b[2J\n`, 1)))
			_ = s.Close()
		}},
		{"nothing", "answered with nothing", func(_ *network.Host, s p2p.Stream) { _ = s.Close() }},
		{"half of it", "answered nonsense: node: bad JSON at byte", func(h *network.Host, s p2p.Stream) {
			_, _ = s.Write([]byte(self(h)[:100]))
			_ = s.Close()
		}},
		{"1 GiB", "answered with more than 65536 bytes", func(_ *network.Host, s p2p.Stream) {
			chunk := make([]byte, 64<<10)
			for range 1 << 30 / len(chunk) {
				if _, err := s.Write(chunk); err != nil {
					return
				}
			}
		}},
		{"wrong peer ID", "says that it is " + other, func(h *network.Host, s p2p.Stream) {
			_, _ = s.Write([]byte(strings.Replace(self(h), h.ID().String(), other, 1)))
			_ = s.Close()
		}},
		{
			"out of range", "answered nonsense: node.cpu_cores: 1000000 is not in 1…1024",
			func(h *network.Host, s p2p.Stream) {
				_, _ = s.Write([]byte(strings.Replace(self(h), `"cpu_cores":8`, `"cpu_cores":1000000`, 1)))
				_ = s.Close()
			},
		},
		{"resets", "broke off its answer: ", func(h *network.Host, s p2p.Stream) {
			_, _ = s.Write([]byte(self(h)[:100]))
			_ = s.Reset()
		}},
		{"vanishes while it answers", "broke off its answer: ", func(h *network.Host, s p2p.Stream) {
			_, _ = s.Write([]byte(self(h)[:100]))
			_ = s.Conn().Close()
		}},
		{"doesn't know the question", "does not speak /plasm/node/1.0.0", nil},
	}
}

// drain reads until the other side closes or resets.
func drain(s p2p.Stream) {
	b := make([]byte, 512)
	for {
		if _, err := s.Read(b); err != nil {
			break
		}
	}
	<-closed(s)
}

// closed is closed when the connection of s is, which its test makes happen.
func closed(s p2p.Stream) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for !s.Conn().IsClosed() {
			if _, err := s.Write(nil); err != nil {
				return
			}
			<-tick.C
		}
	}()
	return done
}

// play makes h answer as the bad peer does, and returns how often it was asked.
func (b badPeer) play(t *testing.T, h *network.Host) *atomic.Int64 {
	t.Helper()
	var asked atomic.Int64
	if b.answer != nil {
		h.SetStreamHandler(Protocol, func(s p2p.Stream) {
			asked.Add(1)
			b.answer(h, s)
		})
	}
	return &asked
}
