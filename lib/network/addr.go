package network

import (
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
)

// addrHint is what an address of a peer looks like.
const addrHint = "an address looks like /ip4/192.0.2.1/tcp/7527/p2p/12D3KooW…; a node prints its own when it is ready"

// ParseAddrs reads multiaddresses that end in /p2p/ID and groups them by peer,
// in the order in which peers first appear. An error is a *job.Error with
// CodeUsage that names the first value that is wrong.
func ParseAddrs(values []string) ([]peer.AddrInfo, error) {
	var infos []peer.AddrInfo
	for _, value := range values {
		info, err := parseAddr(value)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(infos, func(known peer.AddrInfo) bool { return known.ID == info.ID })
		if i < 0 {
			infos = append(infos, *info)
			continue
		}
		infos[i].Addrs = ma.Unique(append(infos[i].Addrs, info.Addrs...))
	}
	return infos, nil
}

// parseAddr reads one multiaddress with a peer ID and at least one part before.
func parseAddr(value string) (*peer.AddrInfo, error) {
	addr, err := ma.NewMultiaddr(value)
	if err != nil {
		return nil, addrError(value, "not a multiaddress", err)
	}
	info, err := peer.AddrInfoFromP2pAddr(addr)
	if err != nil {
		return nil, addrError(value, "a multiaddress without /p2p/ID at its end", err)
	}
	if len(info.Addrs) == 0 {
		return nil, addrError(value, "a peer ID without an address before it", nil)
	}
	return info, nil
}

func addrError(value, problem string, err error) error {
	return &job.Error{
		Code: job.CodeUsage, Message: fmt.Sprintf("%s: %s", problem, job.Quote(value)),
		Hint: addrHint, Err: err,
	}
}
