package network

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// A peer that does not answer the DHT's first question is asked again, long before the
// DHT does so by itself.
func TestTableIsFilledLater(t *testing.T) {
	t.Parallel()
	const questions = 2 // the DHT puts the first one twice
	s := start(t, Config{Listen: loopback(), Server: true})
	var asked atomic.Int64
	s.SetStreamHandler(dhtProtocol, func(stream network.Stream) {
		_ = stream.Reset()
		if asked.Add(1) == questions {
			d, err := newDHT(s.parts.basic, true, func(peer.ID) {}) // which takes the questions from here on
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { _ = d.Close() })
		}
	})
	c := start(t, Config{Listen: loopback(), Bootstrap: at(s)})
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	select {
	case <-c.Ready():
	case <-ctx.Done():
		t.Fatalf("nobody is in the routing table; %d questions were turned down", asked.Load())
	}
	if asked.Load() < questions {
		t.Errorf("%d questions were turned down", asked.Load())
	}
}
