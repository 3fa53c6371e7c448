package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strings"
	"syscall"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"plasm/lib/job"
)

// anyPort is where a host listens that was told nothing: any free port of each
// family and transport.
func anyPort() []string {
	return []string{"/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0", "/ip4/0.0.0.0/udp/0/quic-v1", "/ip6/::/udp/0/quic-v1"}
}

// listenHint is what an address to listen at looks like.
const listenHint = "listen at TCP or QUIC, as in /ip4/0.0.0.0/tcp/7527 or /ip6/::/udp/7527/quic-v1"

// listenAddrs reads the addresses to listen at and leaves out those that cannot
// be: QUIC in a private network, and every address of a family that this
// machine does not have.
//
// It binds each port for a moment. libp2p would not notice a port that is taken:
// it shares TCP ports on purpose (SO_REUSEPORT), and is content when one of
// several addresses works.
func listenAddrs(ctx context.Context, values []string, private bool, log *slog.Logger) ([]ma.Multiaddr, error) {
	if len(values) == 0 {
		values = anyPort()
	}
	addrs := make([]ma.Multiaddr, 0, len(values))
	skipped := make([]string, 0, len(values))
	for _, value := range values {
		addr, err := parseListen(value)
		if err != nil {
			return nil, err
		}
		if private && isQUIC(addr) {
			skipped = append(skipped, value+" (a private network is TCP only)")
			continue
		}
		switch err := probe(ctx, addr); {
		case err == nil:
			addrs = append(addrs, addr)
		case noFamily(err) && isUnspecified(addr):
			skipped = append(skipped, value+" (this machine has no such addresses)")
		default:
			return nil, listenError(value, err)
		}
	}
	if len(addrs) == 0 {
		return nil, &job.Error{
			Code: job.CodeIO, Message: "nothing to listen at: " + strings.Join(skipped, ", "), Hint: listenHint,
		}
	}
	if len(skipped) > 0 {
		log.Debug("addresses left out", "addrs", skipped)
	}
	return addrs, nil
}

// parseListen reads /ip4|ip6/ADDR/tcp/PORT or /ip4|ip6/ADDR/udp/PORT/quic-v1.
func parseListen(value string) (ma.Multiaddr, error) {
	addr, err := ma.NewMultiaddr(value)
	if err == nil && !isListenable(addr) {
		err = errors.New("neither TCP nor QUIC")
	}
	if err != nil {
		return nil, &job.Error{
			Code: job.CodeUsage, Message: "not an address to listen at: " + job.Quote(value), Hint: listenHint,
			Err: err,
		}
	}
	return addr, nil
}

func isListenable(addr ma.Multiaddr) bool {
	names := make([]string, 0, 3)
	for _, part := range addr {
		names = append(names, part.Protocol().Name)
	}
	shapes := []string{"ip4/tcp", "ip6/tcp", "ip4/udp/quic-v1", "ip6/udp/quic-v1"}
	return slices.Contains(shapes, strings.Join(names, "/"))
}

func isQUIC(addr ma.Multiaddr) bool {
	_, err := addr.ValueForProtocol(ma.P_QUIC_V1)
	return err == nil
}

func isUnspecified(addr ma.Multiaddr) bool {
	ip, err := manet.ToIP(addr)
	return err == nil && ip.IsUnspecified()
}

// probe binds what addr names, alone, and lets it go. No process is started meanwhile:
// it would have a copy of the socket until its exec, and libp2p would find the port
// taken.
func probe(ctx context.Context, addr ma.Multiaddr) error {
	if isQUIC(addr) {
		addr = addr[:2] // the UDP part
	}
	network, address, err := manet.DialArgs(addr)
	if err != nil {
		return err
	}
	if runtime.GOOS == "linux" { // elsewhere package net takes the lock itself, and it must not be taken twice
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
	}
	var socket io.Closer
	var config net.ListenConfig
	if strings.HasPrefix(network, "udp") {
		socket, err = config.ListenPacket(ctx, network, address)
	} else {
		socket, err = config.Listen(ctx, network, address)
	}
	if err != nil {
		return err
	}
	return socket.Close()
}

// noFamily reports whether err says that the machine lacks an address family.
func noFamily(err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL) ||
		errors.Is(err, syscall.EPROTONOSUPPORT)
}

// listenError says in plain words why value cannot be listened at.
func listenError(value string, err error) error {
	e := &job.Error{Code: job.CodeIO, Err: err}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		e.Message = "port taken: " + value
		e.Hint = "another program, perhaps another node, listens there: stop it or choose another port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		e.Message = "not an address of this machine: " + value
		e.Hint = "/ip4/0.0.0.0 and /ip6/:: stand for all of its addresses"
	case errors.Is(err, syscall.EACCES):
		e.Message = "not allowed to listen at " + value
		e.Hint = "ports below 1024 are for root: choose another"
	default:
		e.Message = fmt.Sprintf("cannot listen at %s: %v", value, err)
	}
	return e
}

// checkListening finds an address that libp2p silently gave up.
func checkListening(want, have []ma.Multiaddr) error {
	for _, addr := range want {
		if !slices.ContainsFunc(have, func(h ma.Multiaddr) bool { return sameSocket(addr, h) }) {
			return &job.Error{Code: job.CodeIO, Message: "cannot listen at " + addr.String()}
		}
	}
	return nil
}

// sameSocket reports whether have is what listening at want gives: the same
// parts, and the same port unless any was asked for.
func sameSocket(want, have ma.Multiaddr) bool {
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		same := want[i].Equal(&have[i])
		isPort := i == 1
		anyPort := isPort && want[i].Value() == "0" && want[i].Protocol().Code == have[i].Protocol().Code
		if !same && !anyPort {
			return false
		}
	}
	return true
}
