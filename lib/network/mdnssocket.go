package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// mdnsPort is RFC 6762's.
const mdnsPort = 5353

// mdnsGroup is a socket that is a member of one address family's group on each
// interface.
type mdnsGroup struct {
	conn       net.PacketConn
	group      *net.UDPAddr
	interfaces []net.Interface
	write      func(packet []byte, ifIndex int) error
	read       func(buffer []byte) (n int, toGroup bool, err error)
}

// errNoInterface is what a machine without a network gives.
var errNoInterface = errors.New("no interface takes multicast")

// mdnsInterfaces returns the interfaces that can be used, and a text that
// changes when they do.
func mdnsInterfaces() ([]net.Interface, string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, "", err
	}
	var usable []net.Interface
	var state strings.Builder
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil || len(addrs) == 0 {
			continue
		}
		usable = append(usable, i)
		fmt.Fprintln(&state, i.Index, i.Name, addrs)
	}
	if len(usable) == 0 {
		return nil, "", errNoInterface
	}
	return usable, state.String(), nil
}

// joinMDNS opens a socket for each family that works on some interface.
func joinMDNS(ctx context.Context, interfaces []net.Interface) ([]*mdnsGroup, error) {
	v4, err4 := joinMDNS4(ctx, interfaces)
	v6, err6 := joinMDNS6(ctx, interfaces)
	var groups []*mdnsGroup
	for _, g := range []*mdnsGroup{v4, v6} {
		if g != nil {
			groups = append(groups, g)
		}
	}
	if len(groups) == 0 {
		return nil, errors.Join(err4, err6)
	}
	return groups, nil
}

// openMDNS opens the port beside other programs that have it. Go sets
// SO_REUSEADDR for a multicast address, and binds the wildcard.
func openMDNS(ctx context.Context, network, wildcard string) (net.PacketConn, error) {
	var config net.ListenConfig
	return config.ListenPacket(ctx, network, net.JoinHostPort(wildcard, fmt.Sprint(mdnsPort)))
}

func joinMDNS4(ctx context.Context, interfaces []net.Interface) (*mdnsGroup, error) {
	conn, err := openMDNS(ctx, "udp4", "224.0.0.0")
	if err != nil {
		return nil, err
	}
	p := ipv4.NewPacketConn(conn)
	g := &mdnsGroup{conn: conn, group: &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: mdnsPort}}
	for _, i := range interfaces {
		if err = p.JoinGroup(&i, g.group); err == nil {
			g.interfaces = append(g.interfaces, i)
		}
	}
	if len(g.interfaces) == 0 {
		return nil, errors.Join(err, conn.Close())
	}
	err = errors.Join(p.SetControlMessage(ipv4.FlagDst, true), p.SetMulticastLoopback(true), p.SetMulticastTTL(255))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	g.write = func(packet []byte, ifIndex int) error {
		_, err := p.WriteTo(packet, &ipv4.ControlMessage{IfIndex: ifIndex}, g.group)
		return err
	}
	g.read = func(buffer []byte) (int, bool, error) {
		n, control, _, err := p.ReadFrom(buffer)
		return n, control != nil && control.Dst.Equal(g.group.IP), err
	}
	return g, nil
}

func joinMDNS6(ctx context.Context, interfaces []net.Interface) (*mdnsGroup, error) {
	conn, err := openMDNS(ctx, "udp6", "ff02::")
	if err != nil {
		return nil, err
	}
	p := ipv6.NewPacketConn(conn)
	g := &mdnsGroup{conn: conn, group: &net.UDPAddr{IP: net.ParseIP("ff02::fb"), Port: mdnsPort}}
	for _, i := range interfaces {
		if err = p.JoinGroup(&i, g.group); err == nil {
			g.interfaces = append(g.interfaces, i)
		}
	}
	if len(g.interfaces) == 0 {
		return nil, errors.Join(err, conn.Close())
	}
	err = errors.Join(p.SetControlMessage(ipv6.FlagDst, true), p.SetMulticastLoopback(true),
		p.SetMulticastHopLimit(255))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	g.write = func(packet []byte, ifIndex int) error {
		_, err := p.WriteTo(packet, &ipv6.ControlMessage{IfIndex: ifIndex}, g.group)
		return err
	}
	g.read = func(buffer []byte) (int, bool, error) {
		n, control, _, err := p.ReadFrom(buffer)
		return n, control != nil && control.Dst.Equal(g.group.IP), err
	}
	return g, nil
}

// has reports whether ip is one of i's.
func has(i net.Interface, ip net.IP) bool {
	addrs, err := i.Addrs()
	return err == nil && slices.ContainsFunc(addrs, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.Equal(ip)
	})
}
