// Command reach is a peer for tests: it joins a network, asks one node what it
// can do, over a relay where it must, and waits for a direct connection to it.
//
//	reach BOOTSTRAP PEERID DURATION
//
// It writes a line of JSON for what it has got: {"asked":true,"relayed":BOOL},
// then, within DURATION, {"direct":true}, else {"direct":false}. When that was
// decided it asks once more: {"again":true,"relayed":BOOL}.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/capability"
	"plasm/lib/network"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "reach: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	if len(args) != 3 {
		return errors.New("usage: reach BOOTSTRAP PEERID DURATION")
	}
	bootstrap, err := network.ParseAddrs(args[:1])
	if err != nil {
		return err
	}
	id, err := peer.Decode(args[1])
	if err != nil {
		return err
	}
	patience, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	h, err := network.Start(ctx, network.Config{Bootstrap: bootstrap, Log: slog.New(slog.NewJSONHandler(stderr, nil))})
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	select {
	case <-h.Ready():
	case <-ctx.Done():
		return errors.New("the routing table has no peer")
	}
	h.Punchable(ctx)
	out := json.NewEncoder(stdout)
	if err := ask(ctx, h, id, out, "asked"); err != nil {
		return err
	}
	direct := hasDirect(ctx, h, id, patience)
	if err := out.Encode(map[string]bool{"direct": direct}); err != nil {
		return err
	}
	return ask(ctx, h, id, out, "again")
}

// ask asks the node, which is looked up by its ID.
func ask(ctx context.Context, h *network.Host, id peer.ID, out *json.Encoder, what string) error {
	if _, err := capability.Ask(ctx, h, peer.AddrInfo{ID: id}, time.Minute); err != nil {
		return err
	}
	return out.Encode(map[string]bool{what: true, "relayed": relayed(h, id)})
}

// relayed reports whether every connection to a peer leads through a relay.
func relayed(h *network.Host, id peer.ID) bool {
	for _, c := range h.Network().ConnsToPeer(id) {
		if _, err := c.RemoteMultiaddr().ValueForProtocol(ma.P_CIRCUIT); err != nil {
			return false
		}
	}
	return true
}

// hasDirect waits for a direct connection: a stream that must not be relayed is
// opened when there is one.
func hasDirect(ctx context.Context, h *network.Host, id peer.ID, patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := h.NewStream(p2p.WithNoDial(ctx, "wait for the punch"), id, capability.Protocol)
	if err != nil {
		return false
	}
	defer func() { _ = s.Reset() }()
	return !relayed(h, id)
}
