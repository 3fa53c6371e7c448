package network

import (
	"context"
	"testing"

	ma "github.com/multiformats/go-multiaddr"
)

// A silent connection is closed when its peer answers on another one, and only then.
func TestCloseSilent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cfg  Config
		said []ma.Multiaddr // beside what the network knows
	}{
		"a host of its own":                   {},
		"one that only dials":                 {cfg: Config{DialOnly: true}},
		"where nobody answers at one of them": {said: []ma.Multiaddr{deadEnd(t)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node, h := start(t, Config{Server: true}), start(t, test.cfg)
			if err := h.Reach(patiently(t), at(node)[0]); err != nil {
				t.Fatal(err)
			}
			conn := h.Network().ConnsToPeer(node.ID())[0]
			over, cancel := context.WithCancel(t.Context())
			cancel()
			if h.CloseSilent(over, conn, test.said) || conn.IsClosed() {
				t.Error("closed, though something has come")
			}
			if !h.CloseSilent(patiently(t), conn, test.said) || !conn.IsClosed() {
				t.Error("not closed")
			}
		})
	}
}

// A host that is closed looks for nobody any more.
func TestCloseSilentEnds(t *testing.T) {
	t.Parallel()
	node, h := start(t, Config{Server: true}), start(t, Config{})
	if err := h.Reach(patiently(t), at(node)[0]); err != nil {
		t.Fatal(err)
	}
	conn := h.Network().ConnsToPeer(node.ID())[0]
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if h.CloseSilent(patiently(t), conn, nil) {
		t.Error("a peer was found")
	}
}
