package network

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
)

// The limits of libp2p's own services are libp2p's, but for identify's.
func TestServiceLimits(t *testing.T) {
	t.Parallel()
	theirs := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&theirs)
	scaled := theirs.Scale(scaleMemory, maxDescriptors)
	want := scaled.ToPartialLimitConfig()
	var got rcmgr.PartialLimitConfig
	limitServices(&got)
	if everybody := got.Service[identify.ServiceName]; everybody.StreamsInbound != maxProtocolStreams ||
		got.Protocol[identify.ID] != everybody {
		t.Errorf("identify has %+v", everybody)
	}
	delete(want.Service, identify.ServiceName)
	delete(got.Service, identify.ServiceName)
	for _, id := range []protocol.ID{identify.ID, identify.IDPush} {
		delete(want.Protocol, id)
		delete(got.Protocol, id)
	}
	for what, of := range map[string][2]any{
		"services":              {streamsOf(want.Service), streamsOf(got.Service)},
		"protocols":             {streamsOf(want.Protocol), streamsOf(got.Protocol)},
		"services of one peer":  {streamsOf(want.ServicePeer), streamsOf(got.ServicePeer)},
		"protocols of one peer": {streamsOf(want.ProtocolPeer), streamsOf(got.ProtocolPeer)},
	} {
		if diff := cmp.Diff(of[0], of[1]); diff != "" {
			t.Errorf("%s: libp2p's and ours differ:\n%s", what, diff)
		}
	}
}

// streamsOf leaves out connections and descriptors, of which a service has none.
func streamsOf[K comparable](limits map[K]rcmgr.ResourceLimits) map[K]rcmgr.ResourceLimits {
	of := make(map[K]rcmgr.ResourceLimits)
	for k, l := range limits {
		of[k] = streams(l.StreamsInbound, l.StreamsOutbound, l.Streams, l.Memory)
	}
	return of
}
