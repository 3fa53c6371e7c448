package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
)

// explain says in plain words why info, a first contact from source, could not
// be reached. private says that we are in a private network.
func explain(info peer.AddrInfo, source string, err error, private bool) error {
	addr, cause := blame(info, err)
	e := &job.Error{Code: job.CodeIO, Err: err}
	problem, hint := describe(info, err, private)
	e.Message = fmt.Sprintf("%s peer did not answer: %s: %s", source, problem, withID(addr, info.ID))
	if _, wrong := actualID(cause); wrong {
		e.Message = fmt.Sprintf("%s peer is another one: %s: %s", source, problem, withID(addr, info.ID))
	}
	e.Hint = hint
	return e
}

// Explain says in plain words why dialling a peer has failed, on one line that is safe
// to print, and where that is clear, what to do; else hint is "".
func (h *Host) Explain(info peer.AddrInfo, err error) (problem, hint string) {
	return describe(info, err, h.private)
}

// describe is Explain in a network that is private or not.
func describe(info peer.AddrInfo, err error, private bool) (problem, hint string) {
	addr, cause := blame(info, err)
	if problem, hint = relayProblem(cause); problem != "" {
		return problem, hint
	}
	if problem, hint = plainly(addr, cause, info.ID); hint == "" {
		hint = keyHint(cause, private)
	}
	if isTimeout(cause) {
		if ports := Ports(silent(info, err)); ports != "" {
			problem = "no answer from " + ports
		}
	}
	return problem, hint
}

// silent returns the addresses at which nobody answered: those whose time has run out,
// or all where nothing is known of each.
func silent(info peer.AddrInfo, err error) []ma.Multiaddr {
	dial, ok := errors.AsType[*swarm.DialError](err)
	if !ok {
		return info.Addrs
	}
	var addrs []ma.Multiaddr
	for _, tried := range dial.DialErrors {
		if isTimeout(tried.Cause) {
			addrs = append(addrs, tried.Address)
		}
	}
	return addrs
}

// Ports names the ports in addresses, as in "TCP port 7527 and UDP port 7527 of
// 192.0.2.1", of at most three machines. Addresses over relays have none.
func Ports(addrs []ma.Multiaddr) string {
	const most = 3
	var machines []string
	ports := make(map[string][]string)
	for _, addr := range addrs {
		if len(addr) < 2 || isRelayed(addr) {
			continue
		}
		machine := oneLine(addr[0].Value())
		port := strings.ToUpper(addr[1].Protocol().Name) + " port " + oneLine(addr[1].Value())
		if _, known := ports[machine]; !known {
			machines = append(machines, machine)
		}
		if !slices.Contains(ports[machine], port) {
			ports[machine] = append(ports[machine], port)
		}
	}
	words := make([]string, 0, most)
	for _, machine := range machines[:min(len(machines), most)] {
		words = append(words, strings.Join(ports[machine], " and ")+" of "+machine)
	}
	return strings.Join(words, ", ")
}

// relayStatus is how libp2p's relay client spells what a relay has answered.
var relayStatus = regexp.MustCompile(`error opening relay circuit: ([A-Z_]+)`)

// relayProblem says what a relay has answered that was to lead to a peer (circuit v2,
// status codes), or that it did not; problem is "" for any other error.
func relayProblem(err error) (problem, hint string) {
	if err == nil {
		return "", ""
	}
	text := err.Error()
	if strings.Contains(text, "error opening hop stream to relay") {
		return "its relay does not answer", "is the relay running, and is this its address?"
	}
	status := relayStatus.FindStringSubmatch(text)
	if status == nil {
		return "", ""
	}
	switch status[1] {
	case "NO_RESERVATION":
		return "the relay holds no place for it",
			"is the node running, and connected to that relay? One that has just started needs a moment"
	case "RESOURCE_LIMIT_EXCEEDED":
		return "the relay has no room for another connection", "try again later, or give the node another relay"
	case "PERMISSION_DENIED":
		return "the relay does not let this machine through", "ask whoever runs the relay"
	case "CONNECTION_FAILED":
		return "the relay does not reach it any more", "is the node running?"
	}
	return "the relay refused: " + status[1], ""
}

// withID is addr with the peer's ID behind it.
func withID(addr ma.Multiaddr, id peer.ID) string {
	text := "/p2p/" + id.String()
	if addr == nil {
		return text
	}
	return oneLine(addr.String()) + text
}

// blame picks of all addresses that were tried the one whose failure says most,
// and what happened there.
func blame(info peer.AddrInfo, err error) (ma.Multiaddr, error) {
	var first ma.Multiaddr
	if len(info.Addrs) > 0 {
		first = info.Addrs[0]
	}
	dial, ok := errors.AsType[*swarm.DialError](err)
	if !ok || len(dial.DialErrors) == 0 {
		return first, err
	}
	best := dial.DialErrors[0]
	for _, tried := range dial.DialErrors[1:] {
		if weight(tried.Cause) > weight(best.Cause) {
			best = tried
		}
	}
	return best.Address, best.Cause
}

// weight says how much an error tells: somebody else being there more than
// nobody, and that more than a route that is missing.
func weight(err error) int {
	switch _, wrong := actualID(err); {
	case wrong:
		return 4
	case looksLikeKey(err):
		return 3
	case errors.Is(err, syscall.ECONNREFUSED):
		return 2
	case relayAnswered(err):
		return 2
	case noRoute(err), errors.Is(err, swarm.ErrDialBackoff):
		return 0
	default:
		return 1
	}
}

func relayAnswered(err error) bool {
	problem, _ := relayProblem(err)
	return problem != ""
}

// plainly turns what went wrong at addr into a phrase and, where it is clear
// what to do, a hint.
func plainly(addr ma.Multiaddr, err error, id peer.ID) (problem, hint string) {
	actual, wrong := actualID(err)
	switch {
	case wrong:
		return "the node there is " + actual, "if it is the one you mean, write /p2p/" + actual + " instead"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused", "is the node running, and is this its port?"
	case errors.Is(err, swarm.ErrNoGoodAddresses) && nameOf(addr) != "":
		return "name not found", "check the spelling, and that this machine can look names up"
	case noRoute(err):
		return "no route to it from this machine", routeHint(addr)
	case errors.Is(err, swarm.ErrNoGoodAddresses), errors.Is(err, swarm.ErrNoTransport):
		return "no address that can be dialled from here", "a private network is TCP only; other addresses look like " +
			"/ip4/192.0.2.1/udp/7527/quic-v1/p2p/" + id.String()
	case errors.Is(err, swarm.ErrDialBackoff):
		return "it did not answer a moment ago", "it is tried again after a pause"
	case isTimeout(err):
		return "no answer in time", "" // a private network looks the same
	default:
		return oneLine(err.Error()), ""
	}
}

// nameOf returns the name that addr begins with, or "".
func nameOf(addr ma.Multiaddr) string {
	if len(addr) == 0 {
		return ""
	}
	switch addr[0].Protocol().Code {
	case ma.P_DNS, ma.P_DNS4, ma.P_DNS6, ma.P_DNSADDR:
		return addr[0].Value()
	default:
		return ""
	}
}

// mismatch is how the TLS within QUIC spells sec.ErrPeerIDMismatch.
var mismatch = regexp.MustCompile(`peer id mismatch: expected \w+, but remote key matches (\w+)`)

// actualID returns the peer ID that answered instead of the one expected.
func actualID(err error) (string, bool) {
	if err == nil {
		return "", false
	}
	if e, ok := errors.AsType[sec.ErrPeerIDMismatch](err); ok {
		return e.Actual.String(), true
	}
	if found := mismatch.FindStringSubmatch(err.Error()); found != nil {
		return found[1], true
	}
	return "", false
}

// noRoute reports whether err says that nothing leads there. QUIC's error has
// the kernel's only as text.
func noRoute(err error) bool {
	for _, missing := range []syscall.Errno{
		syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT,
	} {
		if err != nil && (errors.Is(err, missing) || strings.HasSuffix(err.Error(), ": "+missing.Error())) {
			return true
		}
	}
	return false
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, swarm.ErrDialTimeout) {
		return true
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// routeHint says which kind of network is missing here.
func routeHint(addr ma.Multiaddr) string {
	family, other := "IPv4", "IPv6"
	if len(addr) > 0 && addr[0].Protocol().Code == ma.P_IP6 {
		family, other = other, family
	}
	return fmt.Sprintf("is this machine connected, and has it %s? A peer's %s address may do", family, other)
}

// looksLikeKey reports whether err is what dialling ends in when only one side
// has a network key, or the two differ: nothing that arrives makes sense.
func looksLikeKey(err error) bool {
	if errors.Is(err, syscall.ECONNRESET) {
		return true
	}
	text := err.Error()
	for _, sign := range []string{
		"message was too large", "connection reset", "EOF",
		"failed to negotiate security protocol",
	} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// keyHint points at the network key where the error could come from it.
func keyHint(err error, private bool) string {
	switch {
	case private && (looksLikeKey(err) || isTimeout(err)):
		return "does the peer use the same --network-key? Without it, or with another, peers cannot talk"
	case looksLikeKey(err):
		return "the peer may be in a private network: give its key with --network-key"
	case isTimeout(err):
		return "is the address right, and the node running? A firewall there, or on the way, may drop what comes to " +
			"its ports. A private network takes --network-key"
	default:
		return ""
	}
}

// oneLine makes of a text that a stranger may have had a say in something that
// is safe to print: one bounded line without control characters.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return ' '
		case r < ' ', r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029:
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(s, "�"))
	return strings.Join(strings.Fields(clip(s)), " ")
}
