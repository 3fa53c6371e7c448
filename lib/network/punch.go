package network

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/holepunch"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// How a host becomes able to take part in hole punching, and tries again.
const (
	observedLook  = 5 * time.Millisecond   // between looks for the address that a peer has just told
	observedLooks = 40                     // and how many
	punchPause    = 100 * time.Millisecond // before asking again, while an attempt with the peer goes on
	punchTries    = 10
)

// puncher is the host's part in hole punching (DCUtR): libp2p's service, which starts
// as soon as the host knows a public address of its own.
//
// libp2p tries once for each connection that comes over a relay, and gives up when
// the peer does not speak the protocol. A peer that has just started does not speak
// it until somebody has told it its public address, and says so as soon as it does:
// then the puncher tries again.
type puncher struct {
	observed chan struct{} // cap 1: a peer told an address of ours

	mu      sync.Mutex
	service *holepunch.Service // nil before
	closed  bool
	again   map[peer.ID]bool // with whom another attempt is under way
}

// startPunching starts the service when there is a public address, and returns then.
func (h *Host) startPunching(ctx context.Context) {
	for !h.canBePunched() {
		select {
		case <-ctx.Done():
			return
		case <-h.punch.observed:
		}
		// Who keeps observed addresses hears the same event.
		for i := 0; i < observedLooks && !h.canBePunched(); i++ {
			select {
			case <-ctx.Done():
				return
			case <-time.After(observedLook):
			}
		}
	}
	options := []holepunch.Option{holepunch.WithTracer(punchTracer{h})}
	if h.cfg.Metrics != nil {
		metrics := holepunch.NewMetricsTracer(holepunch.WithRegisterer(h.cfg.Metrics))
		options = append(options, holepunch.WithMetricsTracer(metrics))
	}
	h.punch.mu.Lock()
	defer h.punch.mu.Unlock()
	if h.punch.closed {
		return
	}
	service, err := holepunch.NewService(h.parts.basic, h.parts.basic.IDService(), h.punchAddrs, options...)
	if err != nil {
		h.log.Warn("no hole punching", "err", err)
		return
	}
	h.punch.service = service
}

// stopPunching ends the service.
func (h *Host) stopPunching() error {
	h.punch.mu.Lock()
	h.punch.closed = true
	service := h.punch.service
	h.punch.mu.Unlock()
	if service == nil {
		return nil
	}
	return service.Close()
}

func (h *Host) canBePunched() bool { return len(h.punchAddrs()) > 0 }

// punchAddrs returns the public addresses at which the host may be met: those that it
// has, and those that one peer at least has seen it at.
func (h *Host) punchAddrs() []ma.Multiaddr {
	addrs := h.announced(h.parts.basic.AllAddrs())
	if h.parts.observed != nil {
		addrs = append(addrs, h.parts.observed.Addrs(1)...)
	}
	return slices.DeleteFunc(ma.Unique(addrs), func(a ma.Multiaddr) bool { return !manet.IsPublicAddr(a) })
}

// punchAgain tries once more with a peer that dialled the host over a relay and could
// not take part then. It does not wait for that.
func (h *Host) punchAgain(id peer.ID) {
	p := &h.punch
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.service == nil || p.closed || p.again[id] || !h.isDialledOverRelay(id) {
		return
	}
	p.again[id] = true
	service := p.service
	h.spawn(func(ctx context.Context) {
		defer func() {
			p.mu.Lock()
			delete(p.again, id)
			p.mu.Unlock()
		}()
		for range punchTries {
			if err := service.DirectConnect(id); !errors.Is(err, holepunch.ErrHolePunchActive) {
				return // the tracer has told how it ended
			}
			select { // the attempt that goes on may be the one that failed for want of the protocol
			case <-ctx.Done():
				return
			case <-time.After(punchPause):
			}
		}
	})
}

// isDialledOverRelay reports whether a peer has reached the host over a relay, and in
// no other way.
func (h *Host) isDialledOverRelay(id peer.ID) bool {
	inbound := false
	for _, c := range h.Network().ConnsToPeer(id) {
		if !isRelayed(c.RemoteMultiaddr()) {
			return false
		}
		inbound = inbound || c.Stat().Direction == network.DirInbound
	}
	return inbound
}

// punchTracer logs how hole punching ended.
type punchTracer struct{ *Host }

// Trace logs the end of an attempt with a peer that is reached over a relay.
func (t punchTracer) Trace(e *holepunch.Event) {
	switch evt := e.Evt.(type) {
	case *holepunch.EndHolePunchEvt:
		t.ended(e.Remote, evt.Success, evt.EllapsedTime, evt.Error)
	case *holepunch.DirectDialEvt:
		if evt.Success {
			t.ended(e.Remote, true, evt.EllapsedTime, "")
		}
	case *holepunch.ProtocolErrorEvt:
		t.ended(e.Remote, false, 0, evt.Error)
	}
}

func (t punchTracer) ended(remote peer.ID, direct bool, took time.Duration, problem string) {
	attrs := []slog.Attr{
		slog.String("peer", remote.String()), slog.Bool("direct", direct),
		slog.Duration("took", took.Round(time.Millisecond)),
	}
	if !direct {
		attrs = append(attrs, slog.String("problem", oneLine(problem)), slog.String("instead", "relay"))
	}
	t.log.LogAttrs(context.Background(), slog.LevelInfo, "nat.status", attrs...)
}
