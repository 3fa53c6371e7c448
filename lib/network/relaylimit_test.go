package network

import (
	"math"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
)

func TestAnnouncedLimit(t *testing.T) {
	t.Parallel()
	limited := func(data any) network.ConnStats {
		return network.ConnStats{Stats: network.Stats{Limited: true, Extra: map[any]any{client.StatLimitData: data}}}
	}
	for _, test := range []struct {
		stat network.ConnStats
		want int64
	}{
		{network.ConnStats{}, 0},
		{network.ConnStats{Stats: network.Stats{Limited: true}}, unannounced},
		{limited(uint64(0)), 0},
		{limited(uint64(1000)), 1000},
		{limited(uint64(math.MaxUint64)), math.MaxInt64},
	} {
		if got := announced(test.stat); got != test.want {
			t.Errorf("%+v: %d, want %d", test.stat, got, test.want)
		}
	}
}
