package network

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
)

// A network of one first node, twelve more, and a client that knows the first.
func TestColdStart(t *testing.T) {
	t.Parallel()
	first := start(t, Config{Server: true})
	hosts := []*Host{first}
	for range 12 {
		hosts = append(hosts, start(t, Config{Server: true, Bootstrap: at(first)}))
	}
	want := make(map[Key]map[peer.ID]bool)
	for i, h := range hosts {
		wait(t, "the table", h.Ready())
		for _, key := range []Key{"all", Key(fmt.Sprintf("third=%d", i%3))} {
			if err := h.Provide(patiently(t), key); err != nil {
				t.Fatalf("Provide(%s): %v", key, err)
			}
			if want[key] == nil {
				want[key] = make(map[peer.ID]bool)
			}
			want[key][h.ID()] = true
		}
	}
	client := start(t, Config{Bootstrap: at(first)})
	wait(t, "the client's table", client.Ready())
	for key, ids := range want {
		found := providers(t, client, key)
		for id := range ids {
			if info, ok := found[id]; !ok {
				t.Errorf("%s: %v was not found", key, id)
			} else if len(info.Addrs) == 0 {
				t.Errorf("%s: %v has no addresses", key, id)
			}
		}
		if len(found) != len(ids) {
			t.Errorf("%s: %d found, want %d", key, len(found), len(ids))
		}
	}
	if found := providers(t, client, "nobody"); len(found) != 0 {
		t.Errorf("found %v for a key of nobody's", found)
	}
	told := wait(t, "Found", client.Found())
	if told.ID != first.ID() {
		t.Errorf("Found told of %v, want %v", told.ID, first.ID())
	}
	if c := settled(t, client); c.State != ContactConnected || c.Err != nil || c.Source != SourceBootstrap ||
		c.Took <= 0 {
		t.Errorf("contact %+v", c)
	}
}

// A first node alone cannot announce itself, but keeps the record for whoever
// asks it.
func TestAlone(t *testing.T) {
	t.Parallel()
	first := start(t, Config{Server: true})
	if err := first.Provide(t.Context(), "arch=amd64"); !errors.Is(err, ErrNoPeers) {
		t.Fatalf("Provide: %v, want ErrNoPeers", err)
	}
	if n := first.TableSize(); n != 0 {
		t.Errorf("%d peers in the table", n)
	}
	client := start(t, Config{Bootstrap: at(first)})
	wait(t, "the client's table", client.Ready())
	if found := providers(t, client, "arch=amd64"); len(found) != 1 || len(found[first.ID()].Addrs) == 0 {
		t.Errorf("found %v", found)
	}
	if err := first.Provide(t.Context(), "arch=amd64"); !errors.Is(err, ErrNoPeers) {
		t.Errorf("Provide with a client only: %v, want ErrNoPeers", err)
	}
	second := start(t, Config{Server: true, Bootstrap: at(first)})
	wait(t, "the second", second.Ready())
	wait(t, "the first", first.Ready())
	wait(t, "a change", first.Changed())
	if err := first.Provide(t.Context(), "arch=amd64"); err != nil {
		t.Errorf("Provide with a second: %v", err)
	}
}

// A lookup may bring a peer several times, first without addresses, and us.
func TestProvidersAreToldOnce(t *testing.T) {
	t.Parallel()
	h := start(t, Config{})
	twice, late, never := somebody(t), somebody(t), somebody(t)
	addrs := multiaddrs("/unix/tmp/x", "/ip4/192.0.2.1/tcp/7527")
	in := make(chan peer.AddrInfo, 10)
	for _, info := range []peer.AddrInfo{
		{ID: never},
		{ID: late},
		{ID: twice, Addrs: addrs},
		{ID: h.ID(), Addrs: addrs},
		{ID: twice, Addrs: addrs},
		{ID: late, Addrs: addrs},
	} {
		in <- info
	}
	close(in)
	out := make(chan peer.AddrInfo, 10)
	h.forward(t.Context(), in, out)
	close(out)
	var got []string
	for info := range out {
		got = append(got, fmt.Sprint(info.ID, texts(info.Addrs)))
	}
	want := []string{
		fmt.Sprint(twice, texts(addrs[1:])), fmt.Sprint(late, texts(addrs[1:])), fmt.Sprint(never, texts(nil)),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
