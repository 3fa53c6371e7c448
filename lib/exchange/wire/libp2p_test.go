package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// What a Conn makes of real streams: their muxers have buffers, and say that a
// deadline has passed in words of their own.

var _ Stream = network.Stream(nil)

// transports are where hosts listen to speak over each of libp2p's muxers: yamux,
// and QUIC's own.
func transports() map[string]string {
	return map[string]string{"TCP": "/ip4/127.0.0.1/tcp/0", "QUIC": "/ip4/127.0.0.1/udp/0/quic-v1"}
}

func newHost(t *testing.T, addr string) host.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings(addr), libp2p.DisableRelay())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// streams returns the two ends of a stream between hosts of their own.
func streams(t *testing.T, addr string) (near, far network.Stream) {
	t.Helper()
	a, b := newHost(t, addr), newHost(t, addr)
	got := make(chan network.Stream, 1)
	b.SetStreamHandler(Protocol, func(s network.Stream) { got <- s })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := a.Connect(ctx, peer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()}); err != nil {
		t.Fatal(err)
	}
	near, err := a.NewStream(ctx, b.ID(), Protocol)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := near.Write([]byte(".\x00")); err != nil { // the far end learns of the stream by its first bytes
		t.Fatal(err)
	}
	select {
	case far = <-got:
	case <-ctx.Done():
		t.Fatal("no stream")
	}
	return near, far
}

func TestLibp2pBothSendAtOnce(t *testing.T) {
	t.Parallel()
	for name, addr := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			near, far := streams(t, addr)
			requester, node := NewConn(near, Requester, Config{}), NewConn(far, Node, Config{})
			agree(t, requester, node)
			const size = 3 << 20 // many times what a muxer takes without being read
			stdin, stdout := bytes.Repeat([]byte("i"), size), bytes.Repeat([]byte("o"), size)
			var all sync.WaitGroup
			all.Go(func() {
				if err := errors.Join(requester.SendData(KindStdin, stdin), requester.Send(StdinEnd{})); err != nil {
					t.Errorf("stdin: %v", err)
				}
			})
			read := make(chan struct{})
			all.Go(func() {
				defer close(read)
				var got []byte
				for {
					kind, err := node.Next()
					if err != nil || kind == KindStdinEnd {
						if err != nil || !bytes.Equal(got, stdin) {
							t.Errorf("%d bytes of stdin, %v", len(got), err)
						}
						return
					}
					for p, err := node.Some(); len(p) > 0 && err == nil; p, err = node.Some() {
						got = append(got, p...)
					}
				}
			})
			all.Go(func() {
				if err := node.SendData(KindStdout, stdout); err != nil {
					t.Errorf("stdout: %v", err)
				}
				<-read
				if err := node.Send(anyResult()); err != nil {
					t.Errorf("result: %v", err)
				}
				node.Close()
			})
			got, err := drain(requester)
			if !errors.Is(err, io.EOF) || !bytes.Equal(got[KindStdout], stdout) {
				t.Errorf("%d bytes of stdout, %v", len(got[KindStdout]), err)
			}
			all.Wait()
			requester.Close()
		})
	}
}

func TestLibp2pSilence(t *testing.T) {
	t.Parallel()
	for name, addr := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			near, _ := streams(t, addr)
			c := NewConn(near, Requester, Config{Ping: 20 * time.Millisecond, Lost: 200 * time.Millisecond})
			defer c.Reset()
			_, err := c.Next()
			if !errors.Is(err, ErrLost) || err.Error() != "connection lost: nothing came for 200ms" {
				t.Error(err)
			}
		})
	}
}

func TestLibp2pReadBy(t *testing.T) {
	t.Parallel()
	for name, addr := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			near, far := streams(t, addr)
			cfg := Config{Ping: 20 * time.Millisecond}
			requester, node := NewConn(near, Requester, cfg), NewConn(far, Node, cfg)
			defer requester.Reset()
			defer node.Reset()
			node.ReadBy(time.Now().Add(200 * time.Millisecond))
			if _, err := node.Next(); !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, ErrLost) {
				t.Error(err)
			}
		})
	}
}

// TestLibp2pRejectReachesASender whose node takes no more of what it sends.
func TestLibp2pRejectReachesASender(t *testing.T) {
	t.Parallel()
	for name, addr := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			near, far := streams(t, addr)
			requester, node := NewConn(near, Requester, Config{}), NewConn(far, Node, Config{})
			agree(t, requester, node)
			sent := make(chan error, 1)
			go func() { sent <- requester.SendData(KindStdin, make([]byte, 64<<20)) }()
			if kind, err := node.Next(); kind != KindStdin || err != nil {
				t.Fatalf("%s, %v", kind, err)
			}
			if err := node.Send(busy()); err != nil {
				t.Fatal(err)
			}
			node.Close()
			expect(t, requester, KindReject)
			if _, err := requester.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("after the last frame: %v", err)
			}
			requester.Close()
			if err := <-sent; !errors.Is(err, ErrClosed) && !errors.Is(err, ErrLost) {
				t.Errorf("sending: %v", err)
			}
		})
	}
}
