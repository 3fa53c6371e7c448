package queue

import (
	"net/netip"
	"strings"
)

// Prefixes that one customer of a network has, and that one network has.
const (
	sourceBits4, networkBits4 = 32, 16
	sourceBits6, networkBits6 = 56, 32
)

// relayMark begins the source of who comes over a relay. No prefix does.
const relayMark = "relay "

// SourceOf returns what a client at addr is charged by as long as it is unlisted:
// the IPv4 address (also one mapped into IPv6) or the /56 around an IPv6 address,
// without its zone. Addresses that are not valid are one source, "".
func SourceOf(addr netip.Addr) string {
	addr = addr.Unmap()
	bits := sourceBits6
	if addr.Is4() {
		bits = sourceBits4
	}
	prefix, err := addr.Prefix(bits)
	if err != nil || !prefix.IsValid() {
		return ""
	}
	return prefix.String()
}

// RelaySource returns what clients that come over a relay are charged by, together.
// It is for relays that this node has chosen itself and holds a reservation with: any
// peer may present itself as a relay, and has as many peer IDs as it likes. Who comes
// over one that was not chosen is charged by SourceOf the address at which the relay
// itself is connected.
func RelaySource(peerID string) string { return relayMark + peerID }

// networkOf returns the larger whole that a source is of, in which it is counted
// when there is no room to count it alone.
func networkOf(source string) string {
	if strings.HasPrefix(source, relayMark) {
		return relayMark
	}
	prefix, err := netip.ParsePrefix(source)
	if err != nil {
		return "" // a listed requester, or an address that was not valid
	}
	bits := networkBits6
	if prefix.Addr().Is4() {
		bits = networkBits4
	}
	whole, err := prefix.Addr().Prefix(bits)
	if err != nil {
		return ""
	}
	return whole.String()
}
