package queue

import "net/netip"

// Prefixes that one customer of a network has, and that one network has.
const (
	sourceBits4, networkBits4 = 32, 16
	sourceBits6, networkBits6 = 56, 32
)

// SourceOf returns what a client at addr is charged by as long as it is unlisted:
// the IPv4 address (also one mapped into IPv6) or the /56 around an IPv6 address,
// without its zone. Addresses that are not valid are one source, "". For one that comes
// over a relay the address is the relay's: whoever presents itself as a relay has as many
// peer IDs as it likes, and those behind it have too.
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

// NetworkOf returns the larger whole that a source is of, in which it is counted
// when there is no room to count it alone: the /16 around an IPv4 address, the /32
// around an IPv6 one.
func NetworkOf(source string) string {
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
