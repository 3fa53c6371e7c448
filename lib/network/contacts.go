package network

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	ma "github.com/multiformats/go-multiaddr"
)

// contact is a Contact and when it was dialled; guarded by Host.mu.
type contact struct {
	Contact

	dialling bool
	began    time.Time
}

// Contacts returns what became of each first contact, in the order in which they
// were given.
func (h *Host) Contacts() []Contact {
	h.mu.Lock()
	defer h.mu.Unlock()
	contacts := make([]Contact, 0, len(h.contacts))
	for _, c := range h.contacts {
		told := c.Contact
		told.Info.Addrs = slices.Clone(c.Info.Addrs)
		if c.State == ContactDialling {
			told.Took = time.Since(c.began)
		}
		contacts = append(contacts, told)
	}
	return contacts
}

// Contact dials another first contact and does not wait for it; Contacts says
// what became of it. Addresses of a peer that is a contact already are added to
// those known, and it is dialled again unless it is connected. Above 256
// contacts more are ignored, as is the host itself. A host of DialOnly dials when it
// joins.
func (h *Host) Contact(info peer.AddrInfo, source string) {
	if info.ID == h.ID() || len(info.Addrs) == 0 {
		return
	}
	if c := h.note(info, source); c != nil && h.dht.Load() != nil {
		h.dial(c)
	}
}

// note returns the contact for info, new or known, or nil when it is to be let
// alone: there are too many, or it is a neighbour that was just dialled in vain.
func (h *Host) note(info peer.AddrInfo, source string) *contact {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.contacts, func(c *contact) bool { return c.Info.ID == info.ID })
	if i < 0 {
		if len(h.contacts) >= maxContacts {
			h.contacts = slices.DeleteFunc(h.contacts, (*contact).isGoneNeighbour)
		}
		if len(h.contacts) >= maxContacts {
			return nil
		}
		i = len(h.contacts)
		h.contacts = append(h.contacts, &contact{Contact: Contact{
			Info: peer.AddrInfo{ID: info.ID}, Source: source, State: ContactDialling,
		}})
	}
	c := h.contacts[i]
	c.Info.Addrs = ma.Unique(append(slices.Clone(c.Info.Addrs), info.Addrs...))
	if surplus := len(c.Info.Addrs) - maxAddrsPerPeer; surplus > 0 {
		c.Info.Addrs = c.Info.Addrs[surplus:]
	}
	if source == SourceMDNS && time.Since(c.began) < neighbourRedial {
		return nil
	}
	return c
}

// isGoneNeighbour reports whether c was heard of once and is not reached.
func (c *contact) isGoneNeighbour() bool {
	return c.Source == SourceMDNS && c.State == ContactFailed && !c.dialling
}

// dial dials c beside, unless that goes on already.
func (h *Host) dial(c *contact) {
	h.mu.Lock()
	info := peer.AddrInfo{ID: c.Info.ID, Addrs: slices.Clone(c.Info.Addrs)}
	connected := h.Network().Connectedness(info.ID) == network.Connected
	skip := h.closed || c.dialling || c.State == ContactConnected && connected
	if !skip {
		c.dialling = true
		c.began = time.Now()
		h.running.Add(1)
	}
	h.mu.Unlock()
	if skip {
		return
	}
	go func() {
		defer h.running.Done()
		ctx, cancel := h.within(dialTimeout)
		defer cancel()
		h.settle(c, h.reach(ctx, info))
	}()
}

// reach connects to info at its addresses and no others.
func (h *Host) reach(ctx context.Context, info peer.AddrInfo) error {
	h.Peerstore().AddAddrs(info.ID, info.Addrs, peerstore.TempAddrTTL)
	h.parts.transports.Backoff().Clear(info.ID) // ours is the only haste
	_, err := h.Network().DialPeer(ctx, info.ID)
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = errors.Join(err, ctx.Err())
	}
	return err
}

// settle records how dialling c ended.
func (h *Host) settle(c *contact, err error) {
	h.mu.Lock()
	c.dialling = false
	c.Took = time.Since(c.began)
	info := peer.AddrInfo{ID: c.Info.ID, Addrs: slices.Clone(c.Info.Addrs)}
	source := c.Source
	first := c.Err == nil
	if err == nil {
		c.State, c.Err = ContactConnected, nil
	} else {
		c.State, c.Err = ContactFailed, explain(info, source, err, h.private)
		err = c.Err
	}
	closed := h.closed
	h.mu.Unlock()
	h.noteFailed()
	switch {
	case err == nil:
		h.trustContact(info.ID, source)
		h.tell(info, source)
	case !closed && first && source != SourceMDNS:
		h.log.Info("contact failed", "peer", info.ID.String(), "source", source, "err", err)
	default:
		h.log.Debug("contact failed", "peer", info.ID.String(), "source", source, "err", err)
	}
}

// tell sends info through Found, once.
func (h *Host) tell(info peer.AddrInfo, source string) {
	h.mu.Lock()
	told := h.told[info.ID] || len(h.told) >= maxContacts
	h.told[info.ID] = true
	h.mu.Unlock()
	if told {
		return
	}
	h.discovered(info.ID, source)
	select {
	case h.found <- info:
	default:
	}
}

// discovered logs that p became known, and once only while it is remembered.
func (h *Host) discovered(p peer.ID, source string) {
	h.mu.Lock()
	known := h.known[p]
	if !known && len(h.known) == maxKnown {
		clear(h.known)
	}
	h.known[p] = true
	h.mu.Unlock()
	if !known {
		h.events.peer("peer.discovered", p, slog.String("source", source))
	}
}

// noteFailed notes it when of all contacts none is left that may yet answer.
func (h *Host) noteFailed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.ContainsFunc(h.contacts, func(c *contact) bool { return c.dialling || c.State == ContactConnected }) {
		h.failedOnce.Do(func() { close(h.allFailed) })
	}
}

// awaitFirst waits for a peer to ask, while one may come of the first contacts; for
// 2 s at most.
func (h *Host) awaitFirst(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstContactTime)
	defer cancel()
	select {
	case <-h.ready:
	case <-h.allFailed:
	case <-ctx.Done():
	}
}

const firstContactTime = 2 * time.Second

// lost notes that p is gone; when it is a contact, keepContacts hurries.
func (h *Host) lost(p peer.ID) {
	h.mu.Lock()
	known := slices.ContainsFunc(h.contacts, func(c *contact) bool { return c.Info.ID == p && c.Source != SourceMDNS })
	h.mu.Unlock()
	if known {
		select {
		case h.redial <- struct{}{}:
		default:
		}
	}
}

// keepContacts dials contacts again that failed or were lost, at growing
// intervals. A neighbour is left alone: it is heard again when it is back.
func (h *Host) keepContacts(ctx context.Context) {
	wait := firstRedial
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.redial:
			wait = firstRedial
		case <-timer.C:
			for _, c := range h.missing() {
				h.dial(c)
			}
			wait = min(2*wait, slowestRedial)
		}
		timer.Reset(wait)
	}
}

// missing returns the contacts that keepContacts is to dial: bootstrap peers and
// those the caller gave, and remembered ones only while nobody else is known.
func (h *Host) missing() []*contact {
	alone := h.TableSize() == 0
	h.mu.Lock()
	defer h.mu.Unlock()
	var missing []*contact
	for _, c := range h.contacts {
		wanted := c.Source != SourceMDNS && (c.Source != SourceRemembered || alone)
		if wanted && h.Network().Connectedness(c.Info.ID) != network.Connected {
			missing = append(missing, c)
		}
	}
	return missing
}
