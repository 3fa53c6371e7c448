package network

import (
	"math"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
)

// unannounced is taken for the limit of a relay that has one and doesn't say it:
// libp2p's default.
const unannounced = 128 << 10

// RelayLimit returns how many bytes a connection carries in each direction, by what
// its relay announced; 0 is no limit.
func RelayLimit(c network.Conn) int64 { return announced(c.Stat()) }

func announced(stat network.ConnStats) int64 {
	if !stat.Limited {
		return 0
	}
	limit, ok := stat.Extra[client.StatLimitData].(uint64)
	if !ok {
		return unannounced
	}
	return int64(min(limit, math.MaxInt64))
}
