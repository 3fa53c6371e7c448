// Package network is a libp2p host as Plasm uses one: it listens on QUIC and
// TCP, knows its way around a DHT of its own, hears neighbours over mDNS, and
// gets through NATs by relays and hole punching.
//
// # On the wire
//
// All of it is libp2p's, with names that keep other networks out:
//
//	/plasm/kad/1.0.0     Kademlia (provider records only, no values)
//	_plasm._udp.local    mDNS service (RFC 6762), TXT records dnsaddr=MULTIADDR
//	plasm                prefix of the identify protocol's agent version
//
// A Key is announced and looked up as the CID (version 1, codec raw, multihash
// sha2-256) of the bytes "plasm-capability/1 " followed by the key.
//
// # Limits
//
// What a stranger can make a host hold is chosen in limits.go, and nowhere else.
package network

import (
	"crypto/ed25519"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/prometheus/client_golang/prometheus"
)

// Config says what a host is to be. It is copied by Start. The zero value is a
// client: any free port of every family, a fresh key, no first contacts.
type Config struct {
	Key ed25519.PrivateKey // identity; nil: a fresh one
	// multiaddresses to listen at, without /p2p; nil: a free port of every family and transport
	Listen     []string
	Bootstrap  []peer.AddrInfo // first contacts
	NetworkKey []byte          // 32 bytes, the pre-shared key of a private network (then TCP only); nil: the public one
	MDNS       bool            // tell and ask the neighbours of the local network
	// serve the DHT, help others to learn whether they can be reached, map ports; false: a client
	Server    bool
	UserAgent string // what the host calls itself to its peers; "": plasm

	Reachability Reachability // whether others can dial this host; the zero value finds out
	Relay        *Relay       // serve as a relay (only with Reachability Public); nil: don't

	PeersFile string                // where peers that answered are remembered; "": nowhere
	Metrics   prometheus.Registerer // where libp2p's metrics are registered; nil: nowhere
	Log       *slog.Logger          // nil: nothing is logged

	// DialOnly is for one that is after peers whose addresses it has. It does not
	// listen, and leaves first contacts and neighbours alone, until Join: which comes
	// by itself when it is asked for a key, or for a peer that isn't where it was said
	// to be.
	DialOnly bool

	// For tests.
	Simulated []quicreuse.Option                                // a network for QUIC in place of the kernel's
	Security  func(peer.ID, crypto.PrivKey) sec.SecureTransport // what TCP may be secured by, besides Noise and TLS
}

// Reachability is whether a host can be dialled by hosts of other networks.
type Reachability int

// What a host can be told or find out of itself.
const (
	ReachabilityAuto    Reachability = iota // not known: find out
	ReachabilityPublic                      // others can dial it
	ReachabilityPrivate                     // behind a NAT or a firewall: hold a relay reservation
)

// String returns "auto", "public" or "private".
func (r Reachability) String() string {
	switch r {
	case ReachabilityPublic:
		return "public"
	case ReachabilityPrivate:
		return "private"
	default:
		return "auto"
	}
}

// ParseReachability reads what String writes. ok is false for anything else.
func ParseReachability(s string) (r Reachability, ok bool) {
	for _, r := range []Reachability{ReachabilityAuto, ReachabilityPublic, ReachabilityPrivate} {
		if r.String() == s {
			return r, true
		}
	}
	return ReachabilityAuto, false
}

// Relay is what a host relays for others.
type Relay struct {
	Data     int64         // bytes a direction of one relayed connection; 0: DefaultRelayData, < 0: no limit
	Duration time.Duration // length of one relayed connection; 0: DefaultRelayDuration, < 0: no limit
	Allow    []peer.ID     // who may reserve a place; nil: everybody
}

// Where a first contact came from.
const (
	SourceBootstrap  = "bootstrap"  // Config.Bootstrap
	SourceRemembered = "remembered" // Config.PeersFile
	SourceLocal      = "local"      // a node on this machine
	SourceListed     = "listed"     // a trust file says where it is
	SourceMDNS       = "mdns"       // heard on the local network
)

// ContactState is how far dialling a contact has come.
type ContactState string

// The states of a contact.
const (
	ContactDialling  ContactState = "dialling"
	ContactConnected ContactState = "connected"
	ContactFailed    ContactState = "failed"
)

// Contact is an address that the host was given and dials without having asked
// the network for it.
type Contact struct {
	Info   peer.AddrInfo
	Source string // one of the Source constants, or what Host.Contact was given
	State  ContactState
	Err    error         // why it failed, else nil: a *job.Error of one line, safe to print
	Took   time.Duration // how long dialling took, or takes so far
}
