// Package client is what the commands share that look for nodes: the flags that
// say where to look, and the host that looks there. It is apart from cli, so that
// commands without a network do not link one.
package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/cli"
	"plasm/lib/control"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
)

// Flags say where a command looks for nodes.
type Flags struct {
	flags      *cli.Flags
	getenv     func(string) string
	bootstrap  []string
	networkKey string
	mdns       bool
	known      []peer.AddrInfo
}

// Add adds --bootstrap, --network-key and --mdns to a flag set.
func Add(f *cli.Flags, category string, getenv func(string) string) *Flags {
	n := &Flags{flags: f, getenv: getenv, mdns: true}
	f.List(&n.bootstrap, cli.Flag{
		Name: "bootstrap", Category: category, Value: "ADDR", Variables: []string{"PLASM_BOOTSTRAP"},
		Usage: "a first contact, a node's address /ip4/…/p2p/12D3…",
		More:  "Several in the variable are separated by white space.",
	})
	f.Switch(&n.mdns, cli.Flag{Name: "mdns", Category: category, Usage: "do not ask the local network"})
	f.Path(&n.networkKey, cli.Flag{
		Name: "network-key", Category: category, Value: "FILE", Variables: []string{"PLASM_NETWORK_KEY"},
		Usage: "the key of a private network, in the swarm.key format of libp2p", Complete: cli.FileLike(".key"),
	})
	return n
}

// Archs is what the value of --arch is completed to.
func Archs() cli.Completion { return cli.Completion{Words: []string{"amd64", "arm64"}} }

// Engines is what the value of --engine is completed to, with other words beside the
// engines that nodes have.
func Engines(others ...string) cli.Completion {
	return cli.Completion{Words: append(others, "wasmtime", "wazero")}
}

// Start starts a host with a fresh key that begins at once to dial what it knows:
// the bootstrap addresses, the peers that answered last time, and a node on this
// machine; mDNS besides. With dialOnly it does so when it has to look for a peer.
// Errors are *job.Error.
func (n *Flags) Start(ctx context.Context, dialOnly bool, log *slog.Logger) (*network.Host, error) {
	cfg := network.Config{DialOnly: dialOnly, MDNS: n.mdns, Log: log}
	var err error
	if cfg.Bootstrap, err = network.ParseAddrs(n.bootstrap); err != nil {
		return nil, n.flags.About("bootstrap", err)
	}
	if cfg.NetworkKey, err = n.readNetworkKey(); err != nil {
		return nil, err
	}
	if cfg.PeersFile, err = peersFile(n.getenv, cfg.NetworkKey); err != nil {
		log.Info("peers are not remembered", "error", err)
	}
	h, err := network.Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	n.contactLocal(h, log)
	for _, info := range n.known {
		h.Contact(info, network.SourceListed)
	}
	return h, nil
}

// Know makes peers first contacts of the host that Start starts, beside those of the flags.
func (n *Flags) Know(peers []peer.AddrInfo) { n.known = append(n.known, peers...) }

// MDNS reports whether neighbours are asked.
func (n *Flags) MDNS() bool { return n.mdns }

// Private reports whether nodes of a private network are looked for.
func (n *Flags) Private() bool { return n.networkKey != "" }

// contactLocal makes a node on this machine a first contact.
func (n *Flags) contactLocal(h *network.Host, log *slog.Logger) {
	addrs, problems := control.User{Getenv: n.getenv, UID: os.Geteuid()}.LocalAddrs()
	for _, err := range problems {
		log.Info("a runtime folder is not believed", "error", err)
	}
	infos, err := network.ParseAddrs(addrs)
	if err != nil {
		log.Info("a runtime folder has bad addresses", "error", err)
	}
	for _, info := range infos {
		h.Contact(info, network.SourceLocal)
	}
}

// readNetworkKey reads the key of the private network, if there is to be one.
func (n *Flags) readNetworkKey() ([]byte, error) {
	if n.networkKey == "" {
		return nil, nil
	}
	data, err := identity.ReadFile(n.networkKey)
	origin := n.flags.Origin("network-key")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &job.Error{
			Code:    job.CodeNotFound,
			Message: fmt.Sprintf("%s: no such file: %s", origin, n.networkKey), Err: err,
		}
	case err != nil:
		return nil, &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("%s: %v", origin, err), Err: err}
	}
	key, err := network.ReadNetworkKey(data)
	if err != nil {
		return nil, n.flags.About("network-key", err)
	}
	return key, nil
}

// peersFile returns where the peers of a network are remembered, in a folder
// that is there, or "" where there is no home. Each private network has a file
// of its own: its members are of no use in another.
func peersFile(getenv func(string) string, networkKey []byte) (string, error) {
	base := cli.CacheDir(getenv)
	if base == "" {
		return "", nil
	}
	if err := os.MkdirAll(base, 0o700); err != nil {
		return "", err
	}
	file := "peers"
	if networkKey != nil {
		sum := sha256.Sum256(networkKey)
		file += "-" + hex.EncodeToString(sum[:4])
	}
	return filepath.Join(base, file), nil
}
