// Command neighbour is a peer on the local network that is not ours: libp2p's own
// mDNS service, under the name of ours. It prints its peer ID, and then the
// address of each peer that it is told of, one a line, until it is stopped.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(stdout io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	host, err := libp2p.New()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(stdout, host.ID()); err != nil {
		return err
	}
	service := mdns.NewMdnsService(host, "_plasm._udp", printer{stdout})
	if err := service.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	if err := service.Close(); err != nil {
		return err
	}
	return host.Close()
}

// printer prints who is found.
type printer struct{ stdout io.Writer }

// HandlePeerFound prints the addresses of a peer.
func (p printer) HandlePeerFound(info peer.AddrInfo) {
	for _, addr := range info.Addrs {
		_, _ = fmt.Fprintf(p.stdout, "%s/p2p/%s\n", addr, info.ID)
	}
}
