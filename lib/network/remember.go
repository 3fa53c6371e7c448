package network

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
	"plasm/lib/replace"
)

// The peers file: one multiaddress with /p2p/ID a line, the addresses of one
// peer together, those that answered last first. Lines that cannot be read are
// passed over; it is written by us, and a loss is no loss.
const (
	maxRemembered      = 16               // peers
	maxRememberedAddrs = 8                // of one peer
	maxPeersFile       = 64 << 10         // bytes
	rememberInterval   = 10 * time.Minute // a crash loses no more
)

// errNotPeers says that what is in the place of the peers file is none.
var errNotPeers = errors.New("not a regular file")

// readPeers reads the peers file at path. Problems are logged: a node that
// cannot remember still works.
func readPeers(path string, log *slog.Logger) []peer.AddrInfo {
	data, err := readPeersFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("peers file not read", "err", err)
	}
	return parsePeers(data)
}

// checkPeersFile refuses what can never be a peers file.
func checkPeersFile(path string) error {
	if _, err := readPeersFile(path); !errors.Is(err, errNotPeers) {
		return nil // what else is wrong with it may pass
	}
	return &job.Error{
		Code: job.CodeIO, Message: fmt.Sprintf("peers file cannot be used: %s: %v", path, errNotPeers),
		Hint: "remove it: it is made anew", Err: errNotPeers,
	}
}

// readPeersFile returns what the file path holds, and waits for nobody to write to it.
func readPeersFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENXIO) { // a socket
		return nil, errNotPeers
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotPeers
	}
	return io.ReadAll(io.LimitReader(f, maxPeersFile))
}

// parsePeers reads what the peers file holds.
func parsePeers(data []byte) []peer.AddrInfo {
	var infos []peer.AddrInfo
	for line := range bytes.Lines(data) {
		info, err := parseAddr(string(bytes.TrimSpace(line)))
		if err != nil || !isDialable(info.Addrs[0]) {
			continue
		}
		i := slices.IndexFunc(infos, func(known peer.AddrInfo) bool { return known.ID == info.ID })
		switch {
		case i >= 0 && len(infos[i].Addrs) < maxRememberedAddrs:
			infos[i].Addrs = ma.Unique(append(infos[i].Addrs, info.Addrs...))
		case i < 0 && len(infos) < maxRemembered:
			infos = append(infos, *info)
		}
	}
	return infos
}

// keepPeersFile writes the peers file from time to time.
func (h *Host) keepPeersFile(ctx context.Context) {
	ticker := time.NewTicker(rememberInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := h.rememberPeers(); err != nil {
				h.log.Warn("peers file not written", "err", err)
			}
		}
	}
}

// rememberPeers writes the peers file: who is in the routing table, and then
// those remembered before, who may only be away.
func (h *Host) rememberPeers() error {
	if h.cfg.PeersFile == "" || h.Host == nil {
		return nil
	}
	var answered []peer.ID
	if d := h.dht.Load(); d != nil {
		answered = d.RoutingTable().ListPeers()
	} else {
		h.remembered = readPeers(h.cfg.PeersFile, h.log)
		answered = slices.DeleteFunc(h.Network().Peers(), h.isOld)
	}
	infos := make([]peer.AddrInfo, 0, len(answered)+len(h.remembered))
	for _, id := range answered {
		infos = append(infos, peer.AddrInfo{ID: id, Addrs: h.rememberable(id)})
	}
	infos = append(infos, h.remembered...)
	text := formatPeers(infos)
	if text == nil {
		return nil // what is there is all that is known
	}
	if old, err := readPeersFile(h.cfg.PeersFile); err == nil && bytes.Equal(old, text) {
		return nil // and nobody waits for a disk
	}
	if err := replace.File(h.cfg.PeersFile, 0o600, text); err != nil {
		return &job.Error{Code: job.CodeIO, Message: "peers file: " + err.Error(), Err: err}
	}
	return nil
}

// isOld reports whether there is nothing in a peer that is connected to remember: it
// is where it was, or no server of the DHT, and so never in a routing table.
func (h *Host) isOld(id peer.ID) bool {
	served, err := h.Peerstore().SupportsProtocols(id, dhtProtocol)
	if err != nil || len(served) == 0 {
		return true
	}
	known := slices.IndexFunc(h.remembered, func(r peer.AddrInfo) bool { return r.ID == id })
	return known >= 0 && slices.ContainsFunc(h.Network().ConnsToPeer(id), func(c network.Conn) bool {
		return ma.Contains(h.remembered[known].Addrs, c.RemoteMultiaddr())
	})
}

// rememberable returns addresses of id that may still be right tomorrow: where
// it listens, not the port that it happened to connect from; in the order in which
// they are read, so that a file of the same addresses is the same.
func (h *Host) rememberable(id peer.ID) []ma.Multiaddr {
	return ma.Unique(slices.DeleteFunc(dialable(h.Peerstore().Addrs(id)), isRelayed))
}

// formatPeers writes the first maxRemembered distinct peers of infos that have
// addresses.
func formatPeers(infos []peer.AddrInfo) []byte {
	var text []byte
	seen := make(map[peer.ID]bool)
	for _, info := range infos {
		if seen[info.ID] || len(info.Addrs) == 0 || len(seen) == maxRemembered {
			continue
		}
		seen[info.ID] = true
		for _, addr := range info.Addrs[:min(len(info.Addrs), maxRememberedAddrs)] {
			text = append(text, addr.String()+"/p2p/"+info.ID.String()+"\n"...)
		}
	}
	return text
}
